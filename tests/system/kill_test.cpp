// The daemon is killed with SIGKILL again and again under load; every event must still get exactly one
// decision.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/file.hpp"
#include "support/daemon.hpp"
#include "system/checked_lane.hpp"

namespace kantrig::test {
namespace {

constexpr int kKills = 20;
constexpr std::uint64_t kSeed = 20'260'101;

ReferenceDecisions reference_for(const Daemon& daemon) {
  const auto bundle = kan::load_bundle(daemon.models() / "jets-1.1.0");
  auto pool = EventPool::make(bundle.value().model, kSeed);
  ReferenceDecisions reference(std::move(pool.value()));
  reference.add_model(*bundle);
  EXPECT_TRUE(reference.add_menu(base::read_file(daemon.menu_file(), 1U << 20).value()));
  return reference;
}

class Kill : public testing::TestWithParam<int> {};

INSTANTIATE_TEST_SUITE_P(Shards, Kill, testing::Values(1, 2), testing::PrintToStringParamName());

TEST_P(Kill, TwentyTimesUnderLoadLosesNoEventAndDecidesNoneTwice) {
  Daemon daemon({fmt::format("events.shards={}", GetParam())});
  ASSERT_TRUE(daemon.start());
  const ReferenceDecisions reference = reference_for(daemon);
  const std::uint64_t run = daemon.status().value().run();
  auto load =
      CheckedLoad::start(reference, {.endpoint = daemon.events_endpoint(), .lanes = 2, .seed = kSeed});
  ASSERT_TRUE(load) << load.error().message;

  std::mt19937_64 random(kSeed);
  for (int i = 0; i < kKills; ++i) {
    ASSERT_TRUE((*load)->progress().wait_for(1 + random() % 500)) << "no answers before kill " << i << "\n"
                                                                  << daemon.log();
    daemon.kill();
    const auto started = daemon.start();
    ASSERT_TRUE(started) << started.error().message;
    EXPECT_EQ(daemon.status().value().run(), run) << "the run goes on";
  }
  ASSERT_TRUE((*load)->progress().wait_for(500));
  (*load)->finish();
  expect_each_event_decided_once(**load);

  const auto status = daemon.status().value();
  EXPECT_EQ(status.run_counts().residual(), 0);
  EXPECT_EQ(status.total_counts().residual(), 0);
  const auto record = daemon.stop_run();
  ASSERT_TRUE(record) << record.error().message;
  expect_same_blocks(**load, reference, {*record});
  expect_clients_agree(**load, *record);
  EXPECT_EQ(std::ranges::count(record->blocks(), "restart", &v1::BlockRecord::close_reason), kKills);
  EXPECT_EQ(daemon.terminate(), 0);

  const client::Statistics sums = (*load)->statistics();
  EXPECT_GE(sums.reconnects, std::uint64_t{kKills});
  EXPECT_GT((*load)->duplicates(), 0U)
      << "no kill came between a decision and its answer: the test has shown too little";
  EXPECT_EQ(record->totals().accepted(), sums.events_accepted);
  EXPECT_EQ(record->totals().rejected(), sums.events_rejected);
  EXPECT_EQ(record->totals().malformed(), sums.events_malformed);
  fmt::print(
      "{{\"kills\": {}, \"shards\": {}, \"seed\": {}, \"events\": {}, \"batches\": {}, \"resent_batches\": "
      "{}, "
      "\"answered_as_duplicates\": {}, \"duplicate_events\": {}, \"residual\": {}}}\n",
      kKills, GetParam(), kSeed, sums.events_sent, sums.batches_answered, sums.batches_resent,
      (*load)->duplicates(), record->totals().duplicate(), record->totals().residual());
}

}  // namespace
}  // namespace kantrig::test
