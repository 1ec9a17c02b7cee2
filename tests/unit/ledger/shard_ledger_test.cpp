#include "ledger/shard_ledger.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "unit/ledger/ledger_folder.hpp"

namespace kantrig::ledger {
namespace {

using State = SequenceCheck::State;
using test::commit_with;
using test::key_of;
using test::LedgerFolder;
using test::text_of;

/// A ledger with an open block of run 7 and one lane.
class ShardLedgerTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(ledger_.has_value()) << ledger_.error().message;
    ASSERT_TRUE(ledger_->roll_block(key_of(7, 1, 2), BlockClose::kRun, 2'000));
    const auto lane = ledger_->open_lane(SourceId{5}, LaneId{0}, {});
    ASSERT_TRUE(lane.has_value());
    lane_ = *lane;
  }
  void reopen() {
    ledger_ = Result<ShardLedger>(fail(ErrorCode::kBusy, "closed"));
    ledger_ = folder_.open(test::kSmall, 9'000);
    ASSERT_TRUE(ledger_.has_value()) << ledger_.error().message;
  }
  ShardLedger::Snapshot snapshot() {
    ShardLedger::Snapshot s;
    ledger_->snapshot(s);
    return s;
  }

  LedgerFolder folder_;
  Result<ShardLedger> ledger_ = folder_.open();
  LaneHandle lane_;
};

TEST_F(ShardLedgerTest, CountsADecidedBatchUnderItsBlockSourceAndLane) {
  const std::array lines{LineCounts{5, 4, 3}, LineCounts{0, 0, 0}};
  commit_with(*ledger_,
              {.lane = lane_,
               .event_count = 10,
               .accepted = 3,
               .rejected = 6,
               .malformed = 1,
               .path = 1,
               .lines = lines},
              "a");
  const auto s = snapshot();
  const Counts expected{.received = 10, .accepted = 3, .rejected = 6, .malformed = 1};
  EXPECT_EQ(s.block.totals, expected);
  EXPECT_EQ(s.total.totals, expected);
  EXPECT_EQ(s.block.totals.residual(), 0);
  EXPECT_EQ(s.block.sources[0].id, SourceId{5});
  EXPECT_EQ(s.block.sources[0].counts, expected);
  EXPECT_EQ(ledger_->lane_run_counts(lane_), expected);
  EXPECT_EQ(s.block.batches, 1U);
  EXPECT_EQ(s.block.path_events[1], 9U);
  EXPECT_EQ(s.block.lines[0], (LineCounts{5, 4, 3}));
  EXPECT_EQ(s.block.reasons[7], (ReasonCounts{1, 1}));  // REASON_NOT_FINITE
  EXPECT_EQ(s.lanes, 1U);
}

TEST_F(ShardLedgerTest, ShowsAResidualWhenTheDispositionsDoNotAddUp) {
  commit_with(*ledger_, {.lane = lane_, .event_count = 10, .accepted = 3, .rejected = 6}, "a");
  EXPECT_EQ(snapshot().block.totals.residual(), 1);
}

TEST_F(ShardLedgerTest, CountsAWholeRefusedBatchUnderItsReason) {
  commit_with(*ledger_, {.lane = lane_, .event_count = 4, .refused = 4, .reason = 14}, "no");
  const auto s = snapshot();
  EXPECT_EQ(s.block.totals, (Counts{.received = 4, .refused = 4}));
  EXPECT_EQ(s.block.reasons[14], (ReasonCounts{4, 1}));
  EXPECT_EQ(ledger_->next_sequence(lane_), Sequence{2});
}

TEST_F(ShardLedgerTest, CountsWhatIsRefusedForAPassingReasonWithoutUsingUpTheSequence) {
  ledger_->count_refused(lane_, SourceId{5}, 13, 4);
  EXPECT_EQ(snapshot().block.totals, (Counts{.received = 4, .refused = 4}));
  EXPECT_EQ(snapshot().block.sources[0].counts.refused, 4U);
  EXPECT_EQ(ledger_->next_sequence(lane_), Sequence{1});
  EXPECT_EQ(ledger_->lane_run_counts(lane_), Counts{});
}

TEST_F(ShardLedgerTest, CountsAnUnknownSourceInTheTotalsOnly) {
  ledger_->count_refused(std::nullopt, SourceId{99}, 8, 3);
  ledger_->count_malformed(std::nullopt, SourceId{0}, 1, 0);
  const auto s = snapshot();
  EXPECT_EQ(s.block.totals, (Counts{.received = 3, .refused = 3}));
  EXPECT_EQ(s.block.reasons[8], (ReasonCounts{3, 1}));
  EXPECT_EQ(s.block.reasons[1], (ReasonCounts{0, 1}));
  EXPECT_EQ(s.block.sources[1].used, 0U);
}

TEST_F(ShardLedgerTest, AnswersADuplicateWithTheAnswerThatItKept) {
  commit_with(*ledger_, {.lane = lane_, .event_count = 1, .accepted = 1}, "first");
  commit_with(*ledger_, {.lane = lane_, .event_count = 1, .rejected = 1}, "second");
  const auto check = ledger_->check(lane_, Sequence{1});
  EXPECT_EQ(check.state, State::kDuplicate);
  EXPECT_EQ(text_of(check.answer), "first");
  ledger_->count_duplicate(lane_, 1);
  EXPECT_EQ(snapshot().block.totals, (Counts{.received = 3, .accepted = 1, .rejected = 1, .duplicate = 1}));
}

TEST_F(ShardLedgerTest, TellsTheNextSequenceFromAGap) {
  EXPECT_EQ(ledger_->check(lane_, Sequence{1}).state, State::kNew);
  const auto gap = ledger_->check(lane_, Sequence{3});
  EXPECT_EQ(gap.state, State::kGap);
  EXPECT_EQ(gap.expected, Sequence{1});
  EXPECT_EQ(ledger_->check(lane_, Sequence{0}).state, State::kOld);
}

TEST_F(ShardLedgerTest, CallsASequenceOldOnceItsAnswerIsNoLongerKept) {
  for (int i = 1; i <= 10; ++i)
    commit_with(*ledger_, {.lane = lane_, .event_count = 1, .accepted = 1}, std::to_string(i));
  EXPECT_EQ(ledger_->check(lane_, Sequence{2}).state, State::kOld);
  const auto oldest = ledger_->check(lane_, Sequence{3});
  EXPECT_EQ(oldest.state, State::kDuplicate);
  EXPECT_EQ(text_of(oldest.answer), "3");
}

TEST_F(ShardLedgerTest, NeverGivesAwayRoomThatAKeptAnswerLiesIn) {
  std::uint64_t kept_checks = 0;
  for (std::uint64_t i = 1; i <= 300; ++i) {
    const std::string text((i * 397) % 1500, static_cast<char>('a' + i % 26));
    commit_with(*ledger_, {.lane = lane_, .event_count = 1, .accepted = 1}, text);
    for (std::uint64_t s = i > 8 ? i - 7 : 1; s <= i; ++s) {
      const auto check = ledger_->check(lane_, Sequence{s});
      if (check.state == State::kOld) continue;
      ASSERT_EQ(check.state, State::kDuplicate);
      ASSERT_EQ(text_of(check.answer), std::string((s * 397) % 1500, static_cast<char>('a' + s % 26)))
          << s << " after " << i;
      ++kept_checks;
    }
    ASSERT_EQ(ledger_->check(lane_, Sequence{i}).state, State::kDuplicate);
  }
  EXPECT_GT(kept_checks, 600U);
}

TEST_F(ShardLedgerTest, VoidsAnAnswerBeforeItsRoomIsGivenAway) {
  commit_with(*ledger_, {.lane = lane_, .event_count = 1, .accepted = 1}, std::string(3000, 'x'));
  (void)ledger_->answer_space(lane_, 2000);
  EXPECT_EQ(ledger_->check(lane_, Sequence{1}).state, State::kOld);
  reopen();
  EXPECT_EQ(ledger_->check(lane_, Sequence{1}).state, State::kOld);
}

TEST_F(ShardLedgerTest, HoldsOneAnswerAsLargeAsTheStore) {
  for (int i = 0; i < 3; ++i) {
    const std::string text(4096, static_cast<char>('a' + i));
    commit_with(*ledger_, {.lane = lane_, .event_count = 1, .accepted = 1}, text);
    EXPECT_EQ(text_of(ledger_->check(lane_, ledger_->next_sequence(lane_)).answer), "");
    EXPECT_EQ(text_of(ledger_->check(lane_, Sequence{static_cast<std::uint64_t>(i) + 1}).answer), text);
  }
}

TEST_F(ShardLedgerTest, KnowsLanesSequencesAndAnswersAfterReopening) {
  commit_with(*ledger_, {.lane = lane_, .event_count = 2, .accepted = 2}, "kept");
  reopen();
  const auto lane = ledger_->find_lane(SourceId{5}, LaneId{0});
  ASSERT_TRUE(lane.has_value());
  EXPECT_EQ(ledger_->next_sequence(*lane), Sequence{2});
  EXPECT_EQ(text_of(ledger_->check(*lane, Sequence{1}).answer), "kept");
  EXPECT_EQ(ledger_->lane_run_counts(*lane, RunNumber{7}).accepted, 2U);
}

TEST_F(ShardLedgerTest, ClosesTheOpenBlockWithRestartWhenReopened) {
  commit_with(*ledger_, {.lane = lane_, .event_count = 2, .accepted = 2}, "a");
  reopen();
  const auto blocks = ledger_->closed_blocks();
  ASSERT_EQ(blocks.size(), 1U);
  EXPECT_EQ(blocks[0].counts.close_reason, static_cast<std::uint32_t>(BlockClose::kRestart));
  EXPECT_EQ(blocks[0].counts.stop_unix_ns, 9'000U);
  EXPECT_EQ(blocks[0].counts.totals.accepted, 2U);
  const auto s = snapshot();
  EXPECT_EQ(s.block.open, 0U);
  EXPECT_EQ(s.total.totals.accepted, 2U);
}

TEST_F(ShardLedgerTest, GivesClosedBlocksOldestFirstUntilTheyAreCollected) {
  commit_with(*ledger_, {.lane = lane_, .event_count = 2, .accepted = 2}, "a");
  ASSERT_TRUE(ledger_->roll_block(key_of(7, 2), BlockClose::kTimer, 3'000));
  commit_with(*ledger_, {.lane = lane_, .event_count = 3, .rejected = 3}, "b");
  ledger_->close_block(BlockClose::kStop, 4'000);
  auto blocks = ledger_->closed_blocks();
  ASSERT_EQ(blocks.size(), 2U);
  EXPECT_EQ(blocks[0].counts.key.block, BlockNumber{1});
  EXPECT_EQ(blocks[0].counts.start_unix_ns, 2'000U);
  EXPECT_EQ(blocks[0].counts.stop_unix_ns, 3'000U);
  EXPECT_EQ(blocks[0].counts.close_reason, static_cast<std::uint32_t>(BlockClose::kTimer));
  EXPECT_EQ(blocks[0].counts.open, 0U);
  EXPECT_EQ(blocks[1].counts.totals.rejected, 3U);
  ledger_->mark_collected(blocks[0].slot);
  blocks = ledger_->closed_blocks();
  ASSERT_EQ(blocks.size(), 1U);
  EXPECT_EQ(blocks[0].counts.key.block, BlockNumber{2});
  EXPECT_EQ(snapshot().total.totals, (Counts{.received = 5, .accepted = 2, .rejected = 3}));
}

TEST_F(ShardLedgerTest, RefusesToRollWhenNoClosedBlockWasCollected) {
  std::uint64_t block = 1;
  while (ledger_->roll_block(key_of(7, ++block), BlockClose::kTimer, 3'000)) ASSERT_LT(block, 1'000U);
  EXPECT_EQ(ledger_->closed_blocks().size(), ShardLedger::kBlocksKept);
  commit_with(*ledger_, {.lane = lane_, .event_count = 1, .accepted = 1}, "still counted");
  EXPECT_EQ(snapshot().block.totals.accepted, 1U);
  ledger_->mark_collected(ledger_->closed_blocks()[5].slot);
  EXPECT_TRUE(ledger_->roll_block(key_of(7, block), BlockClose::kTimer, 3'000));
}

TEST_F(ShardLedgerTest, StartsTheCountsOfALaneAnewInTheNextRun) {
  commit_with(*ledger_, {.lane = lane_, .event_count = 2, .accepted = 2}, "a");
  ASSERT_TRUE(ledger_->roll_block(key_of(7, 2), BlockClose::kTimer, 3'000));
  commit_with(*ledger_, {.lane = lane_, .event_count = 1, .accepted = 1}, "b");
  EXPECT_EQ(ledger_->lane_run_counts(lane_).accepted, 3U);

  ASSERT_TRUE(ledger_->roll_block(key_of(0, 1), BlockClose::kRun, 4'000));
  ledger_->count_duplicate(lane_, 1);
  EXPECT_EQ(ledger_->lane_run_counts(lane_), Counts{});
  EXPECT_EQ(ledger_->lane_run_counts(lane_, RunNumber{7}).accepted, 3U);

  ASSERT_TRUE(ledger_->roll_block(key_of(8, 1), BlockClose::kRun, 5'000));
  EXPECT_EQ(ledger_->lane_run_counts(lane_), Counts{});
  commit_with(*ledger_, {.lane = lane_, .event_count = 4, .rejected = 4}, "c");
  EXPECT_EQ(ledger_->lane_run_counts(lane_), (Counts{.received = 4, .rejected = 4}));
  EXPECT_EQ(ledger_->lane_run_counts(lane_, RunNumber{7}), Counts{});
}

TEST_F(ShardLedgerTest, StartsTheCountsOfALaneAnewInTheNextLifeOfItsClient) {
  ledger_->begin_instance(lane_, 111);
  commit_with(*ledger_, {.lane = lane_, .event_count = 2, .accepted = 2}, "a");
  ledger_->begin_instance(lane_, 222);
  EXPECT_EQ(ledger_->lane_run_counts(lane_), Counts{});
  commit_with(*ledger_, {.lane = lane_, .event_count = 3, .rejected = 3}, "b");
  EXPECT_EQ(ledger_->lane_run_counts(lane_), (Counts{.received = 3, .rejected = 3}));
  EXPECT_EQ(ledger_->next_sequence(lane_), Sequence{3});

  reopen();
  ASSERT_TRUE(ledger_->roll_block(key_of(7, 2), BlockClose::kRun, 10'000));
  ledger_->begin_instance(lane_, 222);  // the same life, back after the restart, goes on
  commit_with(*ledger_, {.lane = lane_, .event_count = 4, .accepted = 4}, "c");
  EXPECT_EQ(ledger_->lane_run_counts(lane_), (Counts{.received = 7, .accepted = 4, .rejected = 3}));
}

TEST_F(ShardLedgerTest, AddsUpTimes) {
  ledger_->add_time(100, 40, 0);
  ledger_->add_time(0, 0, 7);
  ASSERT_TRUE(ledger_->roll_block(key_of(7, 2), BlockClose::kTimer, 3'000));
  ledger_->add_time(1, 1, 1);
  const auto s = snapshot();
  EXPECT_EQ(s.block.live_ns, 1U);
  EXPECT_EQ(s.total.live_ns, 101U);
  EXPECT_EQ(s.total.busy_ns, 41U);
  EXPECT_EQ(s.total.paused_ns, 8U);
}

TEST_F(ShardLedgerTest, DropsTheLeastRecentlyUsedLaneThatIsNotLive) {
  for (std::uint32_t l = 1; l < 4; ++l)
    ASSERT_TRUE(ledger_->open_lane(SourceId{5}, LaneId{l}, {}).has_value());
  commit_with(*ledger_, {.lane = lane_, .event_count = 1, .accepted = 1}, "recent");
  EXPECT_EQ(ledger_->lane_count(), 4U);
  const std::array live{false, true, false, false};  // lane 1 is older than lane 2, but connected
  const auto added = ledger_->open_lane(SourceId{6}, LaneId{0}, live);
  ASSERT_TRUE(added.has_value());
  EXPECT_FALSE(ledger_->find_lane(SourceId{5}, LaneId{2}).has_value());
  EXPECT_TRUE(ledger_->find_lane(SourceId{5}, LaneId{1}).has_value());
  EXPECT_TRUE(ledger_->find_lane(SourceId{5}, LaneId{0}).has_value());
  EXPECT_EQ(ledger_->lane_count(), 4U);
  EXPECT_EQ(ledger_->next_sequence(*added), Sequence{1});
  EXPECT_EQ(ledger_->check(*added, Sequence{1}).state, State::kNew);
}

TEST_F(ShardLedgerTest, HasNoRoomForALaneWhenAllAreLive) {
  for (std::uint32_t l = 1; l < 4; ++l)
    ASSERT_TRUE(ledger_->open_lane(SourceId{5}, LaneId{l}, {}).has_value());
  const std::array live{true, true, true, true};
  EXPECT_FALSE(ledger_->open_lane(SourceId{6}, LaneId{0}, live).has_value());
  EXPECT_TRUE(ledger_->open_lane(SourceId{5}, LaneId{3}, live).has_value());
}

TEST(ShardLedger, HasNoRoomForALaneWhenEverySourceOfTheBlockCounted) {
  const LedgerFolder folder;
  auto ledger = folder.open({.lanes_max = 100, .batches_kept = 8, .answer_bytes_kept = 4096});
  ASSERT_TRUE(ledger.has_value());
  ASSERT_TRUE(ledger->roll_block(key_of(1, 1), BlockClose::kRun, 1));
  for (std::uint32_t s = 1; s <= BlockCounts::kSourcesMax; ++s) {
    const auto lane = ledger->open_lane(SourceId{s}, LaneId{0}, {});
    ASSERT_TRUE(lane.has_value());
    commit_with(*ledger, {.lane = *lane, .event_count = s, .accepted = s}, "a");
  }
  EXPECT_FALSE(ledger->open_lane(SourceId{65}, LaneId{0}, {}).has_value());
  EXPECT_TRUE(ledger->open_lane(SourceId{64}, LaneId{1}, {}).has_value());
  ShardLedger::Snapshot s;
  ledger->snapshot(s);
  for (std::uint32_t i = 0; i < BlockCounts::kSourcesMax; ++i) {
    EXPECT_EQ(s.block.sources[i].counts.accepted, s.block.sources[i].id.value);
  }
}

TEST(ShardLedger, GivesTheSlotOfASourceWithoutLanesToAnotherInTheNextBlock) {
  const LedgerFolder folder;
  auto ledger = folder.open({.lanes_max = 1, .batches_kept = 8, .answer_bytes_kept = 4096});
  ASSERT_TRUE(ledger.has_value());
  ASSERT_TRUE(ledger->roll_block(key_of(1, 1), BlockClose::kRun, 1));
  for (std::uint32_t s = 1; s <= 200; ++s) {
    const auto lane = ledger->open_lane(SourceId{s}, LaneId{0}, {});
    ASSERT_TRUE(lane.has_value()) << s;
    commit_with(*ledger, {.lane = *lane, .event_count = 1, .accepted = 1}, "a");
    if (s % 50 == 0) {
      ASSERT_TRUE(ledger->roll_block(key_of(1, 1 + s / 50), BlockClose::kTimer, 1));
      EXPECT_EQ(ledger->closed_blocks().back().counts.totals.accepted, 50U);
    }
  }
}

TEST(ShardLedger, NamesEveryReasonForClosingABlock) {
  EXPECT_EQ(name_of(BlockClose::kTimer), "timer");
  EXPECT_EQ(name_of(BlockClose::kRestart), "restart");
}

}  // namespace
}  // namespace kantrig::ledger
