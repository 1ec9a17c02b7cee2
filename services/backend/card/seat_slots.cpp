// CardSeat::State: slots on their way, and golden vectors.
#include <algorithm>
#include <limits>

#include "backend/card/seat_state.hpp"
#include "base/assert.hpp"

namespace kantrig::backend {
namespace {

using card_link::Completion;
using card_link::SlotStatus;
using card_link::Take;

constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kProofRetryNs = 50'000'000;  // when the card was not ready with the model after all
constexpr std::size_t kWordBytes = 64;

constexpr std::uint64_t serial_of(std::uint64_t claims) noexcept {
  return claims >> SeatSlot::kLetGoBits;
}
constexpr std::uint64_t let_go_count(std::uint64_t claims) noexcept {
  return claims & SeatSlot::kJoinedMax;
}

/// Bits of another's record would be read otherwise when a slot is shorter than the one before it.
void pad(std::span<std::byte> records, std::size_t used) noexcept {
  const std::size_t end = std::min(records.size(), (used + kWordBytes - 1) / kWordBytes * kWordBytes);
  std::ranges::fill(records.subspan(used, end - used), std::byte{0});
}

}  // namespace

std::optional<std::uint32_t> CardSeat::State::usable(std::uint64_t load_id) noexcept {
  if (!port || load_id == 0) return std::nullopt;
  for (std::uint32_t m = 0; m < models.size(); ++m) {
    const ModelPlace& place = models[m];
    if (place.model && place.proven && !place.dropped && place.model->load_id() == load_id) return m;
  }
  return std::nullopt;
}

bool CardSeat::State::lone(std::uint32_t backlog) const noexcept {
  return backlog == 0 && batches_in_flight == 0 && !open;
}

std::uint32_t CardSeat::State::capacity_of(const SeatModel& model) const noexcept {
  const card_link::RegionShape& shape = port->shape();
  const std::uint64_t in = shape.input_bytes / model.input().record_bytes();
  const std::uint64_t out = shape.output_bytes / model.output().record_bytes();
  return static_cast<std::uint32_t>(std::min(in, out));
}

std::optional<std::uint32_t> CardSeat::State::free_slot() const noexcept {
  for (std::uint32_t s = 0; s < port->shape().slots; ++s) {
    // A slot that was lost to its batches may still be with the card.
    if (slots[s].use == SlotUse::kFree && !port->in_flight(s)) return s;
  }
  return std::nullopt;
}

SeatSlot& CardSeat::State::begin_slot(std::uint32_t number, std::uint32_t model) noexcept {
  SeatSlot& slot = slots[number];
  slot.use = SlotUse::kOpen;
  slot.golden = false;
  slot.model = model;
  slot.events = 0;
  slot.events_max = capacity_of(*models[model].model);
  slot.joined = 0;
  slot.opened_ns = now_ns;
  slot.host_ns = 0;
  // Release: pairs with let_go_elsewhere(), which gives up when the serial is not its own.
  slot.claims.store(next_serial++ << SeatSlot::kLetGoBits, std::memory_order_release);
  ++models[model].slots;
  return slot;
}

void CardSeat::State::free(SeatSlot& slot) noexcept {
  slot.use = SlotUse::kFree;
  slot.claims.store(0, std::memory_order_release);  // no claim is good any more
}

std::optional<CardSeat::State::Room> CardSeat::State::join(std::uint32_t model,
                                                           std::uint32_t events) noexcept {
  if (open) {
    const SeatSlot& slot = slots[*open];
    if (slot.model != model || events > slot.events_max - slot.events) submit_open();
  }
  if (!open) {
    if (events > capacity_of(*models[model].model)) return std::nullopt;
    const auto number = free_slot();
    if (!number) return std::nullopt;
    (void)begin_slot(*number, model);
    open = number;
  }
  SeatSlot& slot = slots[*open];
  const std::size_t record_bytes = models[model].model->input().record_bytes();
  Room room;
  room.ticket = {*open, serial_of(slot.claims.load(std::memory_order_relaxed))};
  room.first = slot.events;
  room.records = port->input(*open).subspan(slot.events * record_bytes, events * record_bytes);
  slot.events += events;
  ++slot.joined;
  models[model].used_ns = now_ns;
  last_used = model;
  return room;
}

void CardSeat::State::joined(const Room& room, std::uint64_t ns) noexcept {
  SeatSlot& slot = slots[room.ticket.slot];
  slot.host_ns += ns;
  if (slot.events == slot.events_max || slot.joined == SeatSlot::kJoinedMax) submit_open();
}

void CardSeat::State::submit_open() noexcept {
  const std::uint32_t number = *open;
  open.reset();
  SeatSlot& slot = slots[number];
  // Acquire: pairs with let_go_elsewhere().
  if (let_go_count(slot.claims.load(std::memory_order_acquire)) == slot.joined) {  // nobody waits for it
    --models[slot.model].slots;
    retire(models[slot.model]);
    return free(slot);
  }
  const std::uint64_t begin_ns = clock_ns();
  submit(number);
  ++batches_in_flight;
  slot.host_ns += clock_ns() - begin_ns;
}

void CardSeat::State::submit(std::uint32_t number) noexcept {
  SeatSlot& slot = slots[number];
  const SeatModel& model = *models[slot.model].model;
  pad(port->input(number), slot.events * model.input().record_bytes());
  slot.use = SlotUse::kInFlight;
  slot.submit_ns = now_ns;
  port->submit(number, model.load_id(), slot.events, now_ns);
}

CardSeat::State::Look CardSeat::State::look(const SeatTicket& ticket) const noexcept {
  const SeatSlot& slot = slots[ticket.slot];
  if (serial_of(slot.claims.load(std::memory_order_relaxed)) != ticket.serial) return Look::kVoid;
  return slot.use == SlotUse::kBack ? Look::kBack : Look::kWaiting;
}

void CardSeat::State::let_go_elsewhere(const SeatTicket& ticket) noexcept {
  std::atomic<std::uint64_t>& claims = slots[ticket.slot].claims;
  std::uint64_t seen = claims.load(std::memory_order_acquire);
  // Until it is counted, or the claim is void. Release: the shard reuses the slot after it has seen this.
  while (serial_of(seen) == ticket.serial &&
         !claims.compare_exchange_weak(seen, seen + 1, std::memory_order_acq_rel)) {
  }
}

void CardSeat::State::let_go(const SeatTicket& ticket, std::uint64_t ns) noexcept {
  SeatSlot& slot = slots[ticket.slot];
  if (look(ticket) == Look::kVoid) return;
  slot.host_ns += ns;
  let_go_elsewhere(ticket);
  reap(ticket.slot);
}

/// Frees a slot that is back when the last of its batches has let go.
void CardSeat::State::reap(std::uint32_t number) noexcept {
  SeatSlot& slot = slots[number];
  if (slot.use != SlotUse::kBack) return;
  if (let_go_count(slot.claims.load(std::memory_order_acquire)) != slot.joined) return;
  ModelPlace& place = models[slot.model];
  if (slot.events > 0 && slot.joined > 0)
    place.costs.host.learn(slot.events / slot.joined,
                           static_cast<float>(slot.host_ns) / static_cast<float>(slot.events));
  --place.slots;
  retire(place);
  free(slot);
}

Trouble CardSeat::State::take_back() noexcept {
  for (std::uint32_t s = 0; s < port->shape().slots; ++s) reap(s);  // let go of elsewhere
  for (std::uint32_t n = 0; n < port->shape().slots; ++n) {
    Completion completion;
    switch (port->take(completion)) {
      case Take::kNothing:
        return Trouble::kNone;
      case Take::kBroken:
        return Trouble::kProtocol;
      case Take::kSlot:
        break;
    }
    if (const Trouble trouble = came_back(completion); trouble != Trouble::kNone) return trouble;
  }
  return Trouble::kNone;
}

Trouble CardSeat::State::came_back(const Completion& completion) noexcept {
  SeatSlot& slot = slots[completion.slot];
  KANTRIG_ASSERT(slot.use == SlotUse::kInFlight);
  ModelPlace& place = models[slot.model];
  if (!slot.golden) --batches_in_flight;
  if (completion.status == SlotStatus::kNotLoaded) {  // no fault: the CPU decides until it is proven anew
    place.proven = false;
    place.next_try_ns = now_ns + kProofRetryNs;
    if (slot.golden) golden_in_flight = false;
    --place.slots;
    retire(place);
    free(slot);
    return Trouble::kNone;
  }
  if (completion.status != SlotStatus::kDone) return Trouble::kSlotFailed;
  place.costs.latency.learn(slot.events, static_cast<float>(now_ns - slot.submit_ns));
  if (slot.golden) return golden_came_back(completion.slot, slot);
  observe(completion);
  slot.use = SlotUse::kBack;
  reap(completion.slot);  // when nobody waits for it any more
  return Trouble::kNone;
}

void CardSeat::State::observe(const Completion& completion) noexcept {
  probe.slots.add(1);
  probe.slot.observe_ns(now_ns - slots[completion.slot].submit_ns);
  // The card's own words: left out where they cannot be.
  const auto stage = [](base::LatencyHistogram& histogram, std::uint64_t begin_ns, std::uint64_t end_ns) {
    if (begin_ns <= end_ns) histogram.observe_ns(end_ns - begin_ns);
  };
  stage(probe.queueing, completion.submit_ns, completion.taken_ns);
  stage(probe.copy_in, completion.taken_ns, completion.copied_in_ns);
  stage(probe.fabric, completion.started_ns, completion.finished_ns);
  stage(probe.copy_out, completion.finished_ns, completion.completed_ns);
}

bool CardSeat::State::late() const noexcept {
  return std::ranges::any_of(slots_there(), [this](const SeatSlot& slot) {
    return slot.use == SlotUse::kInFlight && now_ns >= slot.submit_ns + options.deadline_ns;
  });
}

std::optional<std::uint32_t> CardSeat::State::due_for_proof() const noexcept {
  for (std::uint32_t m = 0; m < models.size(); ++m) {
    const ModelPlace& place = models[m];
    if (place.model && !place.dropped && !place.proven && place.next_try_ns <= now_ns) return m;
  }
  if (now_ns < next_canary_ns) return std::nullopt;
  if (last_used && models[*last_used].proven && !models[*last_used].dropped) return last_used;
  for (std::uint32_t m = 0; m < models.size(); ++m) {
    if (models[m].model && models[m].proven && !models[m].dropped) return m;
  }
  return std::nullopt;
}

std::uint64_t CardSeat::State::next_proof_ns() const noexcept {
  if (golden_in_flight) return kNever;  // the deadline counts
  std::uint64_t next_ns = kNever;
  for (const ModelPlace& place : models) {
    if (!place.model || place.dropped) continue;
    next_ns = std::min(next_ns, place.proven ? next_canary_ns : place.next_try_ns);
  }
  return next_ns;
}

/// Sends golden vectors when they are due: one slot of them at a time.
void CardSeat::State::prove() noexcept {
  if (golden_in_flight) return;
  const auto model = due_for_proof();
  if (!model) return;
  const auto number = free_slot();
  if (!number) return;
  ModelPlace& place = models[*model];
  SeatSlot& slot = begin_slot(*number, *model);
  slot.golden = true;
  slot.events = place.model->write_golden(port->input(*number), slot.events_max);
  if (slot.events == 0) {  // a slot is too small for a single record of this model
    place.dropped = true;
    --place.slots;
    free(slot);
    return retire(place);
  }
  golden_in_flight = true;
  next_canary_ns = now_ns + options.canary_ns;
  submit(*number);
}

Trouble CardSeat::State::golden_came_back(std::uint32_t number, SeatSlot& slot) noexcept {
  ModelPlace& place = models[slot.model];
  const bool right = place.model->is_golden(port->output(number), slot.events);
  (right ? probe.canaries_passed : probe.canaries_failed).add(1);
  if (!right) return Trouble::kCanary;
  golden_in_flight = false;
  place.proven = true;
  --place.slots;
  retire(place);
  free(slot);
  owner.state_.store(SeatState::kUp, std::memory_order_release);
  return Trouble::kNone;
}

}  // namespace kantrig::backend
