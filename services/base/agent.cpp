#include "base/agent.hpp"

#include <pthread.h>
#include <sched.h>

#include <cstring>
#include <future>
#include <utility>

namespace kantrig::base {
namespace {

Result<void> place_this_thread(const std::string& name, const ThreadPlacement& placement) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
  if (!placement.cpus.empty()) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const std::uint32_t cpu : placement.cpus) {
      if (cpu >= CPU_SETSIZE) return fail(ErrorCode::kInvalid, "thread {}: no CPU {}", name, cpu);
      CPU_SET(cpu, &set);
    }
    if (const int code = pthread_setaffinity_np(pthread_self(), sizeof set, &set); code != 0) {
      return fail(ErrorCode::kInvalid, "thread {}: cannot run on the configured CPUs: {}", name,
                  std::strerror(code));
    }
  }
  if (placement.realtime_priority > 0) {
    sched_param parameter{};
    parameter.sched_priority = static_cast<int>(placement.realtime_priority);
    if (const int code = pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameter); code != 0) {
      return fail(ErrorCode::kIo,
                  "thread {}: cannot use SCHED_FIFO priority {}: {} (LimitRTPRIO= in the unit permits it)",
                  name, placement.realtime_priority, std::strerror(code));
    }
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<AgentThread>> AgentThread::start(std::string name, Agent& agent,
                                                        const ThreadPlacement& placement) {
  std::unique_ptr<AgentThread> result(new AgentThread());
  std::promise<Result<void>> placed;
  auto outcome = placed.get_future();
  result->thread_ = std::thread([self = result.get(), &agent, &placement, name = std::move(name), &placed] {
    auto placing = place_this_thread(name, placement);
    const bool ok = placing.has_value();
    placed.set_value(std::move(placing));  // after this, `placement` and `placed` may be gone
    if (!ok) return;
    while (!self->stop_.load(std::memory_order_acquire)) {  // pairs with the release in ~AgentThread
      if (agent.do_work() == 0) agent.wait_for_work();
    }
  });
  if (auto ok = outcome.get(); !ok) return tl::unexpected<Error>(ok.error());
  return result;
}

AgentThread::~AgentThread() {
  stop_.store(true, std::memory_order_release);  // pairs with the acquire in the thread's loop
  if (thread_.joinable()) thread_.join();
}

}  // namespace kantrig::base
