// The conversation around the batches: greeting, heartbeats, credit, drain, farewell.
#include <algorithm>

#include "pipeline/shard.hpp"

namespace kantrig::pipeline {
namespace {

/// The shard that owns a lane: fixed by its name alone, so that it finds its answers again after any restart.
std::uint32_t owner_of(SourceId source, LaneId lane, std::uint32_t shard_count) {
  return (source.value + lane.value) % shard_count;
}

}  // namespace

void Shard::on_hello(const wire::Hello& hello) noexcept {
  if (hello.protocol_version != wire::kProtocol) {
    refuse_hello(wire::Reason::kProtocolVersion, "expected protocol version 1");
    return;
  }
  if (!source_allowed(hello.source)) {
    refuse_hello(wire::Reason::kSourceUnknown,
                 "expected a source from the list in the daemon's configuration");
    return;
  }
  wire::WelcomeView welcome;
  const std::uint32_t owner = owner_of(hello.source, hello.lane, options_.shard_count);
  Session* session = nullptr;
  if (owner != options_.index) {
    welcome.endpoint = options_.owner_endpoints[owner];
  } else {
    std::fill_n(lanes_live_.get(), options_.ledger.lanes_max, false);
    for (const Session& other : sessions_.all()) {
      if (other.live) lanes_live_[other.handle.index] = true;
    }
    const auto handle =
        books_.open_lane(hello.source, hello.lane, {lanes_live_.get(), options_.ledger.lanes_max});
    if (handle) session = sessions_.open(under_way_.message().identity(), hello.source, hello.lane);
    if (session == nullptr) {
      refuse_hello(wire::Reason::kLaneLimit,
                   "no room for another lane or source: expected one of those known to close first");
      return;
    }
    session->handle = *handle;
    session->last_heard_ns = now_ns_;
    session->instance = hello.instance;
    books_.begin_instance(*handle, hello.instance);
    welcome.next_sequence = books_.next_sequence(*handle);
    welcome.credit = credit();
  }
  const LoadedModel& model = *conditions().model;
  welcome.events_per_batch_max = options_.events_per_batch_max;
  welcome.heartbeat_interval_ms = options_.heartbeat_interval_ms;
  welcome.run = conditions().run;
  welcome.generation = conditions().generation;
  welcome.model_digest = std::as_bytes(std::span(model.bundle.digest.bytes));
  welcome.menu_digest = std::as_bytes(std::span(conditions().menu->digest().bytes));
  welcome.features = decider_->feature_names();
  welcome.classes = model.bundle.classes;
  welcome.lines = decider_->line_names();
  welcome.codes_only = model.bundle.model.codes_only;
  welcome.feature_bits = decider_->feature_bits();
  if (const std::size_t needed = encoder_.encoded_bytes(welcome); needed > scratch_.size())
    scratch_.resize(needed);
  send_small(under_way_.message().identity(), encoder_.encode(welcome, scratch_));
  publish_gauges();
}

void Shard::refuse_hello(wire::Reason reason, std::string_view detail) noexcept {
  books_.count_refused(std::nullopt, SourceId{}, static_cast<std::uint32_t>(reason), 0);
  wire::WelcomeView welcome;
  welcome.reason = reason;
  welcome.detail = detail;
  send_small(under_way_.message().identity(), encoder_.encode(welcome, scratch_));
}

void Shard::on_heartbeat(const wire::Heartbeat& heartbeat) noexcept {
  if (Session* session = sessions_.find(under_way_.message().identity()); session != nullptr)
    session->last_heard_ns = now_ns_;
  send_small(under_way_.message().identity(), encoder_.encode(heartbeat, scratch_));
}

void Shard::on_drain_ack(const wire::DrainAck& ack) noexcept {
  Session* session = sessions_.find(under_way_.message().identity());
  if (session == nullptr || session->source != ack.source || session->lane != ack.lane) return;
  session->last_heard_ns = now_ns_;
  if (!giving_credit()) session->drain_acknowledged = true;
  publish_gauges();
}

void Shard::on_bye(const wire::Bye& bye) noexcept {
  Session* session = sessions_.find(under_way_.message().identity());
  if (session == nullptr || session->source != bye.source || session->lane != bye.lane) return;
  if (!goodbyes_.try_push({bye, session->instance, books_.lane_run_counts(session->handle, bye.run)}))
    return;  // unanswered: the client repeats it
  send_small(session->identity, encoder_.encode(bye, scratch_));
  sessions_.close(*session);
  publish_gauges();
}

void Shard::send_credit_to_all() noexcept {
  credit_told_ = credit();
  for (Session& session : sessions_.all()) {
    if (!session.live) continue;
    session.drain_acknowledged = false;
    send_small(session.identity, encoder_.encode(credit_told_, scratch_));
  }
}

void Shard::drop_silent_sessions() noexcept {
  for (Session& session : sessions_.all()) {
    if (session.under_way > 0) continue;  // it is owed answers
    if (session.live && now_ns_ - session.last_heard_ns > options_.lane_timeout_ns) sessions_.close(session);
  }
}

/// Tries again what a slow client had no room for; the answers themselves wait in the ledger.
void Shard::send_unsent_answers() noexcept {
  for (Session& session : sessions_.all()) {
    while (session.live && session.unsent_count > 0) {
      const ledger::SequenceCheck check = books_.check(session.handle, Sequence{session.unsent_first});
      const bool kept = check.state == ledger::SequenceCheck::State::kDuplicate;
      const wire::SendResult sent =
          kept ? socket_.send(session.identity, check.answer) : wire::SendResult::kGone;
      if (sent == wire::SendResult::kFull) break;
      if (sent == wire::SendResult::kGone) probe_.answers_undelivered.add(1);
      ++session.unsent_first;
      --session.unsent_count;
    }
    if (session.unsent_count == 0) {
      session.unsent_bytes = 0;
      session.refused_unread = 0;
    }
  }
}

void Shard::send_answer(Session& session, Sequence sequence, std::span<const std::byte> answer) noexcept {
  if (session.unsent_count == 0) {
    switch (socket_.send(session.identity, answer)) {
      case wire::SendResult::kSent:
        return;
      case wire::SendResult::kGone:
        probe_.answers_undelivered.add(1);
        return;  // kept: the client asks again
      case wire::SendResult::kFull:
        session.unsent_first = sequence.value;
        break;
    }
  }
  ++session.unsent_count;
  session.unsent_bytes += answer.size();
  cut_if_unread(session);
}

void Shard::cut_if_unread(Session& session) noexcept {
  if (!session.live || session.unsent_count + session.refused_unread < options_.unsent_answers_max) return;
  probe_.lanes_cut.add(1);
  probe_.answers_undelivered.add(session.unsent_count);
  sessions_.close(session);  // must say Hello again; its answers are kept
}

void Shard::send_small(const wire::Identity& to, std::size_t bytes) noexcept {
  send_held_answers();
  if (bytes == 0 || socket_.send(to, std::span(scratch_).first(bytes)) != wire::SendResult::kSent) {
    probe_.answers_undelivered.add(1);
  }
}

void Shard::publish_gauges() noexcept {
  std::uint64_t unsent = 0;
  bool all_acknowledged = true;
  for (const Session& session : sessions_.all()) {
    if (!session.live) continue;
    unsent += session.unsent_count;
    all_acknowledged = all_acknowledged && session.drain_acknowledged;
  }
  probe_.answers_unsent.set(static_cast<double>(unsent));
  probe_.lanes_live.set(sessions_.live_count());
  probe_.credit_events.set(static_cast<double>(credit().events) * sessions_.live_count());
  probe_.drained.set(!giving_credit() && all_acknowledged ? 1.0 : 0.0);
}

/// What a lane may have unanswered: as configured, but never more than the answers that the ledger can keep.
void Shard::compute_credit() noexcept {
  granted_ = options_.credit;
  granted_.batches = std::min(granted_.batches, options_.ledger.batches_kept);
  const std::size_t outputs = conditions().model->bundle.model.output_count();
  const std::uint64_t event_bytes =
      sizeof(std::uint64_t) + 1 + outputs * sizeof(std::int16_t) + 1;  // every extra asked for
  const std::uint64_t fixed_bytes = granted_.batches * wire::encoded_bytes_max(0, 0, {});
  // The ring of answers skips what is left before its end, and the next answer's room is made before its size
  // is known.
  const std::uint64_t largest =
      wire::encoded_bytes_max(options_.events_per_batch_max, static_cast<std::uint32_t>(outputs),
                              {.lines = true, .classes = true, .scores = true});
  const std::uint64_t kept = options_.ledger.answer_bytes_kept;
  const std::uint64_t taken = fixed_bytes + 2 * largest;
  const std::uint64_t room = kept > taken ? kept - taken : 0;
  granted_.events =
      std::min(granted_.events, std::max<std::uint64_t>(room / event_bytes, options_.events_per_batch_max));
}

wire::Credit Shard::credit() const noexcept {
  return giving_credit() ? granted_ : wire::Credit{};
}

bool Shard::source_allowed(SourceId source) const noexcept {
  return options_.sources.empty() ||
         std::ranges::find(options_.sources, source.value) != options_.sources.end();
}

}  // namespace kantrig::pipeline
