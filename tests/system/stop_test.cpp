// Runs are started and stopped, and the daemon is stopped with SIGTERM, under load: clients wait and lose
// nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/file.hpp"
#include "support/daemon.hpp"
#include "system/checked_lane.hpp"

namespace kantrig::test {
namespace {

constexpr int kRuns = 10;
constexpr int kStops = 5;
constexpr std::uint64_t kSeed = 20'260'103;

class StopTest : public testing::Test {
 protected:
  void SetUp() override {
    const kan::Bundle bundle = kan::load_bundle(daemon_.models() / "jets-1.1.0").value();
    reference_.emplace(EventPool::make(bundle.model, kSeed).value());
    reference_->add_model(bundle);
    ASSERT_TRUE(reference_->add_menu(base::read_file(daemon_.menu_file(), 1U << 20).value()));
    const auto started = daemon_.start();
    ASSERT_TRUE(started) << started.error().message;
    auto load =
        CheckedLoad::start(*reference_, {.endpoint = daemon_.events_endpoint(), .lanes = 2, .seed = kSeed});
    ASSERT_TRUE(load) << load.error().message;
    load_ = std::move(*load);
  }
  [[nodiscard]] std::uint64_t some(std::uint64_t at_most) { return 1 + random_() % at_most; }

  Daemon daemon_;
  std::optional<ReferenceDecisions> reference_;
  std::unique_ptr<CheckedLoad> load_;
  std::mt19937_64 random_{kSeed};
};

TEST_F(StopTest, RunsMayEndAndBeginUnderLoadAndTheirRecordsAddUpToTheClients) {
  std::vector<v1::RunRecord> records;
  for (int i = 0; i < kRuns; ++i) {
    ASSERT_TRUE(load_->progress().wait_for(some(600))) << daemon_.log();
    const auto record = daemon_.stop_run();
    ASSERT_TRUE(record) << record.error().message;
    EXPECT_EQ(record->state(), "stopped");
    records.push_back(*record);
    EXPECT_EQ(daemon_.status().value().state(), "idle");
    const auto run = daemon_.start_run();
    ASSERT_TRUE(run) << run.error().message;
    EXPECT_EQ(*run, record->run() + 1);
  }
  ASSERT_TRUE(load_->progress().wait_for(300));
  load_->finish();
  expect_each_event_decided_once(*load_);
  records.push_back(daemon_.stop_run().value());
  expect_same_blocks(*load_, *reference_, records);

  const client::Statistics sums = load_->statistics();
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;
  std::uint64_t malformed = 0;
  for (const v1::RunRecord& record : records) {
    accepted += record.totals().accepted();
    rejected += record.totals().rejected();
    malformed += record.totals().malformed();
    EXPECT_TRUE(record.clients_agree());
    EXPECT_EQ(daemon_.run_record(record.run()).value().totals().SerializeAsString(),
              record.totals().SerializeAsString());
  }
  EXPECT_EQ(accepted, sums.events_accepted);
  EXPECT_EQ(rejected, sums.events_rejected);
  EXPECT_EQ(malformed, sums.events_malformed);
  EXPECT_EQ(sums.events_refused, 0U);
  EXPECT_EQ(records.back().clients_size(), 2) << "both lanes took their leave in the last run";
  EXPECT_EQ(daemon_.status().value().total_counts().residual(), 0);
  EXPECT_EQ(daemon_.terminate(), 0);
  fmt::print("{{\"runs\": {}, \"seed\": {}, \"events\": {}, \"passing_refusals\": {}}}\n", records.size(),
             kSeed, sums.events_sent, sums.answers_passing);
}

TEST_F(StopTest, SigtermUnderLoadDrainsEndsWithZeroAndTheNextLifeGoesOn) {
  const std::uint64_t run = daemon_.status().value().run();
  for (int i = 0; i < kStops; ++i) {
    ASSERT_TRUE(load_->progress().wait_for(some(600))) << daemon_.log();
    EXPECT_EQ(daemon_.terminate(), 0);
    const auto started = daemon_.start();
    ASSERT_TRUE(started) << started.error().message;
    EXPECT_EQ(daemon_.status().value().run(), run) << "the run goes on";
  }
  ASSERT_TRUE(load_->progress().wait_for(300));
  load_->finish();
  expect_each_event_decided_once(*load_);
  EXPECT_EQ(daemon_.status().value().total_counts().residual(), 0);
  const v1::RunRecord record = daemon_.stop_run().value();
  expect_same_blocks(*load_, *reference_, {record});
  expect_clients_agree(*load_, record);
  EXPECT_EQ(std::ranges::count(record.blocks(), "stop", &v1::BlockRecord::close_reason), 2 * kStops)
      << "at each stop the block under way, and the one in which the clients drained";
  EXPECT_EQ(daemon_.log().find("did not finish in time"), std::string::npos) << daemon_.log();
  EXPECT_EQ(daemon_.terminate(), 0);
  const client::Statistics sums = load_->statistics();
  fmt::print(
      "{{\"stops\": {}, \"seed\": {}, \"events\": {}, \"resent_batches\": {}, \"answered_as_duplicates\": "
      "{}}}\n",
      kStops, kSeed, sums.events_sent, sums.batches_resent, load_->duplicates());
}

}  // namespace
}  // namespace kantrig::test
