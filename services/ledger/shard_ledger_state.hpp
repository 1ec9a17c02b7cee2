// ShardLedger::State: the file, and what the writer keeps beside it in memory. All of it follows from the
// file.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/assert.hpp"
#include "base/shared_word.hpp"
#include "ledger/layout.hpp"
#include "ledger/ledger_file.hpp"
#include "ledger/redo.hpp"
#include "ledger/shard_ledger.hpp"

namespace kantrig::ledger {

struct ShardLedger::State {
  struct Lane {
    bool used = false;
    std::uint32_t room_bytes = 0;  // of answer_space(), until the commit
    std::uint64_t room_place = 0;
    std::uint64_t instance = 0;  // of its client: tells a reconnect from a newcomer
  };
  struct Source {
    bool used = false;
    SourceId id;
  };
  static constexpr std::uint32_t kNoSource = BlockCounts::kSourcesMax;

  State(LedgerFile f, std::uint64_t unix_ns);

  [[nodiscard]] RedoRecord redo() noexcept { return {words, file.layout().redo_word}; }
  /// The word at which the lane begins.
  [[nodiscard]] std::size_t lane_word(LaneHandle lane) const noexcept {
    KANTRIG_ASSERT(lane.index < lanes.size() && lanes[lane.index].used);
    return file.layout().lane(lane.index);
  }
  /// The word at which the open block's BlockCounts begin. Precondition: a block is open.
  [[nodiscard]] std::size_t block_word() const noexcept {
    KANTRIG_ASSERT(open_block_word != 0);
    return open_block_word;
  }
  [[nodiscard]] std::uint32_t find_source(SourceId id) const noexcept;  // kNoSource: it has no slot
  [[nodiscard]] Counts load_counts(std::size_t word) const noexcept;

  // Blocks.
  void close_open_block(RedoRecord& record, BlockClose reason, std::uint64_t unix_ns) noexcept;
  [[nodiscard]] std::size_t find_free_slot() const noexcept;  // slot::kSlots: none
  void fill_slot(std::size_t index, const BlockKey& key, std::uint64_t unix_ns) noexcept;
  void remember_open_block() noexcept;
  void drop_unused_sources() noexcept;

  // Lanes.
  [[nodiscard]] std::uint32_t find_lane_room(
      std::span<const bool> is_live) const noexcept;  // lanes_max: none
  [[nodiscard]] std::uint32_t find_source_room(SourceId id,
                                               std::uint32_t leaving_lane) const noexcept;  // kNoSource: none

  // Counting.
  void keep_answer(RedoRecord& record, const FinalBatch& batch, std::size_t lane) noexcept;
  void count_disposition(RedoRecord& record, std::uint32_t source_slot, const Counts& n) noexcept;
  void count_on_lane(RedoRecord& record, LaneHandle lane, const Counts& n) noexcept;
  [[nodiscard]] Word lane_counts_key(LaneHandle lane, std::uint64_t run) const noexcept;
  void count_outside(std::optional<LaneHandle> lane, SourceId source, std::uint32_t reason,
                     const Counts& n) noexcept;

  // Reading, from another thread.
  [[nodiscard]] bool try_snapshot(Snapshot& into) const noexcept;
  void load_used(std::size_t word, BlockImage& into) const noexcept;
  void load_block(std::size_t word, BlockCounts& into) const noexcept;

  LedgerFile file;
  Word* words;
  std::size_t open_block_word = 0;  // 0: no block is open
  std::uint64_t open_run = 0;
  std::uint64_t use_count = 0;           // the latest lane::kLastUsed
  std::vector<std::uint64_t> lane_keys;  // source and lane in one word, beside `lanes` for the search
  std::vector<Lane> lanes;
  std::array<Source, BlockCounts::kSourcesMax> sources{};
  alignas(64) base::SequenceLock lock;
  alignas(64) mutable Snapshot last_snapshot;  // the reader's
};

[[nodiscard]] constexpr std::uint64_t lane_key(SourceId source, LaneId lane) noexcept {
  return std::uint64_t{source.value} << 32U | lane.value;
}

}  // namespace kantrig::ledger
