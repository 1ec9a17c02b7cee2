// ShardLedger: one shard's share of the accounting, in a memory-mapped file that survives SIGKILL. How: README.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/digest.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"

namespace kantrig::ledger {

inline constexpr std::uint32_t kLinesMax = 64;
inline constexpr std::uint32_t kReasonsMax = 32;   // of decision.proto, by number
inline constexpr std::uint32_t kPathsMax = 3;

/// Every event ends in exactly one final disposition: received = accepted + rejected + duplicate + malformed + refused
/// + in_flight.
struct Counts {
  std::uint64_t received = 0;
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;
  std::uint64_t duplicate = 0;
  std::uint64_t malformed = 0;
  std::uint64_t refused = 0;
  std::uint64_t in_flight = 0;

  [[nodiscard]] std::int64_t residual() const noexcept;
  Counts& operator+=(const Counts& other) noexcept;
};

struct LineCounts {
  std::uint64_t before_prescale = 0;
  std::uint64_t after_prescale = 0;
  std::uint64_t after_veto = 0;
};

struct ReasonCounts {
  std::uint64_t events = 0;
  std::uint64_t batches = 0;
};

/// What a block is: the longest stretch under one run, generation, menu and prescale column.
struct BlockKey {
  RunNumber run;  // 0: between runs
  BlockNumber block;
  Generation generation;
  std::uint32_t column = 0;
  std::uint32_t line_count = 0;
  base::Digest model_digest;
  base::Digest menu_digest;
};

/// What a block counted. Plain data: it lies in the file as it is.
struct BlockCounts {
  struct Source {
    SourceId id;
    std::uint32_t used = 0;
    Counts counts;
  };
  static constexpr std::uint32_t kSourcesMax = 64;

  BlockKey key;
  std::uint64_t start_unix_ns = 0;
  std::uint64_t stop_unix_ns = 0;
  std::uint32_t close_reason = 0;  // BlockClose
  std::uint32_t open = 0;
  Counts totals;
  std::uint64_t batches = 0;
  std::array<std::uint64_t, kPathsMax> path_events{};
  std::uint64_t live_ns = 0;    // a run was on and credit was given
  std::uint64_t busy_ns = 0;    // of live: deciding
  std::uint64_t paused_ns = 0;  // no run, or draining
  std::array<LineCounts, kLinesMax> lines{};
  std::array<ReasonCounts, kReasonsMax> reasons{};
  std::array<Source, kSourcesMax> sources{};
};

enum class BlockClose : std::uint32_t { kTimer, kModel, kMenu, kColumn, kRun, kStop, kRestart };
[[nodiscard]] std::string_view name_of(BlockClose reason) noexcept;

struct LedgerLimits {
  std::uint32_t lanes_max = 64;
  std::uint32_t batches_kept = 1024;              // answers kept per lane: the most batches a client may have unanswered
  std::uint32_t answer_bytes_kept = 4U << 20;     // per lane; must hold the answers to all the credit of a lane
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
  std::span<const std::byte> answer;  // valid until the next commit on this lane
};

/// A batch that has got its final answer, as it enters the books: decided event by event, or malformed or refused as a
/// whole for a reason that sending it again cannot mend. Either way its sequence is used up and its answer is kept.
struct FinalBatch {
  LaneHandle lane;
  Sequence sequence;
  std::uint32_t event_count = 0;  // from the header, independent of the four below
  std::uint32_t accepted = 0;
  std::uint32_t rejected = 0;
  std::uint32_t malformed = 0;
  std::uint32_t refused = 0;
  std::uint32_t reason = 0;       // kantrig.v1.Reason of the whole batch; of malformed events REASON_NOT_FINITE is implied
  std::uint32_t path = 0;         // kantrig.v1.Path
  std::span<const LineCounts> lines;
  std::size_t answer_bytes = 0;   // of answer_space(lane), already written there
};

/// One shard's books. All counting goes through a redo record in the file, so that after SIGKILL at any instruction a
/// batch is either wholly in (counts, last sequence and answer) or not at all.
///
/// Threading:  written by its shard's thread; snapshot(), closed_blocks() and mark_collected() by one other thread.
/// Allocation: none after open().
class ShardLedger {
 public:
  /// Opens or creates `file`; finishes a commit that was cut short; an open block is closed with kRestart.
  /// Errors: cannot be written, full disk, other layout version or limits (the message says which and what to do).
  [[nodiscard]] static Result<ShardLedger> open(const std::filesystem::path& file, const LedgerLimits& limits,
                                                std::uint64_t unix_ns);
  ShardLedger(ShardLedger&&) noexcept;
  ShardLedger& operator=(ShardLedger&&) noexcept;
  ~ShardLedger();

  // Blocks.
  /// False when no slot for a closed block is free (none was collected): then nothing changed, try later.
  [[nodiscard]] bool roll_block(const BlockKey& next, BlockClose reason, std::uint64_t unix_ns) noexcept;
  void close_block(BlockClose reason, std::uint64_t unix_ns) noexcept;  // at stop; no block is open afterwards

  // Lanes.
  [[nodiscard]] std::optional<LaneHandle> find_lane(SourceId source, LaneId lane) const noexcept;
  /// Finds or makes the lane. Empty when lanes_max are in use (the least recently used lane without a live connection
  /// is dropped first: `is_live` says which are connected) or kSourcesMax sources are.
  [[nodiscard]] std::optional<LaneHandle> open_lane(SourceId source, LaneId lane, std::span<const bool> is_live) noexcept;
  [[nodiscard]] Sequence next_sequence(LaneHandle lane) const noexcept;
  [[nodiscard]] SequenceCheck check(LaneHandle lane, Sequence sequence) const noexcept;
  [[nodiscard]] std::uint32_t lane_count() const noexcept;
  /// What this lane counted in the present run: for the comparison with the client's own counts.
  [[nodiscard]] Counts lane_run_counts(LaneHandle lane) const noexcept;

  /// At least `bytes` of room in the lane's answer store for the answer to its next batch; older answers go as needed.
  /// Precondition: bytes <= answer_bytes_kept.
  [[nodiscard]] std::span<std::byte> answer_space(LaneHandle lane, std::size_t bytes) noexcept;

  // Counting. Precondition: a block is open.
  void commit(const FinalBatch& batch) noexcept;
  void count_duplicate(LaneHandle lane, std::uint32_t events) noexcept;
  /// Refused for a passing reason (the client sends it again), or outside any lane: the sequence is not used up.
  void count_refused(std::optional<LaneHandle> lane, SourceId source, std::uint32_t reason, std::uint32_t events) noexcept;
  /// Of a message that cannot be tied to a sequence of a lane. Events 0 when the header could not be read.
  void count_malformed(std::optional<LaneHandle> lane, SourceId source, std::uint32_t reason, std::uint32_t events) noexcept;
  void add_time(std::uint64_t live_ns, std::uint64_t busy_ns, std::uint64_t paused_ns) noexcept;

  // From another thread.
  /// The block in progress and the sum of all blocks since the file was made, read as of one moment (seqlock).
  struct Snapshot {
    BlockCounts block;
    BlockCounts total;  // lines of `total` are not kept: they mean something only under one menu
    std::uint32_t lanes = 0;
  };
  void snapshot(Snapshot& into) const noexcept;
  /// Closed blocks that nobody collected yet, oldest first; `slot` names one for mark_collected().
  struct ClosedBlock {
    std::uint32_t slot = 0;
    BlockCounts counts;
  };
  [[nodiscard]] std::vector<ClosedBlock> closed_blocks() const;
  void mark_collected(std::uint32_t slot) noexcept;

 private:
  struct State;
  explicit ShardLedger(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

}  // namespace kantrig::ledger
