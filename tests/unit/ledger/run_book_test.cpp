#include "ledger/run_book.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/temporary_folder.hpp"

namespace kantrig::ledger {
namespace {

using testing::HasSubstr;

class RunBookTest : public testing::Test {
 protected:
  void SetUp() override { reopen(); }
  void reopen() {
    book_ = RunBook::open(runs_, "0.1.0");
    ASSERT_TRUE(book_.has_value()) << book_.error().message;
  }
  [[nodiscard]] static CollectedBlock block(std::uint64_t run, std::uint64_t number, std::uint32_t shard,
                                            const Counts& counts) {
    CollectedBlock b;
    b.shard = shard;
    b.counts.key.run = RunNumber{run};
    b.counts.key.block = BlockNumber{number};
    b.counts.key.generation = Generation{1};
    b.counts.key.line_count = 2;
    b.counts.start_unix_ns = 1'000 * number;
    b.counts.stop_unix_ns = 1'000 * number + 999;
    b.counts.totals = counts;
    b.counts.batches = 1;
    b.counts.path_events[1] = counts.accepted + counts.rejected;
    b.counts.live_ns = 1'500'000'000;
    b.counts.lines[0] = {counts.accepted, counts.accepted, counts.accepted};
    b.counts.lines[1] = {1, 0, 0};
    b.counts.sources[0] = {SourceId{5}, 1, counts};
    b.labels = {"jets-1.1.0", "physics", {{"two_prong", "accept", 1}, {"noise", "veto", 10}}};
    return b;
  }
  [[nodiscard]] RunSummary summary(std::uint64_t run) {
    auto s = book_->summary(RunNumber{run});
    EXPECT_TRUE(s.has_value()) << s.error().message;
    return s.value_or(RunSummary{});
  }
  void merge(const CollectedBlock& b) {
    const auto merged = book_->merge(std::span(&b, 1));
    ASSERT_TRUE(merged.has_value()) << merged.error().message;
  }

  test::TemporaryFolder folder_;
  std::filesystem::path runs_ = folder_.path() / "runs";
  Result<RunBook> book_ = fail(ErrorCode::kBusy, "not open");
};

constexpr Counts kTen{.received = 10, .accepted = 4, .rejected = 6};

TEST_F(RunBookTest, NumbersRunsFromOneUpAcrossRestarts) {
  EXPECT_EQ(book_->current(), RunNumber{0});
  EXPECT_EQ(book_->start("first", 100).value_or(RunNumber{}), RunNumber{1});
  EXPECT_EQ(book_->current(), RunNumber{1});
  ASSERT_TRUE(book_->stop("done", 200).has_value());
  reopen();
  EXPECT_EQ(book_->current(), RunNumber{0});
  EXPECT_EQ(book_->start("second", 300).value_or(RunNumber{}), RunNumber{2});
  EXPECT_TRUE(std::filesystem::exists(runs_ / "run-000002.json"));
}

TEST_F(RunBookTest, TakesUpARunThatWasNotStopped) {
  ASSERT_TRUE(book_->start("first", 100).has_value());
  merge(block(1, 1, 0, kTen));
  reopen();
  EXPECT_EQ(book_->current(), RunNumber{1});
  EXPECT_EQ(summary(1).totals, kTen);
  EXPECT_EQ(summary(1).last_block, BlockNumber{1});
  EXPECT_EQ(book_->start("again", 200).error().code, ErrorCode::kBusy);
  merge(block(1, 2, 0, kTen));
  EXPECT_EQ(summary(1).totals.received, 20U);
}

TEST_F(RunBookTest, AddsUpBlocksShardsAndLinesByName) {
  ASSERT_TRUE(book_->start("", 100).has_value());
  CollectedBlock other_menu = block(1, 2, 0, kTen);
  other_menu.labels.lines = {{"noise", "veto", 5}, {"two_prong", "accept", 2}};
  const std::array blocks{block(1, 1, 0, kTen), block(1, 1, 1, kTen), other_menu};
  ASSERT_TRUE(book_->merge(blocks).has_value());
  const RunSummary s = summary(1);
  EXPECT_EQ(s.block_count, 2U);
  EXPECT_EQ(s.totals, (Counts{.received = 30, .accepted = 12, .rejected = 18}));
  ASSERT_EQ(s.lines.size(), 2U);
  EXPECT_EQ(s.lines[0].label.name, "two_prong");
  EXPECT_EQ(s.lines[0].counts, (LineCounts{4 + 4 + 1, 8, 8}));
  EXPECT_EQ(s.lines[0].label.prescale, 2U);
  EXPECT_EQ(s.lines[1].counts, (LineCounts{1 + 1 + 4, 4, 4}));
  EXPECT_TRUE(s.residual_is_zero);
}

TEST_F(RunBookTest, CountsABlockOnceThatIsCollectedTwice) {
  ASSERT_TRUE(book_->start("", 100).has_value());
  merge(block(1, 1, 0, kTen));
  merge(block(1, 1, 0, kTen));
  reopen();
  merge(block(1, 1, 0, kTen));
  EXPECT_EQ(summary(1).totals, kTen);
  EXPECT_EQ(summary(1).block_count, 1U);
}

TEST_F(RunBookTest, KeepsBlocksApartThatWentOnUnderAnotherModel) {
  ASSERT_TRUE(book_->start("", 100).has_value());
  CollectedBlock other = block(1, 1, 0, kTen);
  other.counts.key.generation = Generation{2};
  merge(block(1, 1, 0, kTen));
  merge(other);
  EXPECT_EQ(summary(1).block_count, 2U);
  EXPECT_EQ(summary(1).totals.received, 20U);
}

TEST_F(RunBookTest, EntersABlockThatComesAfterItsRunWasStopped) {
  ASSERT_TRUE(book_->start("", 100).has_value());
  ASSERT_TRUE(book_->stop("", 200).has_value());
  ASSERT_TRUE(book_->start("", 300).has_value());
  merge(block(1, 1, 0, kTen));
  EXPECT_EQ(summary(1).totals, kTen);
  EXPECT_FALSE(summary(1).running);
  EXPECT_EQ(summary(2).totals, Counts{});
  EXPECT_TRUE(summary(2).running);
  EXPECT_EQ(book_->current(), RunNumber{2});
}

TEST_F(RunBookTest, LeavesNoTraceOfBlocksBetweenRuns) {
  merge(block(0, 1, 0, kTen));
  EXPECT_TRUE(std::filesystem::is_empty(runs_));
}

TEST_F(RunBookTest, SaysWhenTheResidualOfAShardIsNotZeroEvenIfTheSumIs) {
  ASSERT_TRUE(book_->start("", 100).has_value());
  merge(block(1, 1, 0, {.received = 11, .accepted = 10}));
  merge(block(1, 1, 1, {.received = 9, .accepted = 10}));
  EXPECT_EQ(summary(1).totals.residual(), 0);
  EXPECT_FALSE(summary(1).residual_is_zero);
}

TEST_F(RunBookTest, WritesARecordThatPeopleAndProgramsCanRead) {
  ASSERT_TRUE(book_->start("beam on", 100).has_value());
  CollectedBlock b = block(1, 1, 0, {.received = 10, .accepted = 4, .rejected = 5, .malformed = 1});
  b.counts.reasons[7] = {1, 1};
  b.counts.close_reason = static_cast<std::uint32_t>(BlockClose::kModel);
  merge(b);
  ASSERT_TRUE(book_->stop("beam off", 200).has_value());
  const auto json = book_->to_json(RunNumber{1});
  ASSERT_TRUE(json.has_value());
  for (const char* text :
       {"\"state\": \"stopped\"", "\"start_comment\": \"beam on\"", "\"stop_comment\": \"beam off\"",
        "\"daemon_version\": \"0.1.0\"", "\"model\": \"jets-1.1.0\"", "\"column\": \"physics\"",
        "\"close_reason\": \"model\"", "\"reason\": \"REASON_NOT_FINITE\"", "\"name\": \"two_prong\"",
        "\"live_seconds\": 1.5", "\"residual_is_zero\": true", "\"cpu_events\": \"9\"", "\"source_id\": 5"}) {
    EXPECT_THAT(*json, HasSubstr(text));
  }
}

TEST_F(RunBookTest, NamesALineByItsNumberWhenNobodyKnowsItsName) {
  ASSERT_TRUE(book_->start("", 100).has_value());
  CollectedBlock b = block(1, 1, 0, kTen);
  b.labels = {};
  merge(b);
  ASSERT_EQ(summary(1).lines.size(), 2U);
  EXPECT_EQ(summary(1).lines[1].label.name, "line 1");
}

ClientReport report_of(std::uint64_t accepted, const Counts& ledger, std::uint64_t instance = 1) {
  return {.run = RunNumber{1},
          .source = SourceId{5},
          .lane = LaneId{0},
          .instance = instance,
          .sent = accepted,
          .accepted = accepted,
          .ledger = ledger};
}

TEST_F(RunBookTest, AgreesWithAClientThatCountedTheSame) {
  ASSERT_TRUE(book_->start("", 100).has_value());
  EXPECT_TRUE(summary(1).clients_agree);
  ASSERT_TRUE(book_->add_client(report_of(7, {.received = 9, .accepted = 7, .duplicate = 2})).has_value());
  EXPECT_TRUE(summary(1).clients_agree);
  EXPECT_EQ(summary(1).client_count, 1U);
}

TEST_F(RunBookTest, DisagreesWithAClientThatCountedOtherwise) {
  ASSERT_TRUE(book_->start("", 100).has_value());
  ASSERT_TRUE(book_->add_client(report_of(7, {.received = 8, .accepted = 8})).has_value());
  EXPECT_FALSE(summary(1).clients_agree);
  reopen();
  EXPECT_FALSE(summary(1).clients_agree);
}

TEST_F(RunBookTest, KeepsOneReportForEachLifeOfAClient) {
  ASSERT_TRUE(book_->start("", 100).has_value());
  ASSERT_TRUE(book_->add_client(report_of(5, {.received = 7, .accepted = 7})).has_value());
  EXPECT_FALSE(summary(1).clients_agree);
  ASSERT_TRUE(book_->add_client(report_of(7, {.received = 7, .accepted = 7}))
                  .has_value());  // says Bye again, corrected
  EXPECT_EQ(summary(1).client_count, 1U);
  EXPECT_TRUE(summary(1).clients_agree);
  ASSERT_TRUE(book_->add_client(report_of(7, {.received = 7, .accepted = 7}, /*instance=*/2)).has_value());
  EXPECT_EQ(summary(1).client_count, 2U);
}

TEST_F(RunBookTest, TakesNoReportOnARunThatIsNotTheLast) {
  EXPECT_EQ(book_->add_client(report_of(1, {})).error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(book_->start("", 100).has_value());
  ClientReport report = report_of(1, {});
  report.run = RunNumber{99};
  EXPECT_EQ(book_->add_client(report).error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(runs_ / "run-000099.json"));
}

TEST_F(RunBookTest, ChangesNothingWhenTheDiskIsFull) {
  ASSERT_TRUE(book_->start("", 100).has_value());
  merge(block(1, 1, 0, kTen));
  std::filesystem::create_symlink("/dev/full", runs_ / "run-000001.json.new");
  const CollectedBlock late = block(1, 2, 0, kTen);
  const auto merged = book_->merge(std::span(&late, 1));
  ASSERT_FALSE(merged.has_value());
  EXPECT_THAT(merged.error().message, HasSubstr("No space left on device"));
  EXPECT_THAT(merged.error().message, HasSubstr("record of run 1"));
  EXPECT_EQ(summary(1).totals, kTen);
  merge(late);  // the disk has room again
  EXPECT_EQ(summary(1).totals.received, 20U);
}

TEST_F(RunBookTest, DoesNotStartARunThatItCannotRecord) {
  std::filesystem::create_symlink("/dev/full", runs_ / "run-000001.json.new");
  EXPECT_EQ(book_->start("", 100).error().code, ErrorCode::kIo);
  EXPECT_EQ(book_->current(), RunNumber{0});
  EXPECT_EQ(book_->start("", 100).value_or(RunNumber{}), RunNumber{1});
}

TEST_F(RunBookTest, NamesAFolderThatCannotBeMade) {
  std::ofstream(folder_.path() / "file") << "in the way";
  const auto book = RunBook::open(folder_.path() / "file" / "runs", "0.1.0");
  ASSERT_FALSE(book.has_value());
  EXPECT_THAT(book.error().message, HasSubstr("cannot make the folder of run records"));
}

TEST_F(RunBookTest, NamesARecordThatCannotBeRead) {
  std::ofstream(runs_ / "run-000003.json") << "{ torn";
  const auto book = RunBook::open(runs_, "0.1.0");
  ASSERT_FALSE(book.has_value());
  EXPECT_EQ(book.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(book.error().message, HasSubstr("run-000003.json"));
  EXPECT_EQ(book_->summary(RunNumber{9}).error().code, ErrorCode::kNotFound);
}

TEST_F(RunBookTest, PassesOverFilesThatAreNoRecords) {
  std::ofstream(runs_ / "run-000009.json.new") << "left over";
  std::ofstream(runs_ / "run-x00009.json") << "no number";
  reopen();
  EXPECT_EQ(book_->start("", 100).value_or(RunNumber{}), RunNumber{1});
}

TEST_F(RunBookTest, StopsNoRunWhenNoneIsOn) {
  EXPECT_EQ(book_->stop("", 1).error().code, ErrorCode::kBusy);
}

}  // namespace
}  // namespace kantrig::ledger
