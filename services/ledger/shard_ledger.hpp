// ShardLedger: one shard's share of the accounting, in a memory-mapped file that survives SIGKILL. How:
// README.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "ledger/block_counts.hpp"

namespace kantrig::ledger {

/// Fixed when the file is made; the file takes about lanes_max x (answer_bytes_kept + 16 x batches_kept)
/// bytes.
struct LedgerLimits {
  std::uint32_t lanes_max = 64;  // 1..4096
  std::uint32_t batches_kept =
      1024;  // 1..65536; answers kept per lane: the most batches a client may have unanswered
  std::uint32_t answer_bytes_kept =
      4U << 20;  // 4 KiB..1 GiB per lane; must hold the answers to all the credit of a lane,
                 // and two of the largest besides: one in the making, one lost at the wrap
};

/// Index of a lane in this ledger; stable until the lane is dropped.
struct LaneHandle {
  std::uint32_t index = 0;
};

/// Where a sequence stands on its lane.
struct SequenceCheck {
  enum class State : std::uint8_t {
    kNew,        // the next one
    kDuplicate,  // decided before; `answer` is what was answered
    kGap,        // batches before it are missing; `expected` is the next
    kOld,        // decided before, the answer is no longer kept
  };
  State state = State::kNew;
  Sequence expected;
  std::span<const std::byte> answer;  // valid until the next answer_space() on this lane
};

/// A batch that has got its final answer, as it enters the books: decided event by event, or malformed or
/// refused as a whole for a reason that sending it again cannot mend. Either way its sequence is used up and
/// its answer is kept.
struct FinalBatch {
  LaneHandle lane{};
  Sequence sequence{};
  std::uint32_t event_count = 0;  // from the header, independent of the four below
  std::uint32_t accepted = 0;
  std::uint32_t rejected = 0;
  std::uint32_t malformed = 0;
  std::uint32_t refused = 0;
  std::uint32_t reason =
      0;  // kantrig.v1.Reason of the whole batch; of malformed events REASON_NOT_FINITE is implied
  std::uint32_t path = 0;  // kantrig.v1.Path
  std::span<const LineCounts> lines{};
  std::size_t answer_bytes = 0;  // of answer_space(lane), already written there
};

/// One shard's books. All counting goes through a redo record in the file, so that after SIGKILL at any
/// instruction a batch is either wholly in (counts, last sequence and answer) or not at all.
///
/// Threading:  written by its shard's thread; snapshot(), closed_blocks(), mark_collected() and sync() by one
/// other thread. Allocation: none after open().
class ShardLedger {
 public:
  /// Opens or creates `file`; finishes a commit that was cut short; an open block is closed with kRestart.
  /// Errors: cannot be written, full disk, other layout version or limits (the message says which and what to
  /// do).
  [[nodiscard]] static Result<ShardLedger> open(const std::filesystem::path& file, const LedgerLimits& limits,
                                                std::uint64_t unix_ns);
  ShardLedger(ShardLedger&&) noexcept;
  ShardLedger& operator=(ShardLedger&&) noexcept;
  ~ShardLedger();

  // Blocks.
  /// Closes the open block, if there is one, and opens the next. False when no slot is free, since
  /// kBlocksKept closed blocks were not collected: then nothing changed, try later.
  static constexpr std::uint32_t kBlocksKept = 64;
  [[nodiscard]] bool roll_block(const BlockKey& next, BlockClose reason, std::uint64_t unix_ns) noexcept;
  void close_block(BlockClose reason,
                   std::uint64_t unix_ns) noexcept;  // at stop; no block is open afterwards

  // Lanes.
  [[nodiscard]] std::optional<LaneHandle> find_lane(SourceId source, LaneId lane) const noexcept;
  /// Finds or makes the lane. Empty when lanes_max are in use (the least recently used lane without a live
  /// connection is dropped first: `is_live` says which are connected) or kSourcesMax sources are.
  [[nodiscard]] std::optional<LaneHandle> open_lane(SourceId source, LaneId lane,
                                                    std::span<const bool> is_live) noexcept;
  [[nodiscard]] Sequence next_sequence(LaneHandle lane) const noexcept;
  [[nodiscard]] SequenceCheck check(LaneHandle lane, Sequence sequence) const noexcept;
  [[nodiscard]] std::uint32_t lane_count() const noexcept;
  /// A client greets for the lane. Another life of it than the last counts from zero (lane_run_counts); the
  /// same one, back after a reconnect or a restart of the daemon, goes on.
  void begin_instance(LaneHandle lane, std::uint64_t instance) noexcept;
  /// What this lane counted in the present run and this life of its client, for the comparison with the
  /// client's own counts: batches that entered the books, and duplicates. What was refused for a passing
  /// reason is not in it, nor what has no sequence.
  [[nodiscard]] Counts lane_run_counts(LaneHandle lane) const noexcept;
  /// The same for a run that may be over: kept until the lane counts in another one. Zeros when it is not
  /// kept.
  [[nodiscard]] Counts lane_run_counts(LaneHandle lane, RunNumber run) const noexcept;

  /// `bytes` of room in the lane's answer store for the answer to its next batch; older answers go as needed.
  /// Asked again before commit(), it starts over. Precondition: bytes <= answer_bytes_kept.
  [[nodiscard]] std::span<std::byte> answer_space(LaneHandle lane, std::size_t bytes) noexcept;

  // Counting. Precondition: a block is open.
  void commit(const FinalBatch& batch) noexcept;
  void count_duplicate(LaneHandle lane, std::uint32_t events) noexcept;
  /// Refused for a passing reason (the client sends it again), or outside any lane: the sequence is not used
  /// up.
  void count_refused(std::optional<LaneHandle> lane, SourceId source, std::uint32_t reason,
                     std::uint32_t events) noexcept;
  /// Of a message that cannot be tied to a sequence of a lane. Events 0 when the header could not be read.
  void count_malformed(std::optional<LaneHandle> lane, SourceId source, std::uint32_t reason,
                       std::uint32_t events) noexcept;
  void add_time(std::uint64_t live_ns, std::uint64_t busy_ns, std::uint64_t paused_ns) noexcept;

  // From another thread.
  /// The block in progress (all zeros when none is open) and the sum of all blocks since the file was made,
  /// as of one moment (seqlock). Never holds up the writer. When kSnapshotTries readings in a row were
  /// disturbed (by commits, or since the writer lost its CPU in the middle of one), gives the last snapshot,
  /// or the state at open(), once more: as of one moment too, only older, so that `total` never goes back.
  struct Snapshot {
    BlockCounts block;
    BlockCounts total;  // without lines and sources: those mean something only within a block
    std::uint32_t lanes = 0;
  };
  static constexpr std::uint32_t kSnapshotTries = 10'000;
  void snapshot(Snapshot& into) const noexcept;
  /// Closed blocks that nobody collected yet, oldest first; `slot` names one for mark_collected().
  struct ClosedBlock {
    std::uint32_t slot = 0;
    BlockCounts counts;
  };
  [[nodiscard]] std::vector<ClosedBlock> closed_blocks() const;
  void mark_collected(std::uint32_t slot) noexcept;
  /// Writes the file to the disk: against power loss, not needed against SIGKILL. Slow; the writer may go on
  /// meanwhile.
  [[nodiscard]] Result<void> sync() const;

 private:
  struct State;
  explicit ShardLedger(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

}  // namespace kantrig::ledger
