#include "backend/card/card_workspace.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace kantrig::backend {

CardWorkspace::CardWorkspace(const kan::Evaluator& evaluator, std::uint32_t events_max, CardSeat* seat,
                             const std::atomic<std::uint64_t>* load_id)
    : evaluator_(evaluator),
      seat_(seat),
      load_id_(load_id),
      space_(evaluator, events_max),
      scores_(evaluator.model()),
      check_space_(evaluator, kCheckEvents),
      check_codes_(std::size_t{kCheckEvents} * evaluator.model().input_count()),
      random_(seat == nullptr ? 0 : seat->state_of_shard_->options.seed) {
  const kan::Model& model = evaluator.model();
  if (model.output_stage && seat != nullptr) {
    node_stride_ = kan::padded_events(events_max);
    nodes_.resize(node_stride_ * model.node_count());
  }
  for (std::uint32_t k = 0; k < model.node_count() && seat != nullptr; ++k)
    columns_.push_back(model.output_stage ? nodes_.data() + k * node_stride_ : space_.output_column(k));
}

CardWorkspace::~CardWorkspace() {
  if (waiting_) seat_->state_of_shard_->let_go_elsewhere(room_.ticket);
}

std::uint32_t CardWorkspace::evaluate(const Payload& payload, kan::ClampCounts clamped) noexcept {
  KANTRIG_ASSERT(!waiting_);
  const std::uint32_t malformed = load_codes(evaluator_, payload, space_, clamped);
  events_ = payload.event_count;
  evaluate_here();
  return malformed;
}

std::uint32_t CardWorkspace::begin(const Payload& payload, kan::ClampCounts clamped,
                                   std::uint32_t backlog) noexcept {
  KANTRIG_ASSERT(!waiting_);
  const std::uint32_t malformed = load_codes(evaluator_, payload, space_, clamped);
  events_ = payload.event_count;
  if (!hand_over(backlog)) evaluate_here();
  return malformed;
}

/// True when the batch is on its way to the card, or was cheaper to decide at once. False: decide it here.
bool CardWorkspace::hand_over(std::uint32_t backlog) noexcept {
  if (seat_ == nullptr || events_ == 0) return false;
  const Route route = seat_->route();
  if (route == Route::kCpu) return false;
  CardSeat::State& state = *seat_->state_of_shard_;
  // Acquire: pairs with set_place(); the seat has its own copy of what belongs to it.
  const auto model = state.usable(load_id_->load(std::memory_order_acquire));
  if (!model) return false;
  Costs& costs = state.models[*model].costs;
  const std::uint64_t begin_ns = state.clock_ns();
  if (route == Route::kAuto && !costs.prefer_card(events_, state.lone(backlog))) {
    evaluate_here();
    const auto ns = static_cast<float>(state.clock_ns() - begin_ns);
    costs.cpu.learn(events_, ns / static_cast<float>(events_));
    return true;
  }
  const auto room = state.join(*model, events_);
  if (!room) {
    seat_->probe_.passed_over_batches.add(1);
    return false;
  }
  evaluator_.pack_codes(space_, state.models[*model].model->input(), room->records);
  room_ = *room;
  waiting_ = true;
  state.joined(*room, state.clock_ns() - begin_ns);
  return true;
}

bool CardWorkspace::done() noexcept {
  if (!waiting_) return true;
  switch (seat_->state_of_shard_->look(room_.ticket)) {
    case CardSeat::State::Look::kWaiting:
      return false;
    case CardSeat::State::Look::kBack:
      collect();
      return true;
    case CardSeat::State::Look::kVoid:
      take_over();
      return true;
  }
  return true;
}

void CardWorkspace::finish_now() noexcept {
  if (!waiting_) return;
  seat_->state_of_shard_->let_go(room_.ticket, 0);
  take_over();
}

void CardWorkspace::evaluate_here() noexcept {
  evaluator_.evaluate(space_);
  path_ = wire::Path::kCpu;
}

/// The card was to decide this batch, and does not.
void CardWorkspace::take_over() noexcept {
  waiting_ = false;
  evaluate_here();
  seat_->probe_.taken_over_batches.add(1);
  seat_->probe_.taken_over_events.add(events_);
}

void CardWorkspace::collect() noexcept {
  CardSeat::State& state = *seat_->state_of_shard_;
  const std::uint64_t begin_ns = state.clock_ns();
  const SeatSlot& slot = state.slot_of(room_.ticket);
  const kan::RecordLayout& layout = state.models[slot.model].model->output();
  const auto records = state.port->output(room_.ticket.slot).subspan(room_.first * layout.record_bytes());
  kan::unpack_records(layout, records, events_, columns_);
  if (!finish_nodes() || !cross_check()) {
    seat_->probe_.cross_check_failures.add(1);
    seat_->give_up(Trouble::kCrossCheck);
    return take_over();
  }
  waiting_ = false;
  path_ = wire::Path::kFpga;
  seat_->probe_.batches.add(1);
  seat_->probe_.events.add(events_);
  state.let_go(room_.ticket, state.clock_ns() - begin_ns);
}

/// From what the card gave to outputs and classes. False when that is nothing that the model can give.
bool CardWorkspace::finish_nodes() noexcept {
  if (nodes_.empty()) return scores_.classify(columns_, events_, space_.class_column());
  if (!scores_.possible(columns_, events_)) return false;
  evaluator_.score_nodes({nodes_.data(), node_stride_}, space_);
  return true;
}

/// Compares a sample of the batch with what the CPU says. Which events, nobody at the card can know.
bool CardWorkspace::cross_check() noexcept {
  const double fraction = seat_->state_of_shard_->options.cross_check;
  check_due_ += fraction * static_cast<double>(events_);
  const std::uint32_t events =
      fraction >= 1.0 ? events_ : static_cast<std::uint32_t>(std::min<double>(check_due_, events_));
  if (events == 0) return true;
  check_due_ = std::max(0.0, check_due_ - events);
  seat_->probe_.cross_checked_events.add(events);
  std::uint32_t first = static_cast<std::uint32_t>(random_() % (events_ - events + 1));
  const std::uint32_t end = first + events;
  for (; first < end; first += kCheckEvents) {
    if (!agrees(first, std::min(kCheckEvents, end - first))) return false;
  }
  return true;
}

bool CardWorkspace::agrees(std::uint32_t first, std::uint32_t events) noexcept {
  const auto codes = std::span(check_codes_).first(std::size_t{events} * evaluator_.model().input_count());
  evaluator_.copy_codes(space_, first, codes);
  evaluator_.load_code16(std::as_bytes(codes), events, check_space_);
  evaluator_.evaluate(check_space_);
  for (std::uint32_t k = 0; k < evaluator_.model().output_count(); ++k) {
    const std::int16_t* const given = space_.outputs(k) + first;
    if (!std::equal(given, given + events, check_space_.outputs(k))) return false;
  }
  return true;
}

}  // namespace kantrig::backend
