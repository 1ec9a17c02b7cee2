// Lanes: which sequence is next, which answers are kept, who leaves when there is no room.
#include <array>
#include <bit>

#include "ledger/shard_ledger_state.hpp"

namespace kantrig::ledger {

std::uint32_t ShardLedger::State::find_source(SourceId id) const noexcept {
  for (std::uint32_t i = 0; i < sources.size(); ++i) {
    if (sources[i].used && sources[i].id == id) return i;
  }
  return kNoSource;
}

Counts ShardLedger::State::load_counts(std::size_t word) const noexcept {
  std::array<Word, counts::kWords> image;
  for (std::size_t i = 0; i < image.size(); ++i) image[i] = words[word + i];
  return std::bit_cast<Counts>(image);
}

std::optional<LaneHandle> ShardLedger::find_lane(SourceId source, LaneId lane) const noexcept {
  const State& s = *state_;
  const std::uint64_t key = lane_key(source, lane);
  for (std::uint32_t i = 0; i < s.lane_keys.size(); ++i) {
    if (s.lane_keys[i] == key && s.lanes[i].used) return LaneHandle{i};
  }
  return std::nullopt;
}

std::uint32_t ShardLedger::State::find_lane_room(std::span<const bool> is_live) const noexcept {
  const auto lane_count = static_cast<std::uint32_t>(lanes.size());
  std::uint32_t best = lane_count;
  for (std::uint32_t i = 0; i < lane_count; ++i) {
    if (!lanes[i].used) return i;
    if (i < is_live.size() && is_live[i]) continue;
    const auto last_used = [&](std::uint32_t l) { return words[file.layout().lane(l) + lane::kLastUsed]; };
    if (best == lane_count || last_used(i) < last_used(best)) best = i;
  }
  return best;
}

std::uint32_t ShardLedger::State::find_source_room(SourceId id, std::uint32_t leaving_lane) const noexcept {
  if (const std::uint32_t known = find_source(id); known != kNoSource) return known;
  std::array<bool, kNoSource> has_lane{};
  for (std::uint32_t i = 0; i < lanes.size(); ++i) {
    if (lanes[i].used && i != leaving_lane) has_lane[words[file.layout().lane(i) + lane::kSourceSlot]] = true;
  }
  for (std::uint32_t i = 0; i < kNoSource; ++i) {
    if (!sources[i].used) return i;
    const bool counted =
        open_block_word != 0 && words[open_block_word + block::source_counts(i) + counts::kReceived] != 0;
    if (!has_lane[i] && !counted) return i;
  }
  return kNoSource;
}

std::optional<LaneHandle> ShardLedger::open_lane(SourceId source, LaneId lane,
                                                 std::span<const bool> is_live) noexcept {
  State& s = *state_;
  if (const auto known = find_lane(source, lane)) {
    base::store_release(s.words[s.lane_word(*known) + lane::kLastUsed],
                        ++s.use_count);  // one word: needs no redo
    return known;
  }
  const std::uint32_t index = s.find_lane_room(is_live);
  if (index == s.lanes.size()) return std::nullopt;
  const std::uint32_t source_slot = s.find_source_room(source, index);
  if (source_slot == State::kNoSource) return std::nullopt;

  RedoRecord record = s.redo();
  const std::size_t word = s.file.layout().lane(index);
  for (std::size_t i = 0; i < lane::kWords; ++i)
    record.set(word + i, [&]() -> Word {
      switch (i) {
        case lane::kUsed:
          return 1;
        case lane::kSource:
          return source.value;
        case lane::kLane:
          return lane.value;
        case lane::kNext:
          return 1;
        case lane::kOldest:
          return 1;
        case lane::kLastUsed:
          return ++s.use_count;
        case lane::kSourceSlot:
          return source_slot;
        default:
          return 0;
      }
    }());
  record.add(header::kLaneCountWord, s.lanes[index].used ? 0 : 1);
  if (s.open_block_word != 0) {
    record.set(s.open_block_word + block::kSources + source_slot * block::kSourceWords,
               std::bit_cast<Word>(std::array{source.value, std::uint32_t{1}}));
  }
  record.commit(s.lock);
  s.lanes[index] = {.used = true};
  s.lane_keys[index] = lane_key(source, lane);
  s.sources[source_slot] = {true, source};
  return LaneHandle{index};
}

Sequence ShardLedger::next_sequence(LaneHandle lane) const noexcept {
  return Sequence{state_->words[state_->lane_word(lane) + lane::kNext]};
}

std::uint32_t ShardLedger::lane_count() const noexcept {
  return static_cast<std::uint32_t>(base::load_acquire(state_->words[header::kLaneCountWord]));
}

SequenceCheck ShardLedger::check(LaneHandle lane, Sequence sequence) const noexcept {
  const State& s = *state_;
  const Word* l = s.words + s.lane_word(lane);
  SequenceCheck result{
      .state = SequenceCheck::State::kNew, .expected = Sequence{l[lane::kNext]}, .answer = {}};
  if (sequence == result.expected) return result;
  if (sequence > result.expected) {
    result.state = SequenceCheck::State::kGap;
  } else if (sequence.value < l[lane::kOldest]) {
    result.state = SequenceCheck::State::kOld;
  } else {
    const Layout& layout = s.file.layout();
    const Word* entry = s.words + layout.entry(lane.index, sequence.value);
    result.state = SequenceCheck::State::kDuplicate;
    result.answer = {s.file.bytes() + layout.ring_byte(lane.index) +
                         entry[answer::kPlace] % layout.limits.answer_bytes_kept,
                     static_cast<std::size_t>(entry[answer::kBytes])};
  }
  return result;
}

void ShardLedger::begin_instance(LaneHandle lane, std::uint64_t instance) noexcept {
  state_->lanes[lane.index].instance = instance;
}

Counts ShardLedger::lane_run_counts(LaneHandle lane) const noexcept {
  return lane_run_counts(lane, RunNumber{state_->open_run});
}

Counts ShardLedger::lane_run_counts(LaneHandle lane, RunNumber run) const noexcept {
  const std::size_t word = state_->lane_word(lane);
  if (run.value == 0 || state_->words[word + lane::kCountsKey] != state_->lane_counts_key(lane, run.value))
    return {};
  return state_->load_counts(word + lane::kCounts);
}

std::span<std::byte> ShardLedger::answer_space(LaneHandle lane, std::size_t bytes) noexcept {
  State& s = *state_;
  const Layout& layout = s.file.layout();
  const Word ring = layout.limits.answer_bytes_kept;
  KANTRIG_ASSERT(bytes <= ring);
  Word* l = s.words + s.lane_word(lane);
  Word place = l[lane::kRingHead];
  if (place % ring + bytes > ring)
    place += ring - place % ring;  // in one piece: skip what is left before the end

  // An answer must be void before the first byte of it is written over. One word says which are: one store
  // will do.
  Word oldest = l[lane::kOldest];
  while (oldest != l[lane::kNext] &&
         place + bytes - s.words[layout.entry(lane.index, oldest) + answer::kPlace] > ring)
    ++oldest;
  if (oldest != l[lane::kOldest]) base::store_release(l[lane::kOldest], oldest);
  base::compiler_barrier();  // the caller's stores stay behind it
  s.lanes[lane.index].room_place = place;
  s.lanes[lane.index].room_bytes = static_cast<std::uint32_t>(bytes);
  return {s.file.bytes() + layout.ring_byte(lane.index) + place % ring, bytes};
}

void ShardLedger::State::keep_answer(RedoRecord& record, const FinalBatch& batch, std::size_t lane) noexcept {
  Lane& memory = lanes[batch.lane.index];
  KANTRIG_ASSERT(batch.answer_bytes <= memory.room_bytes);
  const Layout& layout = file.layout();
  const Word sequence = batch.sequence.value;
  const Word place = memory.room_bytes == 0 ? words[lane + lane::kRingHead] : memory.room_place;
  const std::size_t entry = layout.entry(batch.lane.index, sequence);
  record.set(entry + answer::kPlace, place);
  record.set(entry + answer::kBytes, batch.answer_bytes);
  record.set(lane + lane::kRingHead, place + batch.answer_bytes);
  record.set(lane + lane::kNext, sequence + 1);
  const bool full = sequence + 1 - words[lane + lane::kOldest] > layout.limits.batches_kept;
  record.add(lane + lane::kOldest, full ? 1 : 0);
  record.set(lane + lane::kLastUsed, ++use_count);
  memory.room_bytes = 0;
}

}  // namespace kantrig::ledger
