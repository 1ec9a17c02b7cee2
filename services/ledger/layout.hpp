// Where things lie in a ledger file, in words of 8 bytes. The picture: README.md.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "ledger/block_counts.hpp"
#include "ledger/shard_ledger.hpp"

namespace kantrig::ledger {

using Word = std::uint64_t;
inline constexpr std::size_t kWordBytes = sizeof(Word);

inline constexpr Word kMagic = 0x72656764656c746bU;  // "ktledger" in the file
inline constexpr Word kLayoutVersion = 1;  // raise it with any change of this file or of BlockCounts

namespace header {  // words from the start of the file
enum : std::size_t {
  kMagicWord,
  kVersionWord,
  kBlockBytesWord,
  kLanesMaxWord,
  kBatchesKeptWord,
  kAnswerBytesWord,
  kCreatedWord,    // Unix time, ns
  kOpenSlotWord,   // index + 1 of the open block's slot; 0: no block is open
  kNextOrderWord,  // closed blocks are numbered in the order of their closing
  kLaneCountWord,
  kEnd,
};
}  // namespace header

namespace redo {                                // words of the redo record
inline constexpr std::size_t kCountWord = 0;    // entries to be stored; 0: nothing is under way
inline constexpr std::size_t kEntriesWord = 1;  // pairs of word, new value
inline constexpr std::size_t kEntriesMax = 384;
}  // namespace redo

namespace slot {  // words of a block's slot
enum : std::size_t { kStateWord, kOrderWord, kCountsWord };
enum State : Word { kFree, kOpen, kClosed };
inline constexpr std::size_t kSlots = ShardLedger::kBlocksKept + 1;
inline constexpr std::size_t kWords = (kCountsWord + sizeof(BlockCounts) / kWordBytes + 7) / 8 * 8;
}  // namespace slot

namespace counts {  // words of Counts
inline constexpr std::size_t kReceived = offsetof(Counts, received) / kWordBytes;
inline constexpr std::size_t kAccepted = offsetof(Counts, accepted) / kWordBytes;
inline constexpr std::size_t kRejected = offsetof(Counts, rejected) / kWordBytes;
inline constexpr std::size_t kDuplicate = offsetof(Counts, duplicate) / kWordBytes;
inline constexpr std::size_t kMalformed = offsetof(Counts, malformed) / kWordBytes;
inline constexpr std::size_t kRefused = offsetof(Counts, refused) / kWordBytes;
inline constexpr std::size_t kWords = sizeof(Counts) / kWordBytes;
}  // namespace counts

namespace block {  // words of BlockCounts
inline constexpr std::size_t kColumnAndLineCount = offsetof(BlockCounts, key.column) / kWordBytes;
inline constexpr std::size_t kStop = offsetof(BlockCounts, stop_unix_ns) / kWordBytes;
inline constexpr std::size_t kCloseAndOpen = offsetof(BlockCounts, close_reason) / kWordBytes;
inline constexpr std::size_t kTotals = offsetof(BlockCounts, totals) / kWordBytes;
inline constexpr std::size_t kBatches = offsetof(BlockCounts, batches) / kWordBytes;
inline constexpr std::size_t kPaths = offsetof(BlockCounts, path_events) / kWordBytes;
inline constexpr std::size_t kLive = offsetof(BlockCounts, live_ns) / kWordBytes;
inline constexpr std::size_t kBusy = offsetof(BlockCounts, busy_ns) / kWordBytes;
inline constexpr std::size_t kPaused = offsetof(BlockCounts, paused_ns) / kWordBytes;
inline constexpr std::size_t kLines = offsetof(BlockCounts, lines) / kWordBytes;
inline constexpr std::size_t kReasons = offsetof(BlockCounts, reasons) / kWordBytes;
inline constexpr std::size_t kSources = offsetof(BlockCounts, sources) / kWordBytes;
inline constexpr std::size_t kSourceWords = sizeof(BlockCounts::Source) / kWordBytes;
inline constexpr std::size_t kWords = sizeof(BlockCounts) / kWordBytes;

/// What is added up over all blocks: the words from kTotals up to kLines, and those from kReasons up to
/// kSources.
[[nodiscard]] constexpr bool is_summed(std::size_t word) noexcept {
  return (word >= kTotals && word < kLines) || (word >= kReasons && word < kSources);
}
[[nodiscard]] constexpr std::size_t source_counts(std::size_t index) noexcept {
  return kSources + index * kSourceWords + offsetof(BlockCounts::Source, counts) / kWordBytes;
}

static_assert(sizeof(BlockCounts) % kWordBytes == 0 && offsetof(BlockCounts, close_reason) % kWordBytes == 0);
static_assert(offsetof(BlockCounts, key.column) % kWordBytes == 0);
static_assert(offsetof(BlockCounts, key.line_count) == offsetof(BlockCounts, key.column) + 4);
static_assert(offsetof(BlockCounts, open) == offsetof(BlockCounts, close_reason) + 4);
static_assert(offsetof(BlockCounts::Source, id) == 0 && offsetof(BlockCounts::Source, used) == 4);
static_assert(sizeof(LineCounts) == 3 * kWordBytes && sizeof(ReasonCounts) == 2 * kWordBytes);
static_assert(kLive < kLines && kBusy < kLines && kPaused < kLines);
}  // namespace block

using BlockImage = std::array<Word, block::kWords>;  // BlockCounts as it lies in the file

namespace lane {  // words of a lane
enum : std::size_t {
  kUsed,
  kSource,
  kLane,
  kNext,        // sequence
  kOldest,      // the oldest sequence whose answer is kept; == kNext: none is
  kRingHead,    // place behind the newest answer; places only grow, place % answer_bytes_kept is the byte
  kLastUsed,    // larger: later
  kSourceSlot,  // index into BlockCounts::sources
  kCountsKey,   // whose kCounts are: a run and a life of the client in one word
  kCounts,
  kWords = kCounts + counts::kWords,
};
static_assert(kWords == 16, "two cache lines");
}  // namespace lane

namespace answer {  // words of an answer's entry
enum : std::size_t { kPlace, kBytes, kWords };
}  // namespace answer

static_assert(redo::kEntriesMax > 3 * kLinesMax + 64, "the largest commit");
static_assert(redo::kEntriesMax > block::kLines - block::kTotals + 2 * kReasonsMax + 16,
              "the roll of a block");

/// The places that depend on the limits. All offsets in words, cache-line aligned.
struct Layout {
  explicit constexpr Layout(const LedgerLimits& l) noexcept
      : limits(l),
        entries_per_lane(std::bit_ceil(l.batches_kept)),
        redo_word(align(header::kEnd)),
        sum_word(align(redo_word + redo::kEntriesWord + 2 * (redo::kEntriesMax + 1))),
        slots_word(align(sum_word + block::kWords)),
        lanes_word(align(slots_word + slot::kSlots * slot::kWords)),
        entries_word(align(lanes_word + l.lanes_max * lane::kWords)),
        rings_word(align(entries_word + std::size_t{l.lanes_max} * entries_per_lane * answer::kWords)),
        ring_words(align((l.answer_bytes_kept + kWordBytes - 1) / kWordBytes)),
        bytes((rings_word + l.lanes_max * ring_words) * kWordBytes) {}

  [[nodiscard]] constexpr std::size_t slot(std::size_t index) const noexcept {
    return slots_word + index * slot::kWords;
  }
  [[nodiscard]] constexpr std::size_t lane(std::size_t index) const noexcept {
    return lanes_word + index * lane::kWords;
  }
  [[nodiscard]] constexpr std::size_t entry(std::size_t lane_index, std::uint64_t sequence) const noexcept {
    return entries_word +
           (lane_index * entries_per_lane + (sequence & (entries_per_lane - 1))) * answer::kWords;
  }
  [[nodiscard]] constexpr std::size_t ring_byte(std::size_t lane_index) const noexcept {
    return (rings_word + lane_index * ring_words) * kWordBytes;
  }

  LedgerLimits limits;
  std::size_t entries_per_lane;  // a power of two, so that a sequence finds its entry by its low bits
  std::size_t redo_word;
  std::size_t sum_word;
  std::size_t slots_word;
  std::size_t lanes_word;
  std::size_t entries_word;
  std::size_t rings_word;
  std::size_t ring_words;
  std::size_t bytes;

 private:
  [[nodiscard]] static constexpr std::size_t align(std::size_t words) noexcept { return (words + 7) / 8 * 8; }
};

}  // namespace kantrig::ledger
