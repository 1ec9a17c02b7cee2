#include "backend/card/card_seat.hpp"

#include <algorithm>
#include <utility>

#include "backend/card/seat_state.hpp"
#include "base/assert.hpp"

namespace kantrig::backend {
namespace {

constexpr std::uint64_t kNsPerMs = 1'000'000;

}  // namespace

std::string_view name_of(Trouble trouble) noexcept {
  switch (trouble) {
    case Trouble::kNone:
      return "none";
    case Trouble::kDeadline:
      return "deadline";
    case Trouble::kSlotFailed:
      return "slot_failed";
    case Trouble::kCanary:
      return "canary";
    case Trouble::kCrossCheck:
      return "cross_check";
    case Trouble::kProtocol:
      return "protocol";
  }
  return "unknown";
}

CardSeat::CardSeat(SeatOptions options) : state_of_shard_(std::make_unique<State>(*this, options)) {}
CardSeat::~CardSeat() = default;

bool CardSeat::offer(std::unique_ptr<card_link::DaemonPort> port) {
  KANTRIG_ASSERT(port != nullptr);
  clear_retired();
  if (offered_) return false;
  // Relaxed: the order that follows publishes it. A wish to withdraw was for the port before.
  withdraw_.store(false, std::memory_order_relaxed);
  Order order;
  order.port = std::move(port);
  offered_ = orders_.try_push(std::move(order));
  return offered_;
}

void CardSeat::withdraw() noexcept {
  withdraw_.store(true, std::memory_order_release);  // pairs with the load in poll()
}

std::unique_ptr<card_link::DaemonPort> CardSeat::returned() {
  clear_retired();
  auto port = returned_.try_pop();
  if (!port) return nullptr;
  offered_ = false;
  return std::move(*port);
}

bool CardSeat::place(std::unique_ptr<SeatModel>&& model) {
  clear_retired();
  Order order;
  order.model = std::move(model);
  if (orders_.try_push(std::move(order))) return true;
  model = std::move(order.model);
  return false;
}

void CardSeat::drop(std::uint64_t load_id) {
  clear_retired();
  Order order;
  order.drop = load_id;
  // When the shard has too many orders to read the model stays there unused, at most as long as the port.
  (void)orders_.try_push(std::move(order));
}

void CardSeat::clear_retired() {
  while (retired_.try_pop()) {
  }
}

void CardSeat::poll(std::uint64_t now_ns) noexcept {
  State& state = *state_of_shard_;
  state.now_ns = now_ns;
  // Acquire: pairs with withdraw(). Without a port the wish is left alone: it may be for one that is coming.
  if (state.port && withdraw_.load(std::memory_order_acquire)) give_up(Trouble::kNone);
  for (std::size_t n = 0; n < kOrdersMax; ++n) {
    auto order = orders_.try_pop();
    if (!order) break;
    state.follow(*order);
  }
  if (!state.port) return;
  Trouble trouble = state.take_back();
  if (trouble == Trouble::kNone && state.late()) trouble = Trouble::kDeadline;
  if (trouble != Trouble::kNone) return give_up(trouble);
  if (state.open && now_ns - state.slots[*state.open].opened_ns >= state.options.join_ns) state.submit_open();
  state.prove();
  probe_.slots_in_flight.set(static_cast<double>(state.port->in_flight_count()));
}

void CardSeat::flush(std::uint64_t now_ns) noexcept {
  State& state = *state_of_shard_;
  state.now_ns = std::max(state.now_ns, now_ns);
  if (state.port && state.open && state.batches_in_flight == 0) state.submit_open();
}

std::uint32_t CardSeat::sleep_ms(std::uint64_t now_ns, std::uint32_t at_most_ms) const noexcept {
  const State& state = *state_of_shard_;
  if (!state.port) return at_most_ms;
  std::uint64_t next_ns = state.next_proof_ns();
  for (const SeatSlot& slot : state.slots_there()) {
    if (slot.use == SlotUse::kOpen) next_ns = std::min(next_ns, slot.opened_ns + state.options.join_ns);
    if (slot.use == SlotUse::kInFlight)
      next_ns = std::min(next_ns, slot.submit_ns + state.options.deadline_ns);
  }
  if (next_ns <= now_ns) return 0;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(at_most_ms, (next_ns - now_ns) / kNsPerMs));
}

bool CardSeat::prepare_to_sleep() noexcept {
  return !state_of_shard_->port || state_of_shard_->port->prepare_to_sleep();
}

void CardSeat::awake() noexcept {
  if (state_of_shard_->port) state_of_shard_->port->awake();
}

/// From here on all claims are void: whoever holds one decides on the CPU.
void CardSeat::give_up(Trouble trouble) noexcept {
  State& state = *state_of_shard_;
  trouble_.store(trouble, std::memory_order_release);
  state_.store(SeatState::kEmpty, std::memory_order_release);
  state.lose_port();
  probe_.slots_in_flight.set(0.0);
  const bool pushed = returned_.try_push(std::move(state.port));
  KANTRIG_ASSERT(pushed);  // there is one port at a time
}

CardSeat::State::State(CardSeat& seat, const SeatOptions& seat_options)
    : owner(seat),
      options(seat_options),
      clock(options.clock != nullptr ? *options.clock : seat.system_clock_),
      probe(seat.probe_) {}

void CardSeat::State::follow(Order& order) noexcept {
  if (order.port) {
    KANTRIG_ASSERT(!port);
    port = std::move(order.port);
    next_canary_ns = now_ns;
    owner.state_.store(SeatState::kProving, std::memory_order_release);
  } else if (order.model) {
    add_model(std::move(order.model));
  } else {
    for (ModelPlace& place : models) {
      if (!place.model || place.model->load_id() != order.drop) continue;
      place.dropped = true;
      retire(place);
    }
  }
}

void CardSeat::State::lose_port() noexcept {
  for (SeatSlot& slot : slots) free(slot);
  for (ModelPlace& place : models) {
    place.slots = 0;
    place.dropped = true;
    retire(place);
  }
  open.reset();
  last_used.reset();
  batches_in_flight = 0;
  golden_in_flight = false;
}

/// Into a free place, or that of the model that no event used for the longest time.
void CardSeat::State::add_model(std::unique_ptr<SeatModel> model) noexcept {
  ModelPlace* best = nullptr;
  for (ModelPlace& place : models) {
    if (place.slots > 0) continue;
    const bool better = best == nullptr || (best->model && (!place.model || place.used_ns < best->used_ns));
    if (better) best = &place;
  }
  if (best == nullptr || !port) {  // it is of a link that is gone, or every place is in use
    const bool pushed = owner.retired_.try_push(std::move(model));
    KANTRIG_ASSERT(pushed);
    return;
  }
  best->dropped = true;
  retire(*best);
  best->model = std::move(model);
  best->used_ns = now_ns;
  best->next_try_ns = now_ns;
}

/// Empties a dropped place that no slot uses. The ring holds all models that there can be.
void CardSeat::State::retire(ModelPlace& place) noexcept {
  if (!place.dropped || place.slots > 0) return;
  if (place.model) {
    const bool pushed = owner.retired_.try_push(std::move(place.model));
    KANTRIG_ASSERT(pushed);
  }
  const auto index = static_cast<std::uint32_t>(&place - models.data());
  if (last_used == index) last_used.reset();
  place = ModelPlace{};
}

}  // namespace kantrig::backend
