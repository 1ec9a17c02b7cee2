#include "client/client.hpp"

#include "client/lane.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

namespace kantrig::client {
namespace {

constexpr std::uint32_t kTickMs = 10;  // how long a wait may put off the timers

/// What is wrong with `batch` before it is sent; nothing when it may go.
std::optional<Error> fault_of(const Batch& batch, const Session& session, const wire::Credit& credit_max) {
  const std::uint64_t bytes = batch.payload.bytes().size();
  const std::uint64_t row_bytes = std::uint64_t{batch.feature_count} * wire::value_bytes(batch.encoding);
  const auto invalid = [](std::string message) {
    return Error{ErrorCode::kInvalid, "submit: " + std::move(message)};
  };
  if (batch.event_count == 0 || row_bytes == 0) return invalid("expected at least one event and one feature");
  if (bytes % row_bytes != 0 || bytes / row_bytes != batch.event_count) {
    return invalid(fmt::format("payload of {} bytes, expected {} events x {} features x {} bytes", bytes,
                               batch.event_count, batch.feature_count, wire::value_bytes(batch.encoding)));
  }
  const bool limited = session.events_per_batch_max != 0;
  if (limited && batch.event_count > session.events_per_batch_max) {
    return invalid(fmt::format("{} events, expected at most {} a batch", batch.event_count,
                               session.events_per_batch_max));
  }
  const bool granted = credit_max.events != 0;  // while draining the credit says nothing
  if (granted && (batch.event_count > credit_max.events || bytes > credit_max.bytes)) {
    return invalid(fmt::format("{} events in {} bytes, expected at most the credit: {} events in {} bytes",
                               batch.event_count, bytes, credit_max.events, credit_max.bytes));
  }
  return std::nullopt;
}

}  // namespace

struct Client::State {
  base::SystemClock system_clock;
  std::optional<wire::Context> own_context;
  const base::Clock* clock = nullptr;
  Options options;
  std::optional<Lane> lane;
  std::uint64_t next_event_id = 0;

  ~State() {
    if (lane) lane->abandon(Outcome::kClosed);
  }

  [[nodiscard]] std::uint64_t deadline_ns(std::uint32_t timeout_ms) const {
    return clock->now_ns() + std::uint64_t{timeout_ms} * 1'000'000;
  }

  /// Steps until `done()` or the deadline. False at the deadline.
  template <typename Done>
  bool run_until(std::uint64_t deadline_ns, const Done& done) {
    for (;;) {
      const std::size_t work = lane->step();
      if (done()) return true;
      const std::uint64_t now_ns = clock->now_ns();
      if (now_ns >= deadline_ns || lane->delivering()) return false;
      const std::uint64_t left_ms = (deadline_ns - now_ns) / 1'000'000 + 1;
      if (work == 0) lane->wait(static_cast<std::uint32_t>(std::min<std::uint64_t>(left_ms, kTickMs)));
    }
  }
};

Result<Client> Client::connect(const Options& options) {
  auto state = std::make_unique<State>();
  state->options = options;
  state->clock = options.clock != nullptr ? options.clock : &state->system_clock;
  if (options.batches_pending_max == 0) {
    return fail(ErrorCode::kInvalid, "client: batches_pending_max is 0, expected at least 1");
  }
  wire::Context* context = options.context;
  if (context == nullptr) {
    auto made = wire::Context::create(1);
    if (!made) return tl::unexpected<Error>(made.error());
    state->own_context.emplace(std::move(*made));
    context = &*state->own_context;
  }
  auto lane = Lane::open(options, *context, *state->clock);
  if (!lane) return tl::unexpected<Error>(lane.error());
  state->lane.emplace(std::move(*lane));
  const Lane& opened = *state->lane;
  const bool done = state->run_until(state->deadline_ns(options.connect_timeout_ms),
                                     [&] { return opened.is_open() || opened.refusal().has_value(); });
  if (opened.refusal()) return tl::unexpected<Error>(*opened.refusal());
  if (!done) {
    return fail(ErrorCode::kTimeout, "{}: no welcome within {} ms: is kantrigd running?", options.endpoint,
                options.connect_timeout_ms);
  }
  return Client(std::move(state));
}

Client::Client(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
Client::Client(Client&& other) noexcept = default;
Client& Client::operator=(Client&& other) noexcept = default;
Client::~Client() = default;

Result<Sequence> Client::submit(Batch batch, AnswerCallback on_answer) {
  State& state = *state_;
  Lane& lane = *state.lane;
  if (auto fault = fault_of(batch, lane.session(), lane.credit_max()))
    return tl::unexpected<Error>(std::move(*fault));
  const std::size_t bytes = batch.payload.bytes().size();
  if (!lane.has_room(bytes)) {
    const bool may_wait = state.options.submit_wait_ms > 0 && !lane.delivering();
    const bool room = may_wait && state.run_until(state.deadline_ns(state.options.submit_wait_ms),
                                                  [&] { return lane.has_room(bytes); });
    if (!room) return fail(ErrorCode::kBusy, "submit: {} batches are pending", lane.window().unanswered());
  }
  PendingBatch pending;
  pending.header.run = batch.run;
  pending.header.first_event_id = batch.first_event_id.value_or(state.next_event_id);
  pending.header.event_count = batch.event_count;
  pending.header.feature_count = batch.feature_count;
  pending.header.encoding = batch.encoding;
  pending.header.want_lines = batch.want_lines;
  pending.header.want_classes = batch.want_classes;
  pending.header.want_scores = batch.want_scores;
  pending.payload = std::move(batch.payload);
  pending.on_answer = std::move(on_answer);
  state.next_event_id = pending.header.first_event_id + pending.header.event_count;
  const Sequence sequence = lane.enqueue(std::move(pending));
  lane.pump();
  return sequence;
}

Result<std::future<Decisions>> Client::submit(Batch batch) {
  auto promise = std::make_shared<std::promise<Decisions>>();
  std::future<Decisions> future = promise->get_future();
  auto taken = submit(std::move(batch),
                      [promise](const Answer& answer) { promise->set_value(Decisions::of(answer)); });
  if (!taken) return tl::unexpected<Error>(taken.error());
  return future;
}

bool Client::has_room(std::size_t payload_bytes) const noexcept {
  return state_->lane->has_room(payload_bytes);
}

std::size_t Client::poll(std::uint32_t timeout_ms) {
  Lane& lane = *state_->lane;
  const std::uint64_t before = lane.statistics().batches_answered;
  state_->run_until(state_->deadline_ns(timeout_ms),
                    [&] { return lane.statistics().batches_answered != before; });
  return lane.statistics().batches_answered - before;
}

Result<void> Client::wait_answers(std::uint32_t timeout_ms) {
  Lane& lane = *state_->lane;
  if (state_->run_until(state_->deadline_ns(timeout_ms), [&] { return lane.window().empty(); })) return {};
  return fail(
      ErrorCode::kTimeout, "{}: {} batches unanswered after {} ms{}", state_->options.endpoint,
      lane.window().unanswered(), timeout_ms,
      lane.refusal() ? ": " + lane.refusal()->message : std::string(lane.is_open() ? "" : ": not connected"));
}

Result<Decisions> Client::decide(Batch batch, std::uint32_t timeout_ms) {
  auto answer = submit(std::move(batch));
  if (!answer) return tl::unexpected<Error>(answer.error());
  const auto ready = [&] { return answer->wait_for(std::chrono::seconds(0)) == std::future_status::ready; };
  if (!state_->run_until(state_->deadline_ns(timeout_ms), ready)) {
    return fail(ErrorCode::kTimeout, "{}: no decision within {} ms; the batch is still pending",
                state_->options.endpoint, timeout_ms);
  }
  return answer->get();
}

Result<wire::Bye> Client::close(std::uint32_t timeout_ms) {
  Lane& lane = *state_->lane;
  const std::uint64_t deadline_ns = state_->deadline_ns(timeout_ms);
  if (auto answered = wait_answers(timeout_ms); !answered) return tl::unexpected<Error>(answered.error());
  const wire::Bye counts = lane.own_counts();
  lane.say_bye();
  if (!state_->run_until(deadline_ns, [&] { return lane.bye_echo().has_value(); })) {
    return fail(ErrorCode::kTimeout, "{}: every batch was answered, but the farewell was not within {} ms",
                state_->options.endpoint, timeout_ms);
  }
  return counts;
}

bool Client::connected() const noexcept {
  return state_->lane->is_open();
}
std::size_t Client::pending() const noexcept {
  return state_->lane->window().unanswered();
}
const Session& Client::session() const noexcept {
  return state_->lane->session();
}
const wire::Credit& Client::credit() const noexcept {
  return state_->lane->credit();
}
const Statistics& Client::statistics() const noexcept {
  return state_->lane->statistics();
}
const base::LatencyHistogram& Client::latency() const noexcept {
  return state_->lane->latency();
}

}  // namespace kantrig::client
