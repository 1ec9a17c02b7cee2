#include "apps/kantrig-card/taker.hpp"

#include <poll.h>

#include <algorithm>
#include <array>

#include "base/assert.hpp"

namespace kantrig::card_host {
namespace {

using card_link::SlotStatus;

constexpr int kSleepMs = 25;  // at most, so that the heart beats
constexpr std::uint32_t kSlotsPerPort = 8;

}  // namespace

std::size_t Taker::do_work() noexcept {
  beat();
  std::size_t done = 0;
  while (auto order = shared_.orders.try_pop()) {
    apply(std::move(*order));
    ++done;
  }
  if (!halted_ && shared_.faults.full()) halted_ = true;
  if (station_ && !broken_) {
    const auto ports = static_cast<std::uint32_t>(station_->link().ports.size());
    for (std::uint32_t port = 0; port < ports; ++port) done += take_from(port);
  }
  if (done > 0) idle_since_ns_ = 0;
  return done;
}

void Taker::apply(Order order) noexcept {
  order_ = order.number;
  station_ = order.station;
  routes_ = order.routes;
  broken_ = false;
  halted_ = false;
  Passage passage;
  passage.order = std::move(order);
  pass(std::move(passage));
  shared_.taken_up.store(order_, std::memory_order_release);  // pairs with Runner::wait_taken_up()
}

/// Bounded, so that every port has its turn and orders are seen.
std::size_t Taker::take_from(std::uint32_t port) noexcept {
  card_link::CardPort& from = *station_->link().ports[port];
  card_link::Submission submission;
  std::uint32_t taken = 0;
  for (; taken < kSlotsPerPort && room(); ++taken) {
    const card_link::Take take = from.take(submission);
    if (take == card_link::Take::kNothing) break;
    if (take == card_link::Take::kBroken) {
      broken_ = true;
      shared_.figures.taker.broken.add(1);
      shared_.broken_link.store(order_, std::memory_order_release);  // pairs with Runner::link_broken()
      shared_.supervisor.ring();
      break;
    }
    begin(port, submission);
  }
  return taken;
}

void Taker::begin(std::uint32_t port, const card_link::Submission& submission) noexcept {
  Passage passage;
  passage.station = station_.get();
  passage.port = station_->link().ports[port].get();
  passage.events = submission.events;
  card_link::Completion& completion = passage.completion;
  completion.slot = submission.slot;
  completion.submit_ns = submission.submit_ns;
  completion.taken_ns = shared_.clock.now_ns();
  shared_.figures.taker.taken.add(1);
  const Route* const route = halted_ ? nullptr : route_of(submission.load_id);
  if (route == nullptr) {
    completion.status = SlotStatus::kNotLoaded;
    pass(std::move(passage));
    return;
  }
  const std::size_t input_bytes = route->input.buffer_bytes(submission.events);
  passage.output_bytes = route->output.buffer_bytes(submission.events);
  const card_link::RegionShape& shape = station_->link().region->shape();
  if (submission.events == 0 || input_bytes > shape.input_bytes ||
      passage.output_bytes > shape.output_bytes) {
    completion.status = SlotStatus::kInvalid;
    pass(std::move(passage));
    return;
  }
  passage.output = &station_->output(port, submission.slot);
  const auto copied = station_->input(port, submission.slot).to_card(input_bytes);
  completion.copied_in_ns = shared_.clock.now_ns();
  shared_.figures.taker.bytes_in.add(input_bytes);
  shared_.figures.taker.copy_in_ns.add(completion.copied_in_ns - completion.taken_ns);
  const Station::Choice choice = station_->choose(port, submission.slot);
  passage.unit = choice.unit;
  completion.started_ns = completion.copied_in_ns;
  const auto started =
      copied ? choice.run->start({.events = submission.events, .bank = route->bank}) : copied;
  completion.started_ns = shared_.clock.now_ns();
  if (started) {
    passage.run = choice.run;
    // Relaxed: the passage's ring orders what the completer reads.
    station_->unit(choice.unit).runs.fetch_add(1, std::memory_order_relaxed);
    shared_.figures.runs_in_flight.fetch_add(1, std::memory_order_relaxed);
  } else {
    completion.status = SlotStatus::kFailed;
    completion.error = static_cast<std::uint32_t>(started.error().error);
    shared_.faults.put(started.error());
    shared_.supervisor.ring();
    halted_ = true;
  }
  pass(std::move(passage));
}

const Route* Taker::route_of(std::uint64_t load_id) const noexcept {
  if (!routes_ || station_->fabric() == nullptr) return nullptr;
  const auto route = std::ranges::find(*routes_, load_id, &Route::load_id);
  return route == routes_->end() ? nullptr : &*route;
}

void Taker::pass(Passage&& passage) noexcept {
  if (passage.port != nullptr) shared_.in_flight.fetch_add(1, std::memory_order_relaxed);  // see room()
  const bool pushed = shared_.passages.try_push(std::move(passage));
  KANTRIG_ASSERT(pushed);  // room() leaves places for orders
  // Of the two exchanges, this and Completer::sleep()'s, one is first: either we see that it sleeps, or it
  // sees what we pushed.
  if (shared_.completer_asleep.exchange(false, std::memory_order_acq_rel)) shared_.completer.ring();
}

bool Taker::room() const noexcept {
  return shared_.in_flight.load(std::memory_order_acquire) <
         shared_.options.runs_max;  // pairs with release()
}

bool Taker::slots_wait() const noexcept {
  return std::ranges::any_of(station_->link().ports, [](const auto& port) { return port->waiting(); });
}

/// The region's heart beats while both threads go round.
void Taker::beat() noexcept {
  TakerFigures& figures = shared_.figures.taker;
  figures.beat.store(figures.beat.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  if (!station_) return;
  const std::uint64_t completer = shared_.figures.completer.beat.load(std::memory_order_relaxed);
  if (completer == completer_beat_) return;
  completer_beat_ = completer;
  // Relaxed: it is only compared with itself.
  auto& beat = station_->link().region->header().card_beat;
  beat.store(beat.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void Taker::wait_for_work() noexcept {
  if (shared_.options.spin_ns > 0) {
    const std::uint64_t now_ns = shared_.clock.now_ns();
    if (idle_since_ns_ == 0) idle_since_ns_ = now_ns;
    if (now_ns - idle_since_ns_ < shared_.options.spin_ns) return;
  }
  sleep();
}

void Taker::sleep() noexcept {
  std::array<pollfd, 2> bells{{{shared_.taker.fd(), POLLIN, 0}, {-1, POLLIN, 0}}};  // -1: left out by poll
  const bool takes = station_ && !broken_;
  if (takes && !room()) {
    // As in pass(): the completer gives a place free, then looks whether we wait.
    (void)shared_.taker_waits.exchange(true, std::memory_order_acq_rel);
    if (room()) return;
  } else if (takes) {
    card_link::prepare_card_to_sleep(*station_->link().region);
    if (slots_wait()) {
      card_link::card_awake(*station_->link().region);
      return;
    }
    bells[1].fd = station_->link().card.fd();
  }
  if (::poll(bells.data(), bells.size(), kSleepMs) > 0) {
    if ((bells[0].revents & POLLIN) != 0) shared_.taker.drain();
    if ((bells[1].revents & POLLIN) != 0) station_->link().card.drain();
  }
  if (takes) card_link::card_awake(*station_->link().region);
}

}  // namespace kantrig::card_host
