// Agent: a thread's duty cycle. AgentThread: the thread that runs one.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/result.hpp"

namespace kantrig::base {

/// One owner, one thread, bounded steps. Shares nothing but rings and counters.
class Agent {
 public:
  virtual ~Agent() = default;
  /// One bounded step: a few commands, a bounded amount of work. Returns how much was done; 0 when idle.
  virtual std::size_t do_work() noexcept = 0;
  /// Called after a step that did nothing: waits, for a bounded time, until there may be work.
  virtual void wait_for_work() noexcept = 0;
};

/// Where and how a thread runs.
struct ThreadPlacement {
  std::vector<std::uint32_t> cpus;      // to run on; empty: anywhere
  std::uint32_t realtime_priority = 0;  // 0: the normal class; 1..99: SCHED_FIFO with this priority
};

/// Runs an agent in a thread of its own until destroyed. The agent must outlive it.
class AgentThread {
 public:
  /// Fails when the placement is not permitted (SCHED_FIFO needs RLIMIT_RTPRIO) or names a CPU that is not
  /// there.
  [[nodiscard]] static Result<std::unique_ptr<AgentThread>> start(std::string name, Agent& agent,
                                                                  const ThreadPlacement& placement);
  ~AgentThread();
  AgentThread(const AgentThread&) = delete;
  AgentThread& operator=(const AgentThread&) = delete;

 private:
  AgentThread() = default;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace kantrig::base
