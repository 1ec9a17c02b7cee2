#include "apps/kantrig-card/runner.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "apps/kantrig-card/completer.hpp"
#include "apps/kantrig-card/taker.hpp"
#include "base/assert.hpp"

namespace kantrig::card_host {
namespace {

constexpr std::uint32_t kWaitSliceMs = 5;

/// Polling: one thread takes and completes, so that no other has to be woken between start and end of a run.
class PollingAgent final : public base::Agent {
 public:
  PollingAgent(Taker& taker, Completer& completer) : taker_(taker), completer_(completer) {}
  std::size_t do_work() noexcept override {
    const std::size_t taken = taker_.do_work();
    return taken + completer_.do_work();
  }
  void wait_for_work() noexcept override {
    if (completer_.runs_go_on()) {
      std::this_thread::yield();
    } else {
      taker_.wait_for_work();
    }
  }

 private:
  Taker& taker_;
  Completer& completer_;
};

}  // namespace

Runner::Runner(const base::Clock& clock, RunnerOptions options, Figures& figures, card_link::Doorbell taker,
               card_link::Doorbell completer, card_link::Doorbell supervisor)
    : shared_(clock, options, figures, std::move(taker), std::move(completer), std::move(supervisor)),
      taker_(std::make_unique<Taker>(shared_)),
      completer_(std::make_unique<Completer>(shared_)) {
  if (options.completion == CompletionMode::kPolling)
    both_ = std::make_unique<PollingAgent>(*taker_, *completer_);
}

Result<std::unique_ptr<Runner>> Runner::start(const base::Clock& clock, RunnerOptions options,
                                              Figures& figures) {
  auto taker = card_link::Doorbell::create();
  if (!taker) return tl::unexpected(taker.error());
  auto completer = card_link::Doorbell::create();
  if (!completer) return tl::unexpected(completer.error());
  auto supervisor = card_link::Doorbell::create();
  if (!supervisor) return tl::unexpected(supervisor.error());
  std::unique_ptr<Runner> runner(
      new Runner(clock, options, figures, std::move(*taker), std::move(*completer), std::move(*supervisor)));
  if (runner->both_) {
    auto thread = base::AgentThread::start("card", *runner->both_, {});
    if (!thread) return tl::unexpected(thread.error());
    runner->taker_thread_ = std::move(*thread);
    return runner;
  }
  auto completer_thread = base::AgentThread::start("completer", *runner->completer_, {});
  if (!completer_thread) return tl::unexpected(completer_thread.error());
  runner->completer_thread_ = std::move(*completer_thread);
  auto taker_thread = base::AgentThread::start("taker", *runner->taker_, {});
  if (!taker_thread) return tl::unexpected(taker_thread.error());
  runner->taker_thread_ = std::move(*taker_thread);
  return runner;
}

Runner::~Runner() = default;

std::uint64_t Runner::give(Order order) {
  order.number = ++given_;
  const bool pushed = shared_.orders.try_push(std::move(order));
  KANTRIG_ASSERT(pushed);  // whoever gives orders waits for them
  shared_.taker.ring();
  return given_;
}

bool Runner::carried_out(std::uint64_t number) const noexcept {
  return shared_.carried_out.load(std::memory_order_acquire) >= number;  // pairs with Completer::carry_out()
}

void Runner::wait_taken_up(std::uint64_t number, std::uint64_t timeout_ns) const {
  const std::uint64_t begin_ns = shared_.clock.now_ns();
  while (shared_.taken_up.load(std::memory_order_acquire) < number) {  // pairs with Taker::apply()
    if (shared_.clock.now_ns() - begin_ns > timeout_ns) return;
    std::this_thread::yield();
  }
}

bool Runner::wait(std::uint64_t number, std::uint64_t timeout_ns, Faults faults) const {
  const std::uint64_t begin_ns = shared_.clock.now_ns();
  while (!carried_out(number)) {
    if (faults == Faults::kEndIt && shared_.faults.full()) return false;
    if (shared_.clock.now_ns() - begin_ns > timeout_ns) return false;
    (void)shared_.supervisor.wait(kWaitSliceMs);
  }
  return true;
}

bool Runner::link_broken(std::uint64_t number) const noexcept {
  const std::uint64_t broken = shared_.broken_link.load(std::memory_order_acquire);  // pairs with Taker
  return broken != 0 && broken >= number;
}

}  // namespace kantrig::card_host
