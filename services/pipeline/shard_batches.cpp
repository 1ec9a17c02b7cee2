// The life of a batch in a shard, from header to answer.
#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "pipeline/shard.hpp"

namespace kantrig::pipeline {
namespace {

/// Ranges are watched on one batch in this many: the fraction is what matters, and looking costs.
constexpr std::uint64_t kRangeSampling = 16;

/// Held answers lie in the ring of their lane, whose oldest bytes the next answers write over: they must stay
/// few.
constexpr std::size_t kHeldBytesMax = 12U << 10;

std::span<const std::byte> bitmap_bytes(std::span<const std::uint64_t> words, std::uint32_t event_count) {
  return std::as_bytes(words).first((std::size_t{event_count} + 7) /
                                    8);  // little endian: bit i % 8 of byte i / 8
}

/// A claim above the limit is not believed: such a batch counts as a message, not as events.
std::uint32_t credible_events(const wire::BatchHeader& header, std::uint32_t limit) {
  return header.event_count <= limit ? header.event_count : 0;
}

bool malforms(wire::Reason reason) {
  switch (reason) {
    case wire::Reason::kHeader:
    case wire::Reason::kProtocolVersion:
    case wire::Reason::kEncoding:
    case wire::Reason::kFeatureCount:
    case wire::Reason::kEventCount:
    case wire::Reason::kPayloadSize:
    case wire::Reason::kNotFinite:
      return true;
    default:
      return false;
  }
}

}  // namespace

void Shard::on_batch(const wire::ClientMessage& message) noexcept {
  const wire::BatchHeader& header = message.header;
  probe_.batch_received(header.event_count);
  Session* session = session_of(header);
  if (session == nullptr || !takes_next(*session, header)) return;
  if (const Refusal why = check_against_model(header); why.reason != wire::Reason::kNone) {
    if (session->under_way > 0) settle();  // its answer enters the books, in its turn
    finish_undecided(*session, header, why);
    return;
  }
  begin(*session, header, message.payload);
}

void Shard::on_malformed(const wire::ClientMessage& message) noexcept {
  const wire::BatchHeader& header = message.header;
  const Refusal why{message.reason, message.detail};
  if (!message.header_read) {
    probe_.messages_unreadable.add(1);
    books_.count_malformed(std::nullopt, SourceId{}, static_cast<std::uint32_t>(why.reason), 0);
    wire::DecisionView answer;
    answer.reason = why.reason;
    answer.detail = why.detail;
    answer.credit = {};
    send_small(under_way_.message().identity(), encoder_.encode(answer, scratch_));
    return;
  }
  probe_.batch_received(credible_events(header, options_.events_per_batch_max));
  Session* session = session_of(header);
  if (session == nullptr || !takes_next(*session, header)) return;
  if (session->under_way > 0) settle();
  finish_undecided(*session, header, why);
}

/// The session that may send this batch; without one the batch is refused here. What does not simply follow
/// the batches that its lane has under way is judged when those are answered.
Session* Shard::session_of(const wire::BatchHeader& header) noexcept {
  Session* session = sessions_.find(under_way_.message().identity());
  if (session != nullptr && session->under_way > 0 && !follows(*session, header)) {
    settle();
    send_held_answers();
    if (!session->live) session = nullptr;  // cut for not reading them
  }
  if (session != nullptr && session->source == header.source && session->lane == header.lane) {
    session->last_heard_ns = now_ns_;
    return session;
  }
  refuse(std::nullopt, header,
         source_allowed(header.source)
             ? Refusal{wire::Reason::kNotWelcomed,
                       "expected a Hello for this source and lane on this connection first"}
             : Refusal{wire::Reason::kSourceUnknown,
                       "expected a source from the list in the daemon's configuration"},
         Sequence{});
  return nullptr;
}

/// True when one more answer could be lost: the ledger keeps as many as the credit allows, and those that the
/// client has not read are among them. Ring and held answers take their part, so half of the bytes is what
/// counts.
bool Shard::reads_too_little(const Session& session, const wire::BatchHeader& header) const noexcept {
  if (session.unsent_count == 0) return false;
  return session.unsent_count + held_count_ + session.under_way >= granted_.batches ||
         session.unsent_bytes + session.under_way_bytes + answer_bytes_max(header) >
             options_.ledger.answer_bytes_kept / 2;
}

std::uint64_t Shard::answer_bytes_max(const wire::BatchHeader& header) const noexcept {
  return wire::encoded_bytes_max(header.event_count, conditions().model->bundle.model.output_count(),
                                 {header.want_lines, header.want_classes, header.want_scores});
}

/// True when the batch is the lane's next and may be decided now; else it has been answered here.
bool Shard::takes_next(Session& session, const wire::BatchHeader& header) noexcept {
  if (session.under_way > 0) return true;  // it follows them: session_of() has seen to that
  if (reads_too_little(session, header)) {
    refuse(session.handle, header,
           {wire::Reason::kCredit, "as many answers as the credit allows wait: read them first"}, {});
    ++session.refused_unread;
    cut_if_unread(session);
    return false;
  }
  const ledger::SequenceCheck check = books_.check(session.handle, header.sequence);
  switch (check.state) {
    case ledger::SequenceCheck::State::kNew:
      break;
    case ledger::SequenceCheck::State::kDuplicate:
      answer_again(session, header, check.answer);
      return false;
    case ledger::SequenceCheck::State::kGap:
      refuse(
          session.handle, header,
          {wire::Reason::kSequenceGap, "batches before this one are missing: expected_sequence is the next"},
          check.expected);
      return false;
    case ledger::SequenceCheck::State::kOld:
      refuse(session.handle, header,
             {wire::Reason::kSequenceOld,
              "decided before, and its answer is no longer kept: expected_sequence is the next"},
             check.expected);
      return false;
  }
  if (session.drain_acknowledged) {
    refuse(session.handle, header, {wire::Reason::kCredit, "expected nothing while the credit is 0"},
           header.sequence);
    return false;
  }
  if (conditions().run.value == 0) {
    refuse(session.handle, header, {wire::Reason::kNoRun, "no run is on: send it again when credit returns"},
           header.sequence);
    return false;
  }
  return true;
}

Shard::Refusal Shard::check_against_model(const wire::BatchHeader& header) const noexcept {
  const kan::Model& model = conditions().model->bundle.model;
  if (header.run.value != 0 && header.run != conditions().run) {
    return {wire::Reason::kRunMismatch,
            "the batch names a run that is not on: expected 0 or the run in this answer"};
  }
  if (header.feature_count != model.input_count()) {
    return {wire::Reason::kFeatureCount,
            "expected the feature count of the active model, as told in Welcome"};
  }
  if (header.event_count > options_.events_per_batch_max) {
    return {wire::Reason::kEventCount, "expected at most events_per_batch_max events, as told in Welcome"};
  }
  if (header.encoding == wire::Encoding::kFloat32 && model.codes_only) {
    return {wire::Reason::kEncoding, "the active model has no input stage: expected CODE8 or CODE16"};
  }
  if (answer_bytes_max(header) > options_.ledger.answer_bytes_kept) {
    return {wire::Reason::kEventCount,
            "the answer would be too large to keep: expected fewer events, or fewer extras asked for"};
  }
  return {};
}

wire::DecisionView Shard::answer_to(const wire::BatchHeader& header) const noexcept {
  wire::DecisionView answer;
  answer.source = header.source;
  answer.lane = header.lane;
  answer.sequence = header.sequence;
  answer.first_event_id = header.first_event_id;
  answer.event_count = header.event_count;
  answer.client_send_time_ns = header.send_time_ns;
  answer.generation = conditions().generation;
  answer.model_digest = std::as_bytes(std::span(conditions().model->bundle.digest.bytes));
  answer.menu_digest = std::as_bytes(std::span(conditions().menu->digest().bytes));
  answer.run = conditions().run;
  answer.block = conditions().block;
  answer.column = conditions().column;
  answer.receive_time_ns = unix_ns();
  answer.credit = credit();
  return answer;
}

void Shard::begin(Session& session, const wire::BatchHeader& header,
                  std::span<const std::byte> payload) noexcept {
  const Batch batch{&header, payload, &session, session.handle, now_ns_, answer_bytes_max(header)};
  const bool watching =
      header.encoding == wire::Encoding::kFloat32 && probe_.batches.value() % kRangeSampling == 0;
  const auto features = std::span(clamped_).first(watching ? header.feature_count : 0);
  std::ranges::fill(features, 0U);
  const std::size_t behind = expected_messages_ - std::min(expected_messages_, found_messages_);
  decider_->begin({header.encoding, payload, header.event_count}, features,
                  static_cast<std::uint32_t>(behind));
  if (watching) watch_ranges(header.event_count);
  if (under_way_.empty() && decider_->oldest_done()) {
    finish(batch);
  } else {
    put_under_way(batch);
  }
}

/// Decides the batch that was begun first, and is evaluated now.
void Shard::finish(const Batch& batch) noexcept {
  const wire::BatchHeader& header = *batch.header;
  const DecidedCounts counts = decider_->decide_oldest(header.first_event_id);
  wire::DecisionView answer = answer_to(header);
  answer.accepted_count = counts.accepted;
  answer.rejected_count = counts.rejected;
  answer.malformed_count = counts.malformed;
  answer.accept_bitmap = bitmap_bytes(decider_->accepted(), header.event_count);
  if (counts.malformed > 0) answer.malformed_bitmap = bitmap_bytes(decider_->malformed(), header.event_count);
  if (header.want_lines) answer.line_bits = std::as_bytes(decider_->line_bits(header.event_count));
  if (header.want_classes) answer.classes = std::as_bytes(std::span(decider_->classes(), header.event_count));
  if (header.want_scores) {
    answer.scores = std::as_bytes(decider_->score_rows(header.event_count));
    answer.score_count = conditions().model->bundle.model.output_count();
  }
  answer.path = decider_->path();
  answer.receive_time_ns = batch.receive_ns + unix_offset_ns_;
  now_ns_ = clock_.now_ns();
  answer.send_time_ns = unix_ns();
  if (batch.answer_bytes_max > kHeldBytesMax) send_held_answers();  // it may take the place where they lie
  const auto space = books_.answer_space(batch.lane, batch.answer_bytes_max);
  const std::size_t bytes = encoder_.encode(answer, space);
  KANTRIG_ASSERT(bytes > 0);
  books_.commit({.lane = batch.lane,
                 .sequence = header.sequence,
                 .event_count = header.event_count,
                 .accepted = counts.accepted,
                 .rejected = counts.rejected,
                 .malformed = counts.malformed,
                 .path = static_cast<std::uint32_t>(answer.path),
                 .lines = decider_->lines(),
                 .answer_bytes = bytes});
  hold_answer(*batch.session, header.sequence, space.first(bytes), batch.receive_ns);
  if (conditions().shadow) {
    send_held_answers();
    run_shadow(batch);
  }
}

void Shard::hold_answer(Session& session, Sequence sequence, std::span<const std::byte> answer,
                        std::uint64_t receive_ns) noexcept {
  held_[held_count_++] = {&session, sequence, answer, receive_ns, now_ns_};
  held_bytes_ += answer.size();
  if (held_count_ == kHeldMax || held_bytes_ > kHeldBytesMax) send_held_answers();
}

/// In the order of deciding; before anything else is sent, since clients count on answers in order.
void Shard::send_held_answers() noexcept {
  if (held_count_ == 0) return;
  const auto held = std::span(held_).first(std::exchange(held_count_, 0));
  held_bytes_ = 0;
  for (const HeldAnswer& answer : held) {
    if (answer.session->live)
      send_answer(*answer.session, answer.sequence, answer.bytes);  // not cut by one before
  }
  now_ns_ = clock_.now_ns();
  for (const HeldAnswer& answer : held) probe_.batch_answered(answer.receive_ns, answer.decided_ns, now_ns_);
}

/// The batch has its place on the lane but can never be decided: its sequence is used up and the answer is
/// kept.
void Shard::finish_undecided(Session& session, const wire::BatchHeader& header, Refusal why) noexcept {
  const std::uint32_t events = credible_events(header, options_.events_per_batch_max);
  const bool malformed = malforms(why.reason);
  wire::DecisionView answer = answer_to(header);
  answer.reason = why.reason;
  answer.detail = why.detail;
  answer.malformed_count = malformed ? events : 0;
  answer.send_time_ns = answer.receive_time_ns;
  const auto space = books_.answer_space(session.handle, wire::encoded_bytes_max(0, 0, {}));
  const std::size_t bytes = encoder_.encode(answer, space);
  KANTRIG_ASSERT(bytes > 0);
  send_held_answers();
  books_.commit({.lane = session.handle,
                 .sequence = header.sequence,
                 .event_count = events,
                 .malformed = malformed ? events : 0,
                 .refused = malformed ? 0 : events,
                 .reason = static_cast<std::uint32_t>(why.reason),
                 .lines = {},
                 .answer_bytes = bytes});
  send_answer(session, header.sequence, space.first(bytes));
}

/// Answers without using up a sequence: the client may send the batch again, or was never entitled to send
/// it.
void Shard::refuse(std::optional<ledger::LaneHandle> lane, const wire::BatchHeader& header, Refusal why,
                   Sequence expected) noexcept {
  books_.count_refused(lane, header.source, static_cast<std::uint32_t>(why.reason),
                       credible_events(header, options_.events_per_batch_max));
  wire::DecisionView answer = answer_to(header);
  answer.reason = why.reason;
  answer.detail = why.detail;
  answer.expected_sequence = expected;
  answer.send_time_ns = answer.receive_time_ns;
  send_small(under_way_.message().identity(), encoder_.encode(answer, scratch_));
}

void Shard::answer_again(Session& session, const wire::BatchHeader& header,
                         std::span<const std::byte> kept) noexcept {
  send_held_answers();
  books_.count_duplicate(session.handle, credible_events(header, options_.events_per_batch_max));
  const std::size_t suffix = encoder_.encode_duplicate_suffix(credit(), scratch_);
  if (socket_.send(session.identity, kept, std::span(scratch_).first(suffix)) != wire::SendResult::kSent) {
    probe_.answers_undelivered.add(1);  // still kept: it can be asked for again
  }
}

void Shard::watch_ranges(std::uint32_t events) noexcept {
  probe_.range_sampled_events.add(events);
  for (std::size_t i = 0; i < decider_->feature_bits().size(); ++i) probe_.clamped[i].add(clamped_[i]);
}

void Shard::run_shadow(const Batch& batch) noexcept {
  const backend::Payload payload{batch.header->encoding, batch.payload, batch.header->event_count};
  const auto counts = decider_->compare_shadow(payload, batch.header->first_event_id);
  if (!counts) return;
  probe_.shadow_compared.add(counts->compared);
  probe_.shadow_class_disagreements.add(counts->class_disagreements);
  probe_.shadow_accept_disagreements.add(counts->accept_disagreements);
}

}  // namespace kantrig::pipeline
