// RunBook: the runs and their records, one JSON file a run, made of the blocks that the shards closed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "ledger/block_counts.hpp"

namespace kantrig::ledger {

/// What one line number meant in a block.
struct LineLabel {
  std::string name;
  std::string kind;            // accept or veto
  std::uint64_t prescale = 0;  // in the block's column; 0: off
};

/// The names behind a block's numbers, which the ledger's file does not hold. After a restart they may be
/// unknown: what is missing is left empty, and a line without a label is called "line <number>".
struct BlockLabels {
  std::string model;  // <name>-<version>
  std::string column;
  std::vector<LineLabel> lines;
};

/// One shard's part of a block, as collected from its ledger.
struct CollectedBlock {
  std::uint32_t shard = 0;
  BlockCounts counts;
  BlockLabels labels;
};

/// What a client said in its Bye, and what the ledger counted for its lane in that run up to then.
struct ClientReport {
  RunNumber run;
  SourceId source;
  LaneId lane;
  std::uint64_t instance = 0;  // of the client: a second report of the same life replaces the first
  std::uint64_t sent = 0;
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;
  std::uint64_t malformed = 0;
  std::uint64_t refused = 0;
  Counts ledger;  // ShardLedger::lane_run_counts(lane, run)
};

struct LineTotal {
  LineLabel label;  // with the prescale of the last block
  LineCounts counts;
};

/// A record in short.
struct RunSummary {
  RunNumber run;
  bool running = false;
  std::uint64_t start_unix_ns = 0;
  std::uint64_t stop_unix_ns = 0;
  std::filesystem::path path;
  std::uint32_t block_count = 0;
  BlockNumber last_block;  // 0: none was recorded yet
  Counts totals;           // of the recorded blocks
  std::vector<LineTotal> lines;
  std::uint32_t client_count = 0;
  bool residual_is_zero = true;
  bool clients_agree = true;
};

/// Every change is in the record's file, whole, when the call returns; after an error nothing has changed,
/// here or there. A record grows by some kilobytes with each block and shard and is written anew each time.
///
/// Threading: owned by the control thread. Writes and syncs files: not for the data path.
class RunBook {
 public:
  static constexpr std::uint32_t kClientsMax = 10'000;  // reports in one record

  /// Makes `folder` if need be, finds the last run, and takes it up again when it was not stopped.
  [[nodiscard]] static Result<RunBook> open(const std::filesystem::path& folder, std::string daemon_version);
  RunBook(RunBook&&) noexcept;
  RunBook& operator=(RunBook&&) noexcept;
  ~RunBook();

  /// The run that is on; 0: none.
  [[nodiscard]] RunNumber current() const noexcept;
  /// Begins the run after the last one. Errors: one is on (kBusy), or the record cannot be written.
  [[nodiscard]] Result<RunNumber> start(const std::string& comment, std::uint64_t unix_ns);
  /// Ends the run that is on. Its last blocks may be merged before or after.
  [[nodiscard]] Result<RunSummary> stop(const std::string& comment, std::uint64_t unix_ns);

  /// Enters blocks of any run into its record; a block and shard that are there already are replaced. Blocks
  /// between runs (run 0) leave no trace. Once this succeeded the blocks may be marked as collected.
  [[nodiscard]] Result<void> merge(std::span<const CollectedBlock> blocks);
  /// Enters a client's own counts and whether they equal what the ledger counted for its lane in this life of
  /// it.
  [[nodiscard]] Result<void> add_client(const ClientReport& report);

  [[nodiscard]] Result<RunSummary> summary(RunNumber run) const;
  /// The record as it stands in its file.
  [[nodiscard]] Result<std::string> to_json(RunNumber run) const;
  [[nodiscard]] std::filesystem::path path_of(RunNumber run) const;

 private:
  struct State;
  explicit RunBook(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

}  // namespace kantrig::ledger
