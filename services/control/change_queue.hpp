// ChangeQueue: one change of the conditions at a time, each through the state file and into all shards.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "control/adoption.hpp"
#include "control/model_registry.hpp"
#include "control/options.hpp"
#include "control/state_file.hpp"
#include "pipeline/conditions.hpp"

namespace kantrig::control {

/// How an operation ends: called once, on the control thread.
template <typename T>
using Done = std::function<void(Result<T>)>;

/// The conditions and what belongs to them but is not for the shards.
struct Composition {
  pipeline::Conditions conditions;
  ModelPointer previous;    // what rollback activates; may be empty
  std::string menu_origin;  // file name of the menu, for messages
  std::uint64_t block_start_ns = 0;
};

/// What a change made of the conditions.
enum class Composed : std::uint8_t {
  kChanged,
  kUnchanged,  // it is so already: answered at once, no block begins
};

/// One change, from its place in the queue to the answer.
struct Change {
  std::string what;  // for messages: "activate jets-1.4.0"
  ledger::BlockClose closes = ledger::BlockClose::kTimer;
  /// Edits a copy of what is on, when its turn has come. An error ends the change; nothing has happened then.
  std::function<Result<Composed>(Composition& next)> compose;
  /// What is on is now `next`: every shard has it. Called before `done`, and even if `done` was told of
  /// lateness.
  std::function<void()> adopted;
  Done<void> done;
};

/// Threading: owned by the thread that runs `io`, which must not run it after the queue is gone.
/// Bounds:    changes_waiting_max changes.
class ChangeQueue {
 public:
  struct Parts {
    boost::asio::io_context& io;
    const base::Clock& clock;
    base::Logger& log;
    Shards shards;
  };

  ChangeQueue(Parts parts, const ControllerOptions& options);

  /// Before the first change: numbers go on from here.
  void restore(PersistedState last) { persisted_ = std::move(last); }
  [[nodiscard]] const PersistedState& persisted() const noexcept { return persisted_; }

  /// Answers kBusy when too many wait, or when a shard is late with the change before.
  void push(Change change);
  /// What all shards run under. `conditions.model` is empty before the first change.
  [[nodiscard]] const Composition& now() const noexcept { return now_; }
  [[nodiscard]] bool idle() const noexcept { return waiting_.empty() && !adoption_.active(); }
  [[nodiscard]] bool late() const noexcept { return adoption_.late(); }

 private:
  void run_next();
  [[nodiscard]] Result<Composed> prepare(const Change& change, Composition& next);
  [[nodiscard]] Error busy(const std::string& what) const;
  void finish();
  void report_late(const Error& error);

  const base::Clock& clock_;
  base::Logger& log_;
  std::filesystem::path state_file_;
  std::uint32_t adopt_timeout_ms_;
  std::uint32_t waiting_max_;
  Adoption adoption_;
  std::deque<Change> waiting_;
  Change running_;
  Composition now_;
  Composition next_;
  PersistedState persisted_;
};

}  // namespace kantrig::control
