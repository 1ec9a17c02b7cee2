#include "card_link/port.hpp"

#include <utility>

#include "base/assert.hpp"

namespace kantrig::card_link {
namespace {

/// The ring's producer: `count` is how many it has put in before.
void put(SharedRing& ring, std::uint32_t& count, std::uint32_t slot) noexcept {
  ring.slots[count % kSlotsMax] = slot;
  ++count;
  ring.tail.store(count, std::memory_order_seq_cst);  // pairs with available(), and see ring_if_asleep()
}

/// How many the consumer, who has taken `count`, may take now.
std::uint32_t available(const SharedRing& ring, std::uint32_t count) noexcept {
  return ring.tail.load(std::memory_order_seq_cst) - count;  // pairs with put()
}

/// Rings unless the sleeper is awake. Of the four accesses, put() then this, announce_sleep() then
/// available(), there is one order: either the sleeper sees what was put in, or we see that it sleeps.
void ring_if_asleep(const SharedIndex& asleep, const Doorbell& bell) noexcept {
  if (asleep.load(std::memory_order_seq_cst) != 0) bell.ring();
}

void announce_sleep(SharedIndex& asleep) noexcept {
  asleep.store(1, std::memory_order_seq_cst);
}

}  // namespace

DaemonPort::DaemonPort(std::shared_ptr<Region> region, std::uint32_t port,
                       std::shared_ptr<const Doorbell> card)
    : region_(std::move(region)), port_(port), card_(std::move(card)), in_flight_(region_->shape().slots) {}

void DaemonPort::submit(std::uint32_t slot, std::uint64_t load_id, std::uint32_t events,
                        std::uint64_t now_ns) noexcept {
  KANTRIG_ASSERT(slot < in_flight_.size() && !in_flight_[slot]);
  SlotRecord& record = region_->record(port_, slot);
  record.load_id = load_id;
  record.submit_ns = now_ns;
  record.events = events;
  record.status = SlotStatus::kNone;
  in_flight_[slot] = true;
  ++in_flight_count_;
  put(region_->port(port_).submissions, submitted_, slot);
  ring_if_asleep(region_->header().card.asleep, *card_);
}

Take DaemonPort::take(Completion& completion) noexcept {
  const SharedRing& ring = region_->port(port_).completions;
  const std::uint32_t waiting = available(ring, taken_);
  if (waiting == 0) return Take::kNothing;
  if (waiting > in_flight_count_) return Take::kBroken;
  const std::uint32_t slot = ring.slots[taken_ % kSlotsMax];
  if (slot >= in_flight_.size() || !in_flight_[slot]) return Take::kBroken;
  ++taken_;
  in_flight_[slot] = false;
  --in_flight_count_;
  const SlotRecord& record = region_->record(port_, slot);
  completion = {.slot = slot,
                .status = record.status,
                .error = record.error,
                .submit_ns = record.submit_ns,
                .taken_ns = record.taken_ns,
                .copied_in_ns = record.copied_in_ns,
                .started_ns = record.started_ns,
                .finished_ns = record.finished_ns,
                .completed_ns = record.completed_ns};
  return Take::kSlot;
}

bool DaemonPort::prepare_to_sleep() noexcept {
  PortBlock& block = region_->port(port_);
  announce_sleep(block.daemon.asleep);
  if (available(block.completions, taken_) == 0) return true;
  awake();
  return false;
}

void DaemonPort::awake() noexcept {
  region_->port(port_).daemon.asleep.store(0, std::memory_order_relaxed);
}

CardPort::CardPort(std::shared_ptr<Region> region, std::uint32_t port, Doorbell daemon)
    : region_(std::move(region)),
      port_(port),
      daemon_(std::move(daemon)),
      ours_(std::make_unique<std::atomic<bool>[]>(region_->shape().slots)) {}

Take CardPort::take(Submission& submission) noexcept {
  const SharedRing& ring = region_->port(port_).submissions;
  const std::uint32_t count = available(ring, taken_);
  if (count == 0) return Take::kNothing;
  const std::uint32_t slots = region_->shape().slots;
  if (count > slots) return Take::kBroken;
  const std::uint32_t slot = ring.slots[taken_ % kSlotsMax];
  // Relaxed: the slot came round through the rings, whose release and acquire order the two threads.
  if (slot >= slots || ours_[slot].load(std::memory_order_relaxed)) return Take::kBroken;
  ++taken_;
  ours_[slot].store(true, std::memory_order_relaxed);
  const SlotRecord& record = region_->record(port_, slot);
  submission = {slot, record.load_id, record.events, record.submit_ns};
  return Take::kSlot;
}

bool CardPort::waiting() const noexcept {
  return available(region_->port(port_).submissions, taken_) != 0;
}

void CardPort::complete(const Completion& completion) noexcept {
  const std::uint32_t slot = completion.slot;
  KANTRIG_ASSERT(slot < region_->shape().slots && ours_[slot].load(std::memory_order_relaxed));
  SlotRecord& record = region_->record(port_, slot);
  record.status = completion.status;
  record.error = completion.error;
  record.taken_ns = completion.taken_ns;
  record.copied_in_ns = completion.copied_in_ns;
  record.started_ns = completion.started_ns;
  record.finished_ns = completion.finished_ns;
  record.completed_ns = completion.completed_ns;
  ours_[slot].store(false, std::memory_order_relaxed);
  PortBlock& block = region_->port(port_);
  put(block.completions, completed_, slot);
  ring_if_asleep(block.daemon.asleep, daemon_);
}

void prepare_card_to_sleep(Region& region) noexcept {
  announce_sleep(region.header().card.asleep);
}

void card_awake(Region& region) noexcept {
  region.header().card.asleep.store(0, std::memory_order_relaxed);
}

}  // namespace kantrig::card_link
