// Counting: what a batch, a duplicate or a refused message adds to the books.
#include <array>
#include <bit>

#include "ledger/shard_ledger_state.hpp"

namespace kantrig::ledger {
namespace {

constexpr std::uint32_t kReasonNotFinite = 7;  // of decision.proto; run_book.cpp asserts that they agree

void add_counts(RedoRecord& record, std::size_t word, const Counts& n) noexcept {
  record.add(word + counts::kReceived, n.received);
  record.add(word + counts::kAccepted, n.accepted);
  record.add(word + counts::kRejected, n.rejected);
  record.add(word + counts::kDuplicate, n.duplicate);
  record.add(word + counts::kMalformed, n.malformed);
  record.add(word + counts::kRefused, n.refused);
}

void add_reason(RedoRecord& record, std::size_t block, std::uint32_t reason, std::uint64_t events) noexcept {
  KANTRIG_ASSERT(reason < kReasonsMax);
  record.add(block + block::kReasons + 2 * reason, events);
  record.add(block + block::kReasons + 2 * reason + 1, 1);
}

}  // namespace

void ShardLedger::State::count_disposition(RedoRecord& record, std::uint32_t source_slot,
                                           const Counts& n) noexcept {
  add_counts(record, open_block_word + block::kTotals, n);
  if (source_slot != kNoSource) add_counts(record, open_block_word + block::source_counts(source_slot), n);
}

/// Whose counts a lane holds: one life of its client in one run. Run and life in one word: they are only
/// compared.
Word ShardLedger::State::lane_counts_key(LaneHandle lane, std::uint64_t run) const noexcept {
  return run * 0x9e3779b97f4a7c15U ^ lanes[lane.index].instance;
}

void ShardLedger::State::count_on_lane(RedoRecord& record, LaneHandle handle, const Counts& n) noexcept {
  if (open_run == 0) return;  // between runs: the counts of the last one stay for its Bye
  const std::size_t lane = lane_word(handle);
  const Word key = lane_counts_key(handle, open_run);
  if (words[lane + lane::kCountsKey] == key) {
    add_counts(record, lane + lane::kCounts, n);
    return;
  }
  record.set(lane + lane::kCountsKey, key);
  const auto image = std::bit_cast<std::array<Word, counts::kWords>>(n);
  for (std::size_t i = 0; i < image.size(); ++i) record.set(lane + lane::kCounts + i, image[i]);
}

void ShardLedger::commit(const FinalBatch& batch) noexcept {
  State& s = *state_;
  const std::size_t block = s.block_word();
  const std::size_t lane = s.lane_word(batch.lane);
  KANTRIG_ASSERT(batch.sequence.value == s.words[lane + lane::kNext]);
  KANTRIG_ASSERT(batch.lines.size() <= kLinesMax && batch.path < kPathsMax);

  RedoRecord record = s.redo();
  s.keep_answer(record, batch, lane);
  const Counts n{.received = batch.event_count,
                 .accepted = batch.accepted,
                 .rejected = batch.rejected,
                 .malformed = batch.malformed,
                 .refused = batch.refused};
  s.count_disposition(record, static_cast<std::uint32_t>(s.words[lane + lane::kSourceSlot]), n);
  s.count_on_lane(record, batch.lane, n);
  record.add(block + block::kBatches, 1);
  record.add(block + block::kPaths + batch.path, n.accepted + n.rejected);
  if (batch.reason != 0) {
    add_reason(record, block, batch.reason, n.malformed + n.refused);
  } else if (n.malformed != 0) {
    add_reason(record, block, kReasonNotFinite, n.malformed);
  }
  std::size_t word = block + block::kLines;
  for (const LineCounts& line : batch.lines) {
    record.add(word, line.before_prescale);
    record.add(word + 1, line.after_prescale);
    record.add(word + 2, line.after_veto);
    word += 3;
  }
  record.commit(s.lock);
}

void ShardLedger::count_duplicate(LaneHandle lane, std::uint32_t events) noexcept {
  State& s = *state_;
  (void)s.block_word();
  const std::size_t word = s.lane_word(lane);
  const Counts n{.received = events, .duplicate = events};
  RedoRecord record = s.redo();
  s.count_disposition(record, static_cast<std::uint32_t>(s.words[word + lane::kSourceSlot]), n);
  s.count_on_lane(record, lane, n);
  record.commit(s.lock);
}

void ShardLedger::State::count_outside(std::optional<LaneHandle> lane, SourceId source, std::uint32_t reason,
                                       const Counts& n) noexcept {
  const std::size_t block = block_word();
  const std::uint32_t source_slot =
      lane ? static_cast<std::uint32_t>(words[lane_word(*lane) + lane::kSourceSlot]) : find_source(source);
  RedoRecord record = redo();
  count_disposition(record, source_slot, n);
  add_reason(record, block, reason, n.received);
  record.commit(lock);
}

void ShardLedger::count_refused(std::optional<LaneHandle> lane, SourceId source, std::uint32_t reason,
                                std::uint32_t events) noexcept {
  state_->count_outside(lane, source, reason, {.received = events, .refused = events});
}

void ShardLedger::count_malformed(std::optional<LaneHandle> lane, SourceId source, std::uint32_t reason,
                                  std::uint32_t events) noexcept {
  state_->count_outside(lane, source, reason, {.received = events, .malformed = events});
}

void ShardLedger::add_time(std::uint64_t live_ns, std::uint64_t busy_ns, std::uint64_t paused_ns) noexcept {
  State& s = *state_;
  const std::size_t block = s.block_word();
  RedoRecord record = s.redo();
  record.add(block + block::kLive, live_ns);
  record.add(block + block::kBusy, busy_ns);
  record.add(block + block::kPaused, paused_ns);
  record.commit(s.lock);
}

}  // namespace kantrig::ledger
