#include "ledger/shard_ledger.hpp"

#include <sched.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "ledger/shard_ledger_state.hpp"

namespace kantrig::ledger {
namespace {

Word close_and_open(BlockClose reason, std::uint32_t open) noexcept {
  return std::bit_cast<Word>(std::array{static_cast<std::uint32_t>(reason), open});
}

}  // namespace

ShardLedger::ShardLedger(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
ShardLedger::ShardLedger(ShardLedger&&) noexcept = default;
ShardLedger& ShardLedger::operator=(ShardLedger&&) noexcept = default;
ShardLedger::~ShardLedger() = default;

Result<ShardLedger> ShardLedger::open(const std::filesystem::path& file, const LedgerLimits& limits,
                                      std::uint64_t unix_ns) {
  auto opened = LedgerFile::open(file, limits, unix_ns);
  if (!opened) return tl::unexpected(opened.error());
  return ShardLedger(std::make_unique<State>(std::move(*opened), unix_ns));
}

Result<void> ShardLedger::sync() const {
  return state_->file.sync();
}

ShardLedger::State::State(LedgerFile f, std::uint64_t unix_ns)
    : file(std::move(f)),
      words(file.words()),
      lane_keys(file.layout().limits.lanes_max),
      lanes(file.layout().limits.lanes_max) {
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    const Word* l = words + file.layout().lane(i);
    if (l[lane::kUsed] == 0) continue;
    const SourceId source{static_cast<std::uint32_t>(l[lane::kSource])};
    lanes[i].used = true;
    lane_keys[i] = lane_key(source, LaneId{static_cast<std::uint32_t>(l[lane::kLane])});
    sources[l[lane::kSourceSlot]] = {true, source};
    use_count = std::max(use_count, l[lane::kLastUsed]);
  }
  remember_open_block();
  if (open_block_word != 0) {
    RedoRecord record = redo();
    close_open_block(record, BlockClose::kRestart, unix_ns);
    record.set(header::kOpenSlotWord, 0);
    record.commit(lock);
    remember_open_block();
  }
  (void)try_snapshot(last_snapshot);  // nobody writes yet: it succeeds
}

void ShardLedger::State::remember_open_block() noexcept {
  const Word open = words[header::kOpenSlotWord];
  open_block_word = open == 0 ? 0 : file.layout().slot(open - 1) + slot::kCountsWord;
  open_run = open == 0 ? 0 : words[open_block_word + offsetof(BlockCounts, key.run) / kWordBytes];
}

void ShardLedger::State::close_open_block(RedoRecord& record, BlockClose reason,
                                          std::uint64_t unix_ns) noexcept {
  const std::size_t slot_word = open_block_word - slot::kCountsWord;
  record.set(slot_word + slot::kOrderWord, words[header::kNextOrderWord]);
  record.add(header::kNextOrderWord, 1);
  record.set(open_block_word + block::kStop, unix_ns);
  record.set(open_block_word + block::kCloseAndOpen, close_and_open(reason, 0));
  for (std::size_t i = block::kTotals; i < block::kSources; ++i) {
    if (block::is_summed(i)) record.add(file.layout().sum_word + i, words[open_block_word + i]);
  }
  record.set(slot_word + slot::kStateWord,
             slot::kClosed);  // last: from here on the other thread may read and free it
}

std::size_t ShardLedger::State::find_free_slot() const noexcept {
  std::size_t i = 0;
  while (i < slot::kSlots &&
         base::load_acquire(words[file.layout().slot(i) + slot::kStateWord]) != slot::kFree)
    ++i;
  return i;
}

void ShardLedger::State::fill_slot(std::size_t index, const BlockKey& key, std::uint64_t unix_ns) noexcept {
  BlockCounts fresh;
  fresh.key = key;
  fresh.start_unix_ns = unix_ns;
  fresh.open = 1;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (sources[i].used) fresh.sources[i] = {sources[i].id, 1, {}};
  }
  const auto image = std::bit_cast<BlockImage>(fresh);
  Word* to = words + file.layout().slot(index) + slot::kCountsWord;
  for (std::size_t i = 0; i < image.size(); ++i) base::store_release(to[i], image[i]);
}

void ShardLedger::State::drop_unused_sources() noexcept {
  std::array<Source, BlockCounts::kSourcesMax> kept{};
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    if (!lanes[i].used) continue;
    const Word s = words[file.layout().lane(i) + lane::kSourceSlot];
    kept[s] = sources[s];
  }
  sources = kept;
}

bool ShardLedger::roll_block(const BlockKey& next, BlockClose reason, std::uint64_t unix_ns) noexcept {
  KANTRIG_ASSERT(next.line_count <= kLinesMax);
  State& s = *state_;
  const std::size_t slot_index = s.find_free_slot();
  if (slot_index == slot::kSlots) return false;
  s.drop_unused_sources();
  s.fill_slot(slot_index, next, unix_ns);  // a free slot: nobody looks at it
  RedoRecord record = s.redo();
  if (s.open_block_word != 0) s.close_open_block(record, reason, unix_ns);
  record.set(s.file.layout().slot(slot_index) + slot::kStateWord, slot::kOpen);
  record.set(header::kOpenSlotWord, slot_index + 1);
  record.commit(s.lock);
  s.remember_open_block();
  return true;
}

void ShardLedger::close_block(BlockClose reason, std::uint64_t unix_ns) noexcept {
  State& s = *state_;
  if (s.open_block_word == 0) return;
  RedoRecord record = s.redo();
  s.close_open_block(record, reason, unix_ns);
  record.set(header::kOpenSlotWord, 0);
  record.commit(s.lock);
  s.remember_open_block();
}

void ShardLedger::State::load_block(std::size_t word, BlockCounts& into) const noexcept {
  BlockImage image;
  for (std::size_t i = 0; i < image.size(); ++i) image[i] = base::load_acquire(words[word + i]);
  into = std::bit_cast<BlockCounts>(image);
}

/// Copies what is in use, so that the reading is short: a commit in the middle of it would make it void.
void ShardLedger::State::load_used(std::size_t word, BlockImage& into) const noexcept {
  const auto load = [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) into[i] = base::load_acquire(words[word + i]);
  };
  load(0, block::kLines);
  const auto column_and_line_count =
      std::bit_cast<std::array<std::uint32_t, 2>>(into[block::kColumnAndLineCount]);
  const std::size_t line_count = std::min(column_and_line_count[1], kLinesMax);
  load(block::kLines, block::kLines + line_count * (sizeof(LineCounts) / kWordBytes));
  load(block::kReasons, block::kSources);
  for (std::size_t i = block::kSources; i < block::kWords; i += block::kSourceWords) {
    load(i, i + 1);
    if (into[i] != 0) load(i + 1, i + block::kSourceWords);
  }
}

bool ShardLedger::State::try_snapshot(Snapshot& into) const noexcept {
  const std::uint64_t version = lock.begin_read();
  if (version % 2 != 0) return false;
  const Word open = base::load_acquire(words[header::kOpenSlotWord]);
  BlockImage block{};
  BlockImage total{};
  if (open != 0) load_used(file.layout().slot(open - 1) + slot::kCountsWord, block);
  for (std::size_t i = block::kTotals; i < block::kSources; ++i) {
    if (block::is_summed(i)) total[i] = base::load_acquire(words[file.layout().sum_word + i]) + block[i];
  }
  const Word lane_count = base::load_acquire(words[header::kLaneCountWord]);
  if (!lock.is_consistent(version)) return false;
  into.block = std::bit_cast<BlockCounts>(block);
  into.total = std::bit_cast<BlockCounts>(total);
  into.total.start_unix_ns = words[header::kCreatedWord];
  into.lanes = static_cast<std::uint32_t>(lane_count);
  return true;
}

void ShardLedger::snapshot(Snapshot& into) const noexcept {
  constexpr std::uint32_t kTriesBeforeYield =
      64;  // the writer may have been preempted in the middle of a commit
  for (std::uint32_t i = 1; i <= kSnapshotTries; ++i) {
    if (state_->try_snapshot(into)) {
      state_->last_snapshot = into;
      return;
    }
    if (i % kTriesBeforeYield == 0) ::sched_yield();
  }
  into = state_->last_snapshot;
}

std::vector<ShardLedger::ClosedBlock> ShardLedger::closed_blocks() const {
  const State& s = *state_;
  std::vector<std::pair<Word, std::uint32_t>> found;  // order, slot
  for (std::uint32_t i = 0; i < slot::kSlots; ++i) {
    const Word* w = s.words + s.file.layout().slot(i);
    if (base::load_acquire(w[slot::kStateWord]) != slot::kClosed) continue;
    found.emplace_back(base::load_acquire(w[slot::kOrderWord]), i);
  }
  std::sort(found.begin(), found.end());
  std::vector<ClosedBlock> blocks(found.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    blocks[i].slot = found[i].second;
    s.load_block(s.file.layout().slot(found[i].second) + slot::kCountsWord, blocks[i].counts);
  }
  return blocks;
}

void ShardLedger::mark_collected(std::uint32_t slot) noexcept {
  KANTRIG_ASSERT(slot < slot::kSlots);
  Word& state = state_->words[state_->file.layout().slot(slot) + slot::kStateWord];
  KANTRIG_ASSERT(base::load_acquire(state) == slot::kClosed);
  base::store_release(
      state, slot::kFree);  // pairs with find_free_slot(): whoever fills it does so after our reading
}

}  // namespace kantrig::ledger
