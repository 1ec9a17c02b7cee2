// Controller: the one place that decides under which conditions the shards run. Operations and their order:
// README.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "control/block_collector.hpp"
#include "control/change_queue.hpp"
#include "control/menus.hpp"
#include "control/model_registry.hpp"
#include "control/options.hpp"
#include "control/start_plan.hpp"
#include "control/status.hpp"
#include "ledger/run_book.hpp"
#include "pipeline/conditions.hpp"

namespace kantrig::control {

struct RunStopped {
  RunNumber run;
  std::filesystem::path record_path;
  std::string record_json;
};

/// Composes conditions, hands them to all shards, and keeps the books of runs. Every operation ends in one
/// call of its `done`, on the control thread; one that fails leaves what runs as it was and says why.
///
/// Threading: owned by the thread that runs `io`; nothing blocks but small files written. io must not run
/// after it.
class Controller {
 public:
  struct Parts {
    boost::asio::io_context& io;
    const base::Clock& clock;
    base::Logger& log;
    ModelRegistry& registry;
    ledger::RunBook& runs;
    Shards shards;  // by index; each must be running its agent when start() is called
    /// Told which models run, whenever that may have changed: what a card should have. May be empty.
    std::function<void(const Roles&)> on_roles{};
  };

  Controller(Parts parts, ControllerOptions options);

  /// Comes back to what was on when the daemon ended, or begins as configured. Once, before anything else.
  void start(Done<void> done);

  void load(const std::string& name, Done<void> done);
  void activate(const std::string& name, Done<void> done);  // loads it if need be
  void rollback(Done<void> done);                           // to the previous one, which is loaded
  void shadow(const std::string& name, Done<void> done);
  void unshadow(Done<void> done);
  [[nodiscard]] Result<void> unload(const std::string& name) { return registry_.unload(name); }

  void load_menu(MenuText menu, Done<void> done);
  void set_column(const std::string& column, Done<void> done);

  void start_run(const std::string& comment, Done<RunNumber> done);
  /// Lets the clients finish what they have sent, for at most drain_timeout_ms, then closes the run and its
  /// record.
  void stop_run(const std::string& comment, Done<RunStopped> done);

  /// For the end of the daemon: takes no further operation, lets the clients finish. A run that is on stays
  /// on in the state, so that the next start goes on with it.
  void drain(Done<void> done);
  /// After the shards have ended and closed their last block.
  [[nodiscard]] Result<void> collect_last_blocks() { return collector_.collect(); }

  [[nodiscard]] DaemonState state() const;
  [[nodiscard]] Status status() const;
  /// The menu that is on; empty while starting.
  [[nodiscard]] std::shared_ptr<const menu::Menu> menu() const { return changes_.now().conditions.menu; }
  [[nodiscard]] const ModelRegistry& registry() const noexcept { return registry_; }
  [[nodiscard]] std::size_t shard_count() const noexcept { return shards_.size(); }

 private:
  /// What start() has gathered so far.
  struct Startup {
    StartPlan plan;
    Roles models;
    Done<void> done;
  };
  void load_active(const std::shared_ptr<Startup>& startup);
  void load_others(const std::shared_ptr<Startup>& startup, std::vector<std::string> names);
  void put_on(const std::shared_ptr<Startup>& startup);
  [[nodiscard]] Result<Composed> compose_first(const Startup& startup, Composition& next);

  /// Queues `change`, unless the daemon is starting or ending.
  void push(Change change);
  [[nodiscard]] Result<void> accepting() const;
  /// Goes on with `name` loaded, or answers `done` with why it cannot be.
  void with_model(const std::string& name, Done<void> done,
                  std::function<void(ModelPointer, Done<void>)> then);
  void activate_loaded(const ModelPointer& model, Done<void> done);
  void settle();  // registry, collector and cards learn what is on
  void wait_drained(std::uint64_t deadline_ns, std::function<void(bool in_time)> then);
  void end_run(const std::string& comment, Done<RunStopped> done);
  void close_run(RunNumber run, const std::string& comment, Done<RunStopped> done);
  void keep_up();
  void roll_block_if_due();

  boost::asio::io_context& io_;
  const base::Clock& clock_;
  base::Logger& log_;
  ModelRegistry& registry_;
  ledger::RunBook& runs_;
  Shards shards_;
  std::function<void(const Roles&)> on_roles_;
  ControllerOptions options_;
  ChangeQueue changes_;
  BlockCollector collector_;
  boost::asio::steady_timer upkeep_;
  std::uint64_t start_unix_ns_;
  std::uint64_t roll_not_before_ns_ = 0;
  bool started_ = false;
  bool run_due_ = false;       // the run that comes with the start is not on yet
  bool stopping_run_ = false;  // between the drain of a run and its end
  bool ending_ = false;
};

}  // namespace kantrig::control
