#include "apps/kantrig-card/completer.hpp"

#include <algorithm>
#include <chrono>

namespace kantrig::card_host {
namespace {

using card_link::Completion;
using card_link::SlotStatus;

constexpr std::uint32_t kSleepMs = 25;                   // at most, so that the heart beats
constexpr std::chrono::milliseconds kInterruptSlice{1};  // then the other units are looked at
constexpr std::size_t kPassagesMax = 256;

}  // namespace

Completer::Completer(RunnerShared& shared) : shared_(shared) {
  passages_.reserve(kPassagesMax);
  abandoned_.reserve(kPassagesMax);
}

std::size_t Completer::do_work() noexcept {
  auto& beat = shared_.figures.completer.beat;
  beat.store(beat.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  const std::size_t accepted = accept();
  return accepted + look_at_all();
}

std::size_t Completer::accept() noexcept {
  std::size_t accepted = 0;
  while (auto passage = shared_.passages.try_pop()) {
    ++accepted;
    if (passage->order.kind == Order::Kind::kAbandon) abandon();
    if (passage->order.kind == Order::Kind::kAnswer) answer_abandoned(passage->order);
    passages_.push_back(std::move(*passage));
  }
  return accepted;
}

std::size_t Completer::look_at_all() noexcept {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < passages_.size(); ++i) {
    Passage& passage = passages_[i];
    bool over = false;
    if (passage.order.kind == Order::Kind::kNone) {
      over = look_at(passage);
    } else if (kept == 0) {  // everything before it has ended
      carry_out(passage.order);
      over = true;
    }
    if (over) continue;
    if (kept != i) passages_[kept] = std::move(passage);
    ++kept;
  }
  const std::size_t ended = passages_.size() - kept;
  passages_.resize(kept);
  return ended;
}

bool Completer::look_at(Passage& passage) noexcept {
  if (passage.run != nullptr) return look_at_run(passage);
  Completion& completion = passage.completion;
  completion.finished_ns = completion.started_ns;
  answer(passage);
  return true;
}

bool Completer::look_at_run(Passage& passage) noexcept {
  if (passage.stuck) return false;
  const auto state = passage.run->state();
  const std::uint64_t now_ns = shared_.clock.now_ns();
  if (state && *state == RunState::kDone) {
    passage.completion.finished_ns = now_ns;
    finish(passage);
    return true;
  }
  const std::uint64_t begin_ns =
      std::max(passage.completion.started_ns, passage.station->unit(passage.unit).progress_ns);
  if (!state) {
    passage.stuck = true;
    report(state.error());
  } else if (now_ns > begin_ns && now_ns - begin_ns > shared_.options.deadline_ns) {
    passage.stuck = true;
    report({FaultKind::kTimeout, 0,
            fmt::format("compute unit {}: a run of {} events took more than {} ms", passage.unit,
                        passage.events, shared_.options.deadline_ns / 1'000'000)});
  }
  return false;
}

void Completer::finish(Passage& passage) noexcept {
  Station::Unit& unit = passage.station->unit(passage.unit);
  unit.progress_ns = passage.completion.finished_ns;
  unit.runs.fetch_sub(1, std::memory_order_relaxed);  // see Station::choose()
  shared_.figures.runs_in_flight.fetch_sub(1, std::memory_order_relaxed);
  passage.completion.status = SlotStatus::kDone;
  if (auto ok = check_axi_errors(passage); !ok) {
    fail(passage, ok.error());
  } else if (auto copied = passage.output->from_card(passage.output_bytes); !copied) {
    fail(passage, copied.error());
  }
  answer(passage);
}

/// The kernel ends a run whose memory answered with an error as any other; its counter tells.
DeviceResult<void> Completer::check_axi_errors(const Passage& passage) noexcept {
  Station::Unit& unit = passage.station->unit(passage.unit);
  const auto errors = passage.station->fabric()->read_register(passage.unit, card::offset_of("axi_errors"));
  if (!errors) return tl::unexpected<Fault>(errors.error());
  if (*errors == unit.axi_errors) return {};
  const std::uint32_t before = std::exchange(unit.axi_errors, *errors);
  return fault(FaultKind::kIo, "compute unit {}: register axi_errors rose from {} to {}", passage.unit,
               before, *errors);
}

void Completer::fail(Passage& passage, const Fault& fault) noexcept {
  passage.completion.status = SlotStatus::kFailed;
  passage.completion.error = static_cast<std::uint32_t>(fault.error);
  report(fault);
}

void Completer::answer(Passage& passage) noexcept {
  passage.completion.completed_ns = shared_.clock.now_ns();
  passage.port->complete(passage.completion);
  count(passage);
  release();
}

/// Gives a place in flight free.
void Completer::release() noexcept {
  shared_.in_flight.fetch_sub(1, std::memory_order_release);  // pairs with Taker::room()
  if (shared_.taker_waits.exchange(false, std::memory_order_acq_rel)) shared_.taker.ring();
}

void Completer::count(const Passage& passage) noexcept {
  CompleterFigures& figures = shared_.figures.completer;
  const card_link::Completion& c = passage.completion;
  switch (c.status) {
    case SlotStatus::kDone:
      figures.batches.add(1);
      figures.events.add(passage.events);
      figures.bytes_out.add(passage.output_bytes);
      figures.copy_out_ns.add(c.completed_ns - c.finished_ns);
      figures.queueing.observe_ns(c.taken_ns > c.submit_ns ? c.taken_ns - c.submit_ns : 0);
      figures.fabric.observe_ns(c.finished_ns - c.started_ns);
      figures.submit_to_complete.observe_ns(c.completed_ns > c.submit_ns ? c.completed_ns - c.submit_ns : 0);
      break;
    case SlotStatus::kNotLoaded:
      figures.not_loaded.add(1);
      break;
    case SlotStatus::kTimeout:
      figures.timed_out.add(1);
      break;
    case SlotStatus::kInvalid:
      figures.invalid.add(1);
      break;
    case SlotStatus::kNone:
    case SlotStatus::kFailed:
      figures.failed.add(1);
      break;
  }
}

void Completer::carry_out(Order& order) noexcept {
  station_ = std::move(order.station);
  shared_.carried_out.store(order.number, std::memory_order_release);  // pairs with Runner::carried_out()
  shared_.supervisor.ring();
}

/// Lets go of everything that belongs to the device; the slots are remembered.
void Completer::abandon() noexcept {
  for (Passage& passage : passages_) {
    if (passage.port == nullptr) continue;
    if (passage.run != nullptr) shared_.figures.runs_in_flight.fetch_sub(1, std::memory_order_relaxed);
    Abandoned entry{passage.station->shared_link(), {}};
    entry.passage.port = passage.port;
    entry.passage.events = passage.events;
    entry.passage.completion = passage.completion;
    abandoned_.push_back(std::move(entry));
  }
  passages_.clear();
  station_.reset();
}

void Completer::answer_abandoned(const Order& order) noexcept {
  for (Abandoned& entry : abandoned_) {
    entry.passage.completion.status = order.status;
    entry.passage.completion.error = order.error;
    answer(entry.passage);
  }
  abandoned_.clear();
}

void Completer::report(const Fault& fault) noexcept {
  shared_.faults.put(fault);
  shared_.supervisor.ring();
}

const Passage* Completer::oldest_run() const noexcept {
  const auto run = std::ranges::find_if(
      passages_, [](const Passage& passage) { return passage.run != nullptr && !passage.stuck; });
  return run == passages_.end() ? nullptr : &*run;
}

void Completer::wait_for_work() noexcept {
  const Passage* const oldest = oldest_run();
  if (oldest == nullptr) {
    sleep();
  } else {
    (void)oldest->run->wait(kInterruptSlice);  // whatever it says is seen by look_at_run()
  }
}

void Completer::sleep() noexcept {
  // See Taker::pass().
  (void)shared_.completer_asleep.exchange(true, std::memory_order_acq_rel);
  if (accept() == 0) (void)shared_.completer.wait(kSleepMs);
  (void)shared_.completer_asleep.exchange(false, std::memory_order_acq_rel);
}

}  // namespace kantrig::card_host
