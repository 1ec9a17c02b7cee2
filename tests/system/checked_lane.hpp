// CheckedLane: a client that sends batches of all kinds as fast as it may, and holds every answer to the
// reference.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "client/client.hpp"
#include "kantrig/v1/record.pb.h"
#include "system/reference_decisions.hpp"

namespace kantrig::test {

/// What was decided under one block, as the clients saw it.
struct BlockTally {
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;
  std::uint64_t malformed = 0;
  std::uint64_t generation = 0;
  DigestBytes model{};
  DigestBytes menu{};
  std::uint32_t column = 0;
};
using BlockName = std::pair<std::uint64_t, std::uint64_t>;  // run, block

/// How many batches were answered, for whoever waits for more of them.
class Progress {
 public:
  /// `round_trip_ns`: from the batch's first sending to its answer.
  void add_one(std::uint64_t round_trip_ns);
  /// Waits until `more` further batches are answered. False when that took longer than half a minute.
  [[nodiscard]] bool wait_for(std::uint64_t more);
  [[nodiscard]] std::uint64_t answered();
  /// The longest round trip of all batches answered since this was asked last.
  [[nodiscard]] std::uint64_t take_longest_ns();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t answered_ = 0;
  std::uint64_t longest_ns_ = 0;
};

class CheckedLane {
 public:
  struct Options {
    std::string endpoint;
    std::uint32_t lane = 0;
    std::uint64_t seed = 0;
    std::uint32_t pending_max = 128;
  };
  CheckedLane(const ReferenceDecisions& reference, Progress& progress, Options options);

  [[nodiscard]] Result<void> connect();
  /// In a thread of its own: sends until `stop`, then takes the last answers, says Bye and keeps what that
  /// gave.
  void run(const std::atomic<bool>& stop);

  // After run():
  [[nodiscard]] const Result<wire::Bye>& farewell() const { return farewell_; }
  [[nodiscard]] const client::Statistics& statistics() const { return client_->statistics(); }
  /// The first few things that were wrong.
  [[nodiscard]] const std::vector<std::string>& faults() const { return faults_; }
  /// How often each event was answered, by event id.
  [[nodiscard]] const std::vector<std::uint8_t>& answers() const { return answers_; }
  [[nodiscard]] const std::map<BlockName, BlockTally>& blocks() const { return blocks_; }
  [[nodiscard]] std::uint64_t duplicates() const {
    return duplicates_;
  }  // batches answered from the kept answers
  /// Events by who decided them: wire::Path as a number.
  [[nodiscard]] const std::array<std::uint64_t, 3>& events_by_path() const { return events_by_path_; }

 private:
  void submit_one();
  void take(const Cut& cut, const client::Answer& answer);
  void note(const wire::DecisionView& decision);
  void add_fault(std::string fault);

  const ReferenceDecisions& reference_;
  Progress& progress_;
  Options options_;
  AnswerCheck check_;
  std::mt19937_64 random_;
  std::unique_ptr<client::Client> client_;
  std::uint64_t next_event_id_ = 0;
  Result<wire::Bye> farewell_ = fail(ErrorCode::kNotFound, "no farewell yet");
  std::vector<std::string> faults_;
  std::vector<std::uint8_t> answers_;
  std::map<BlockName, BlockTally> blocks_;
  std::uint64_t duplicates_ = 0;
  std::array<std::uint64_t, 3> events_by_path_{};
};

/// Several lanes of source 1, each in its thread.
class CheckedLoad {
 public:
  struct Options {
    std::string endpoint;
    std::uint32_t lanes = 2;
    std::uint64_t seed = 0;
    std::uint32_t pending_max = 128;  // batches of a lane in flight
  };
  /// Connects all lanes and lets them go.
  [[nodiscard]] static Result<std::unique_ptr<CheckedLoad>> start(const ReferenceDecisions& reference,
                                                                  const Options& options);
  ~CheckedLoad();
  [[nodiscard]] Progress& progress() { return progress_; }
  /// No more batches; waits for the last answers and the farewells.
  void finish();

  // After finish():
  [[nodiscard]] const std::vector<std::unique_ptr<CheckedLane>>& lanes() const { return lanes_; }
  [[nodiscard]] std::map<BlockName, BlockTally> blocks() const;
  [[nodiscard]] client::Statistics statistics() const;
  [[nodiscard]] std::uint64_t duplicates() const;
  [[nodiscard]] std::array<std::uint64_t, 3> events_by_path() const;

 private:
  CheckedLoad() = default;
  Progress progress_;
  std::atomic<bool> stop_ = false;
  std::vector<std::unique_ptr<CheckedLane>> lanes_;
  std::vector<std::jthread> threads_;
};

/// Every event was answered exactly once, with the right bits, and every lane took its leave.
void expect_each_event_decided_once(const CheckedLoad& load);
/// Each block of the records holds what the clients were told under it, under the same conditions; residuals
/// are 0.
void expect_same_blocks(const CheckedLoad& load, const ReferenceDecisions& reference,
                        const std::vector<v1::RunRecord>& records);
/// The client's counts that the record keeps of each lane are the client's own, and equal the ledger's. For a
/// load that lived within one run.
void expect_clients_agree(const CheckedLoad& load, const v1::RunRecord& record);

}  // namespace kantrig::test
