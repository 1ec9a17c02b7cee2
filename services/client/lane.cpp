#include "client/lane.hpp"

#include "base/assert.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace kantrig::client {
namespace {

constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr std::uint64_t kHelloAgainNs = 1'000 * kMillisecond;
constexpr std::uint64_t kNoWelcomeNs =
    5'000 * kMillisecond;  // then it starts over at the configured endpoint
constexpr std::uint64_t kResendAfterMaxNs = 30'000 * kMillisecond;
constexpr std::uint32_t kRedirectsMax = 4;
constexpr std::size_t kMessagesPerStep = 256;
constexpr std::size_t kBatchesPerStep = 64;
constexpr std::size_t kNameBytesMax = 256;

std::uint64_t random_number() noexcept {
  std::uint64_t number = 0;
  KANTRIG_ASSERT(getrandom(&number, sizeof number, 0) == static_cast<ssize_t>(sizeof number));
  return number;
}

/// Names this client to the daemon's ROUTER. Does not start with 0, which ZeroMQ keeps to itself.
std::array<std::byte, 17> routing_id(SourceId source, LaneId lane, std::uint64_t instance) noexcept {
  std::array<std::byte, 17> id{std::byte{'k'}};
  std::memcpy(id.data() + 1, &source.value, 4);
  std::memcpy(id.data() + 5, &lane.value, 4);
  std::memcpy(id.data() + 9, &instance, 8);
  return id;
}

Result<Connection> connect(const Options& options, wire::Context& context, const std::string& endpoint,
                           std::uint64_t instance) {
  return Connection::open(context, endpoint, routing_id(options.source, options.lane, instance),
                          options.kernel_buffer_bytes);
}

}  // namespace

Result<Lane> Lane::open(const Options& options, wire::Context& context, const base::Clock& clock) {
  const std::uint64_t instance = random_number();
  auto connection = connect(options, context, options.endpoint, instance);
  if (!connection) return tl::unexpected<Error>(connection.error());
  return Lane(options, context, clock, std::move(*connection), instance);
}

Lane::Lane(const Options& options, wire::Context& context, const base::Clock& clock, Connection connection,
           std::uint64_t instance)
    : options_(options),
      context_(&context),
      clock_(&clock),
      instance_(instance),
      connection_(std::move(connection)),
      window_(options.batches_pending_max),
      latency_(std::make_unique<base::LatencyHistogram>()),
      now_ns_(clock.now_ns()),
      state_since_ns_(now_ns_),
      resend_after_ns_(options.resend_after_ms * kMillisecond) {}

std::size_t Lane::step() {
  if (delivering_) return 0;  // called from a callback
  now_ns_ = clock_->now_ns();
  if (connection_.lost()) start_greeting();
  const std::size_t received = receive_some();
  tend_timers();
  return received + pump();
}

void Lane::reopen(const std::string& endpoint) {
  auto connection = connect(options_, *context_, endpoint, instance_);
  if (connection) {
    connection_ = std::move(*connection);
  } else {
    refusal_ = connection.error();  // an endpoint that the daemon named and that is none
  }
  start_greeting();
}

void Lane::start_greeting() noexcept {
  if (state_ == State::kOpen) ++statistics_.reconnects;
  state_ = State::kConnecting;
  state_since_ns_ = now_ns_;
  heartbeat_ns_ = 0;
  bye_sent_ = false;
  window_.lose_copies();
}

bool Lane::send_hello() noexcept {
  const std::string_view name = std::string_view(options_.name).substr(0, kNameBytesMax);
  std::array<std::byte, wire::kClientMessageBytesMax + kNameBytesMax> room{};
  const std::size_t bytes =
      wire::encode_hello({wire::kProtocol, options_.source, options_.lane, name, instance_}, room);
  if (!connection_.send(std::span(room).first(bytes))) return false;
  hello_ns_ = now_ns_;
  last_sent_ns_ = now_ns_;
  return true;
}

std::size_t Lane::receive_some() {
  std::size_t count = 0;
  while (count < kMessagesPerStep && connection_.receive(frame_)) {
    heartbeat_ns_ = 0;  // whatever it is, somebody is there
    on_message(decoder_.decode(frame_.bytes()));
    ++count;
  }
  return count;
}

void Lane::on_message(const wire::ServerMessage& message) {
  switch (message.kind) {
    case wire::ServerMessageKind::kWelcome:
      return on_welcome(message.welcome);
    case wire::ServerMessageKind::kDecision:
      return on_decision(message.decision);
    case wire::ServerMessageKind::kCredit:
      return take_credit(message.credit, /*unasked=*/true);
    case wire::ServerMessageKind::kBye:
      if (bye_sent_) bye_echo_ = message.bye;
      return;
    case wire::ServerMessageKind::kHeartbeat:
    case wire::ServerMessageKind::kMalformed:
      return;
  }
}

void Lane::on_welcome(const wire::WelcomeView& welcome) {
  if (state_ != State::kGreeting) return;  // of a Hello that was said twice
  if (welcome.reason != wire::Reason::kNone) {
    refusal_ = Error{ErrorCode::kBusy,
                     fmt::format("{}: the daemon refuses source {} lane {}: {}: {}", connection_.endpoint(),
                                 options_.source.value, options_.lane.value, wire::name_of(welcome.reason),
                                 welcome.detail)};
    return;  // said again after kHelloAgainNs
  }
  if (!welcome.endpoint.empty() && welcome.endpoint != connection_.endpoint()) {
    if (redirects_++ < kRedirectsMax) return reopen(std::string(welcome.endpoint));
    refusal_ = Error{ErrorCode::kBusy, fmt::format("{}: sent from endpoint to endpoint {} times, now to {}",
                                                   options_.endpoint, kRedirectsMax, welcome.endpoint)};
    return;
  }
  refusal_.reset();
  redirects_ = 0;
  state_ = State::kOpen;
  state_since_ns_ = now_ns_;
  session_ = Session::of(welcome, connection_.endpoint());
  if (!std::exchange(welcomed_before_, true)) {
    window_.renumber(welcome.next_sequence);
  } else if (!window_.is_plausible_next(welcome.next_sequence)) {
    lose_books(welcome.next_sequence);
  }
  take_credit(welcome.credit, /*unasked=*/true);
}

void Lane::take_credit(const wire::Credit& credit, bool unasked) noexcept {
  const bool went = credit_.events > 0;
  credit_ = credit;
  credit_max_.events = std::max(credit_max_.events, credit.events);
  credit_max_.bytes = std::max(credit_max_.bytes, credit.bytes);
  if (credit.events > 0) {
    drain_ack_due_ = false;
  } else if (went || unasked) {
    drain_ack_due_ = true;
  }
}

void Lane::on_decision(const wire::DecisionView& decision) {
  if (decision.reason != wire::Reason::kNotWelcomed) take_credit(decision.credit, /*unasked=*/false);
  if (wire::is_passing(decision.reason)) return on_passing(decision);
  auto batch = window_.take(decision.sequence);
  if (!batch) {
    ++statistics_.answers_ignored;
    return;
  }
  resend_after_ns_ = options_.resend_after_ms * kMillisecond;
  Outcome outcome = Outcome::kDecided;
  if (decision.reason == wire::Reason::kSequenceOld) {
    outcome = Outcome::kUnknown;  // it was decided, but the answer is no longer kept
  } else if (decision.reason != wire::Reason::kNone) {
    outcome = Outcome::kRefused;
  }
  deliver(*batch, outcome, decision);
}

void Lane::on_passing(const wire::DecisionView& decision) {
  ++statistics_.answers_passing;
  if (!window_.hold_back(decision.sequence)) return;
  switch (decision.reason) {
    case wire::Reason::kNotWelcomed:
      if (state_ == State::kOpen) state_ = State::kConnecting;  // says Hello again, on the same connection
      return;
    case wire::Reason::kSequenceGap:
      if (decision.expected_sequence.value == 0 || window_.is_plausible_next(decision.expected_sequence))
        return;
      return lose_books(decision.expected_sequence);
    default:
      held_until_ns_ = now_ns_ + options_.retry_after_ms * kMillisecond;
      return;
  }
}

void Lane::lose_books(Sequence next) {
  ++statistics_.books_lost;
  wire::DecisionView nothing;
  nothing.detail = "the daemon no longer has the books of this lane";
  while (auto batch = window_.take_oldest_sent()) deliver(*batch, Outcome::kUnknown, nothing);
  window_.renumber(next);
}

void Lane::deliver(PendingBatch& batch, Outcome outcome, const wire::DecisionView& decision) {
  Answer answer;
  answer.outcome = outcome;
  answer.sequence = batch.header.sequence;
  answer.first_event_id = batch.header.first_event_id;
  answer.event_count = batch.header.event_count;
  answer.round_trip_ns = outcome == Outcome::kDecided ? now_ns_ - batch.first_sent_ns : 0;
  answer.decision = decision;
  count(batch, outcome, decision);
  if (outcome == Outcome::kDecided) latency_->observe_ns(answer.round_trip_ns);
  if (!batch.on_answer) return;
  const bool outer = std::exchange(delivering_, true);
  batch.on_answer(answer);
  delivering_ = outer;
}

void Lane::count(const PendingBatch& batch, Outcome outcome, const wire::DecisionView& d) noexcept {
  if (outcome == Outcome::kClosed) return;
  ++statistics_.batches_answered;
  const std::uint64_t events = batch.header.event_count;
  if (outcome == Outcome::kUnknown) {
    statistics_.events_unknown += events;
    return;
  }
  const std::uint64_t counted = std::uint64_t{d.accepted_count} + d.rejected_count + d.malformed_count;
  const std::uint64_t refused = events > counted ? events - counted : 0;
  statistics_.events_accepted += d.accepted_count;
  statistics_.events_rejected += d.rejected_count;
  statistics_.events_malformed += d.malformed_count;
  statistics_.events_refused += refused;
  if (d.run.value > run_counts_.run.value)
    run_counts_ = {options_.source, options_.lane, d.run, 0, 0, 0, 0, 0};
  if (d.run.value != 0 && d.run != run_counts_.run) return;  // a late answer of a run before
  run_counts_.events_sent += events;
  run_counts_.events_accepted += d.accepted_count;
  run_counts_.events_rejected += d.rejected_count;
  run_counts_.events_malformed += d.malformed_count;
  run_counts_.events_refused += refused;
}

void Lane::tend_timers() {
  if (state_ == State::kGreeting) {
    if (now_ns_ - state_since_ns_ > kNoWelcomeNs) {
      reopen(options_.endpoint);
    } else if (now_ns_ - hello_ns_ > kHelloAgainNs) {
      static_cast<void>(send_hello());  // if it does not go out now, it will at the next step
    }
  }
  if (state_ == State::kConnecting && connection_.endpoint() != options_.endpoint &&
      now_ns_ - state_since_ns_ > kNoWelcomeNs) {
    reopen(options_.endpoint);  // the shard that we were sent to is no more
  }
  if (state_ != State::kOpen) return;
  beat();
  const std::uint64_t oldest_ns = window_.oldest_sent_ns();
  if (oldest_ns != 0 && now_ns_ - oldest_ns > resend_after_ns_) {
    ++statistics_.resend_timeouts;
    resend_after_ns_ = std::min(resend_after_ns_ * 2, kResendAfterMaxNs);
    window_.lose_copies();
  }
}

void Lane::beat() noexcept {
  const std::uint64_t interval_ns = session_.heartbeat_interval_ms * kMillisecond;
  if (interval_ns == 0) return;
  const std::uint64_t silence_max_ns =
      options_.silence_max_ms != 0 ? options_.silence_max_ms * kMillisecond : 3 * interval_ns;
  if (heartbeat_ns_ != 0 && now_ns_ - heartbeat_ns_ > silence_max_ns) return reopen(options_.endpoint);
  if (now_ns_ - last_sent_ns_ < interval_ns) return;
  std::array<std::byte, wire::kClientMessageBytesMax> room{};
  const std::size_t bytes = wire::encode_heartbeat({++heartbeat_number_}, room);
  if (connection_.send(std::span(room).first(bytes))) last_sent_ns_ = now_ns_;
  if (heartbeat_ns_ == 0) heartbeat_ns_ = now_ns_;  // counts as silence even if it could not be sent
}

bool Lane::has_room(std::size_t payload_bytes) const noexcept {
  return !window_.full() &&
         (window_.empty() || window_.pending_bytes() + payload_bytes <= options_.bytes_pending_max);
}

Sequence Lane::enqueue(PendingBatch batch) {
  batch.header.protocol_version = wire::kProtocol;
  batch.header.source = options_.source;
  batch.header.lane = options_.lane;
  return window_.push(std::move(batch)).header.sequence;
}

std::size_t Lane::pump() {
  if (delivering_) return 0;
  now_ns_ = clock_->now_ns();
  if (state_ == State::kConnecting && send_hello()) {
    state_ = State::kGreeting;
    state_since_ns_ = now_ns_;
  }
  blocked_ = false;
  if (state_ != State::kOpen) return 0;
  if (drain_ack_due_) send_drain_ack();
  if (closing_ && !bye_sent_ && window_.empty()) send_bye();
  if (now_ns_ < held_until_ns_) return 0;
  std::size_t count = 0;
  for (; count < kBatchesPerStep; ++count) {
    PendingBatch* batch = window_.next_to_send(credit_);
    if (batch == nullptr) break;
    if (!send_batch(*batch)) {
      blocked_ = true;
      break;
    }
  }
  return count;
}

bool Lane::send_batch(PendingBatch& batch) noexcept {
  batch.header.send_time_ns = clock_->unix_ns();
  std::array<std::byte, wire::kClientMessageBytesMax> room{};
  const std::size_t bytes = wire::encode_header(batch.header, room);
  if (!connection_.send(std::span(room).first(bytes), batch.payload)) return false;
  if (batch.first_sent_ns == 0) {
    ++statistics_.batches_sent;
    statistics_.events_sent += batch.header.event_count;
  } else {
    ++statistics_.batches_resent;
  }
  statistics_.bytes_sent += batch.payload.bytes().size();
  last_sent_ns_ = now_ns_;
  window_.mark_sent(now_ns_);
  return true;
}

void Lane::send_drain_ack() noexcept {
  std::array<std::byte, wire::kClientMessageBytesMax> room{};
  const std::size_t bytes =
      wire::encode_drain_ack({options_.source, options_.lane, window_.last_sent()}, room);
  if (connection_.send(std::span(room).first(bytes))) drain_ack_due_ = false;
}

void Lane::send_bye() noexcept {
  std::array<std::byte, wire::kClientMessageBytesMax> room{};
  const std::size_t bytes = wire::encode_bye(own_counts(), room);
  bye_sent_ = connection_.send(std::span(room).first(bytes));
}

wire::Bye Lane::own_counts() const noexcept {
  wire::Bye counts = run_counts_;
  counts.source = options_.source;
  counts.lane = options_.lane;
  counts.events_sent += window_.sent_events();
  return counts;
}

void Lane::abandon(Outcome outcome) {
  const wire::DecisionView nothing;
  while (auto batch = window_.take_oldest()) deliver(*batch, outcome, nothing);
}

}  // namespace kantrig::client
