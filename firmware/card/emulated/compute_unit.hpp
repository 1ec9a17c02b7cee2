// ComputeUnit: one simulated kernel and the thread that runs it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <thread>

#include "card/emulated/fabric.hpp"
#include "card/emulated/memory.hpp"
#include "card/emulated/state.hpp"

namespace kantrig::emulated {

/// What a process that waits in xclExecWait() waits for: completions of its own.
class Completions {
 public:
  Completions() = default;
  /// After the last add(): ThreadSanitizer sees the mutex, not the count of std::shared_ptr.
  ~Completions() { const std::lock_guard lock(mutex_); }
  Completions(const Completions&) = delete;
  Completions& operator=(const Completions&) = delete;
  void add();
  /// True when there is one, which is used up; false when `ms` are over (negative: never).
  [[nodiscard]] bool wait(int ms);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t count_ = 0;
};

/// A command buffer in flight (ert.h): a header and the words after it. The buffer lives as long as this.
struct Command {
  std::shared_ptr<void> buffer;
  std::uint32_t* header = nullptr;
  const std::uint32_t* registers = nullptr;  // word i is register 4 * i
  std::uint32_t register_count = 0;
  std::shared_ptr<Completions> completions;

  void set_state(std::uint32_t state) const;
};

/// Threading: every member may be called by any thread. The kernel belongs to whoever holds `mutex_`: the
/// unit's thread lets go of it between slices of a run when somebody waits.
class ComputeUnit {
 public:
  ComputeUnit(const Fabric& fabric, Memory& memory, const State& state, unsigned index);
  /// Ends what runs; its commands are not completed.
  ~ComputeUnit();
  ComputeUnit(const ComputeUnit&) = delete;
  ComputeUnit& operator=(const ComputeUnit&) = delete;

  void submit(Command command);
  [[nodiscard]] std::size_t load() const;  // commands that wait or run
  /// Ends the commands of one opener with state ABORT. Null: of all.
  void abort(const Completions* of);
  void reset();
  /// Something of the card's state changed: look again.
  void wake();

  [[nodiscard]] std::uint32_t read(std::uint32_t offset);
  void write(std::uint32_t offset, std::uint32_t value);

  /// Sees to it that each rising edge of the interrupt line is written to this event descriptor; -1: to none.
  void notify(int event_fd);

 private:
  class Access;
  void work();
  void execute(std::unique_lock<std::mutex>& lock);
  bool simulate(std::unique_lock<std::mutex>& lock);
  void slow_down(std::unique_lock<std::mutex>& lock, std::uint64_t simulated_ns);
  void corrupt();
  void finish(std::uint32_t state);
  void hand_over(std::unique_lock<std::mutex>& lock);
  void look_at_line();
  [[nodiscard]] bool hung() const noexcept;
  [[nodiscard]] bool lost() const noexcept;  // no run of this unit ends any more
  void hang() noexcept;

  const Fabric& fabric_;
  Memory& memory_;
  const State& state_;
  const unsigned index_;
  kantrig_kernel* kernel_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;  // the unit's thread looks again
  std::condition_variable handed_over_;
  int waiting_ = 0;  // threads that want the kernel; also what ends a slice. Atomic builtins only.
  std::deque<Command> commands_;  // that wait
  std::optional<Command> running_;
  bool abort_running_ = false;
  bool free_running_ = false;  // started by a register write: clocked until idle
  bool quit_ = false;
  bool line_ = false;
  int event_fd_ = -1;
  std::mt19937_64 random_;
  std::thread thread_;
};

}  // namespace kantrig::emulated
