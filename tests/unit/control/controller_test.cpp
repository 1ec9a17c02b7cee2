#include "control/controller.hpp"

#include <gmock/gmock.h>

#include "unit/control/control_room.hpp"

namespace kantrig::control {
namespace {

using test::ControlFolder;
using test::ControlRoom;
using testing::HasSubstr;

class ControllerTest : public testing::Test {
 protected:
  ControlFolder folder;
  ControlRoom room{folder};

  void SetUp() override {
    const auto started = room.start();
    ASSERT_TRUE(started) << started.error().message;
  }
  const pipeline::Conditions& in_force(std::size_t shard = 0) { return room.shard(shard).in_force(); }
};

TEST_F(ControllerTest, StartsIdleWithTheConfiguredModelMenuAndColumn) {
  EXPECT_EQ(room.controller().state(), DaemonState::kIdle);
  EXPECT_EQ(in_force().model->bundle.full_name(), "small-1.0.0");
  EXPECT_EQ(in_force().generation, Generation{1});
  EXPECT_EQ(in_force().run, RunNumber{0});
  EXPECT_EQ(in_force().menu->columns()[in_force().column], "physics");
  EXPECT_EQ(room.model("small-1.0.0").state, ModelState::kActive);
  EXPECT_EQ(room.model("small-1.1.0").state, ModelState::kStaged);
}

TEST_F(ControllerTest, ActivationIsCompleteOnlyWhenEveryShardHasAdoptedIt) {
  ASSERT_TRUE(room.load("small-1.1.0"));
  room.shard(1).adopts_by_itself = false;
  std::optional<Result<void>> result;
  room.controller().activate("small-1.1.0", [&](Result<void> outcome) { result = std::move(outcome); });
  ASSERT_TRUE(room.run_until([&] { return in_force(0).model->bundle.full_name() == "small-1.1.0"; }));
  EXPECT_FALSE(result.has_value());
  EXPECT_EQ(room.controller().status().active->name, "small-1.0.0");

  room.shard(1).step();
  ASSERT_TRUE(room.run_until([&] { return result.has_value(); }));
  EXPECT_TRUE(*result);
  EXPECT_EQ(room.controller().status().active->name, "small-1.1.0");
  EXPECT_EQ(room.controller().status().generation, Generation{2});
  EXPECT_EQ(in_force(1).closes_previous, ledger::BlockClose::kModel);
  EXPECT_EQ(room.model("small-1.0.0").state, ModelState::kPrevious);
}

TEST_F(ControllerTest, ActivatingWhatIsActiveBeginsNoBlock) {
  const BlockNumber before = in_force().block;
  ASSERT_TRUE(room.activate("small-1.0.0"));
  EXPECT_EQ(in_force().block, before);
  EXPECT_EQ(in_force().generation, Generation{1});
}

TEST_F(ControllerTest, ADamagedBundleLeavesTheActiveModelAndSaysWhy) {
  folder.damage_bundle("1.1.0");
  const auto result = room.activate("small-1.1.0");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(result.error().message, HasSubstr("model.pb"));
  EXPECT_EQ(in_force().model->bundle.full_name(), "small-1.0.0");
  EXPECT_EQ(in_force().generation, Generation{1});
  EXPECT_EQ(room.model("small-1.1.0").state, ModelState::kFailed);
  EXPECT_THAT(room.model("small-1.1.0").reason, HasSubstr("model.pb"));
}

TEST_F(ControllerTest, RollbackIsAnActivationThatNeedsNoLoad) {
  ASSERT_TRUE(room.activate("small-1.1.0"));
  std::filesystem::remove_all(folder.repository() / "small-1.0.0");
  ASSERT_TRUE(room.rollback());
  EXPECT_EQ(in_force().model->bundle.full_name(), "small-1.0.0");
  EXPECT_EQ(in_force().generation, Generation{3});
  EXPECT_EQ(room.model("small-1.1.0").state, ModelState::kPrevious);
  ASSERT_TRUE(room.rollback());
  EXPECT_EQ(in_force().model->bundle.full_name(), "small-1.1.0");
}

TEST_F(ControllerTest, RollbackWithoutAPreviousModelSaysSo) {
  const auto result = room.rollback();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kNotFound);
}

TEST_F(ControllerTest, TheModelBeforeThePreviousIsRetiredAndLeavesMemory) {
  ASSERT_TRUE(room.activate("small-1.1.0"));
  ASSERT_TRUE(room.activate("small-1.2.0"));
  EXPECT_EQ(room.model("small-1.0.0").state, ModelState::kRetired);
  EXPECT_EQ(room.registry().find("small-1.0.0"), nullptr);
  EXPECT_EQ(room.model("small-1.1.0").state, ModelState::kPrevious);
}

TEST_F(ControllerTest, AShadowRunsBesideTheActiveModelUnderTheSameMenu) {
  ASSERT_TRUE(room.shadow("small-1.1.0"));
  EXPECT_EQ(in_force().shadow->bundle.full_name(), "small-1.1.0");
  EXPECT_EQ(in_force().shadow_menu->digest(), in_force().menu->digest());
  EXPECT_EQ(in_force().generation, Generation{1});
  EXPECT_EQ(room.model("small-1.1.0").state, ModelState::kShadow);

  ASSERT_TRUE(room.finish([&](Done<void> done) { room.controller().unshadow(std::move(done)); }));
  EXPECT_EQ(in_force().shadow, nullptr);
  EXPECT_EQ(in_force().shadow_menu, nullptr);
  EXPECT_EQ(room.model("small-1.1.0").state, ModelState::kVerified);
}

TEST_F(ControllerTest, AShadowThatBecomesActiveIsNoShadowAnyMore) {
  ASSERT_TRUE(room.shadow("small-1.1.0"));
  ASSERT_TRUE(room.activate("small-1.1.0"));
  EXPECT_EQ(in_force().shadow, nullptr);
  EXPECT_EQ(room.model("small-1.1.0").state, ModelState::kActive);
}

TEST_F(ControllerTest, AModelThatTheMenuDoesNotFitIsNotActivated) {
  folder.add_bundle("2.0.0", {"g", "top", "z"});
  const auto result = room.activate("small-2.0.0");
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("small-2.0.0"));
  EXPECT_THAT(result.error().message, HasSubstr("\"w\""));
  EXPECT_EQ(in_force().model->bundle.full_name(), "small-1.0.0");
  EXPECT_EQ(room.model("small-2.0.0").state, ModelState::kVerified);
}

TEST_F(ControllerTest, AMenuIsLoadedWithItsDefaultColumnUnlessItHasTheOneThatIsOn) {
  ASSERT_TRUE(room.set_column("calibration"));
  ASSERT_TRUE(room.load_menu(test::kOtherMenu));
  EXPECT_EQ(in_force().menu->columns()[in_force().column], "cosmics");
  EXPECT_EQ(in_force().closes_previous, ledger::BlockClose::kMenu);
  ASSERT_TRUE(room.set_column("physics"));
  ASSERT_TRUE(room.load_menu(test::kMenu));
  EXPECT_EQ(in_force().menu->columns()[in_force().column], "physics");
}

TEST_F(ControllerTest, AMenuThatNamesAnUnknownClassIsRefusedWithItsLine) {
  std::string text = test::kMenu;
  text.replace(text.find("class == w"), 10, "class == h");
  const auto digest = in_force().menu->digest();
  const auto result = room.load_menu(text);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("new.toml"));
  EXPECT_THAT(result.error().message, HasSubstr("w_like"));
  EXPECT_EQ(in_force().menu->digest(), digest);
}

TEST_F(ControllerTest, AMenuMustFitTheShadowToo) {
  folder.add_bundle("2.0.0", {"g", "w", "top"});
  ASSERT_TRUE(room.shadow("small-2.0.0"));
  std::string text = test::kMenu;
  text.replace(text.find("class == w"), 10, "class == z");
  const auto result = room.load_menu(text);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("shadow"));
  EXPECT_THAT(result.error().message, HasSubstr("small-2.0.0"));
}

TEST_F(ControllerTest, TheColumnIsSwitchedByNameAndBeginsABlock) {
  const BlockNumber before = in_force().block;
  ASSERT_TRUE(room.set_column("calibration"));
  EXPECT_EQ(in_force().column, 1U);
  EXPECT_EQ(in_force().block.value, before.value + 1);
  EXPECT_EQ(in_force().closes_previous, ledger::BlockClose::kColumn);
  const auto result = room.set_column("heavy_ions");
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("heavy_ions"));
  EXPECT_EQ(in_force().column, 1U);
}

TEST_F(ControllerTest, ARunLeavesARecordThatHoldsWhatEveryShardCounted) {
  const auto run = room.start_run();
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(*run, RunNumber{1});
  EXPECT_EQ(in_force().block, BlockNumber{1});
  EXPECT_EQ(room.controller().state(), DaemonState::kRunning);
  room.shard(0).decide(3, 5);
  room.shard(1).decide(2, 0);
  EXPECT_EQ(room.controller().status().run_counts.accepted, 5U);
  EXPECT_EQ(room.controller().status().lines[0].after_veto, 5U);
  ASSERT_TRUE(room.activate("small-1.1.0"));
  room.shard(0).decide(1, 1);
  EXPECT_EQ(room.controller().status().run_counts.received, 12U);
  EXPECT_EQ(room.controller().status().lines[0].after_veto, 6U);

  const auto stopped = room.stop_run();
  ASSERT_TRUE(stopped) << stopped.error().message;
  EXPECT_EQ(stopped->run, RunNumber{1});
  EXPECT_THAT(stopped->record_json, HasSubstr("small-1.1.0"));
  EXPECT_THAT(stopped->record_json, HasSubstr("w_like"));
  const auto summary = room.runs().summary(RunNumber{1});
  ASSERT_TRUE(summary);
  EXPECT_FALSE(summary->running);
  EXPECT_EQ(summary->totals.received, 12U);
  EXPECT_EQ(summary->totals.accepted, 6U);
  EXPECT_EQ(summary->totals.residual(), 0);
  EXPECT_TRUE(summary->residual_is_zero);
  EXPECT_EQ(room.controller().state(), DaemonState::kIdle);
  EXPECT_TRUE(room.shard(0).books().closed_blocks().empty());
}

TEST_F(ControllerTest, OneRunIsOnAtATime) {
  ASSERT_TRUE(room.start_run());
  const auto second = room.start_run();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kBusy);
  EXPECT_THAT(second.error().message, HasSubstr("run 1 is on"));
  ASSERT_TRUE(room.stop_run());
  const auto again = room.stop_run();
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message, HasSubstr("no run is on"));
}

TEST_F(ControllerTest, TheEndOfARunWaitsForTheClientsButNotForever) {
  ASSERT_TRUE(room.start_run());
  room.shard(1).clients_finish = false;
  std::optional<Result<RunStopped>> result;
  room.controller().stop_run("", [&](Result<RunStopped> outcome) { result = std::move(outcome); });
  ASSERT_TRUE(room.run_until([&] { return room.controller().state() == DaemonState::kDraining; }));
  EXPECT_TRUE(in_force(1).draining);
  room.clock.now += 4'999'000'000;
  room.io.restart();
  room.io.run_for(std::chrono::milliseconds(5));
  EXPECT_FALSE(result.has_value());
  EXPECT_EQ(in_force(1).run, RunNumber{1});
  room.clock.now += 2'000'000;
  ASSERT_TRUE(room.run_until([&] { return result.has_value(); }));
  EXPECT_TRUE(*result);
  EXPECT_FALSE(in_force(1).draining);
}

TEST_F(ControllerTest, ABlockOfARunEndsByTheTimer) {
  ASSERT_TRUE(room.start_run());
  room.clock.now += 59'999'000'000;
  room.io.restart();
  room.io.run_for(std::chrono::milliseconds(5));
  EXPECT_EQ(in_force().block, BlockNumber{1});
  room.clock.now += 1'000'000;
  ASSERT_TRUE(room.run_until(
      [&] { return in_force().block == BlockNumber{2} && in_force(1).block == BlockNumber{2}; }));
  EXPECT_EQ(in_force().closes_previous, ledger::BlockClose::kTimer);
  EXPECT_EQ(in_force().generation, Generation{1});
}

TEST_F(ControllerTest, AShardThatNeverAdoptsGivesATimeoutAndNoSecondChangeUntilItDoes) {
  ASSERT_TRUE(room.load("small-1.1.0"));
  room.shard(1).adopts_by_itself = false;
  std::optional<Result<void>> first;
  std::optional<Result<void>> queued;
  room.controller().activate("small-1.1.0", [&](Result<void> outcome) { first = std::move(outcome); });
  room.controller().set_column("calibration", [&](Result<void> outcome) { queued = std::move(outcome); });
  room.clock.now += 2'000'000'000;
  ASSERT_TRUE(room.run_until([&] { return first.has_value(); }));
  ASSERT_FALSE(*first);
  EXPECT_EQ(first->error().code, ErrorCode::kTimeout);
  EXPECT_THAT(first->error().message, HasSubstr("shard 1"));
  ASSERT_TRUE(queued.has_value());
  EXPECT_EQ(queued->error().code, ErrorCode::kBusy);

  const auto refused = room.set_column("calibration");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kBusy);
  EXPECT_THAT(refused.error().message, HasSubstr("shard 1"));
  EXPECT_EQ(room.controller().status().active->name, "small-1.0.0");

  room.shard(1).adopts_by_itself = true;
  ASSERT_TRUE(room.run_until([&] { return room.controller().status().active->name == "small-1.1.0"; }));
  EXPECT_EQ(room.model("small-1.1.0").state, ModelState::kActive);
  EXPECT_TRUE(room.set_column("calibration"));
}

TEST_F(ControllerTest, ChangesWaitForEachOtherUpToTheirBound) {
  room.shard(0).adopts_by_itself = false;
  std::vector<Result<void>> results;
  const auto keep = [&results](Result<void> outcome) { results.push_back(std::move(outcome)); };
  room.controller().set_column("calibration", keep);  // under way
  for (int i = 0; i < 16; ++i) room.controller().set_column(i % 2 == 0 ? "physics" : "calibration", keep);
  EXPECT_TRUE(results.empty());
  room.controller().set_column("physics", keep);
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0].error().code, ErrorCode::kBusy);
  room.shard(0).adopts_by_itself = true;
  ASSERT_TRUE(room.run_until([&] { return results.size() == 18; }));
  for (std::size_t i = 1; i < results.size(); ++i) EXPECT_TRUE(results[i]);
  EXPECT_EQ(room.shard(0).adoptions, 18U);
}

TEST_F(ControllerTest, AStateThatCannotBeWrittenLeavesWhatRuns) {
  std::filesystem::remove(folder.state_file());
  std::filesystem::create_directory(folder.state_file());  // nothing can be renamed onto it
  const auto column = room.set_column("calibration");
  ASSERT_FALSE(column);
  EXPECT_EQ(column.error().code, ErrorCode::kIo);
  EXPECT_EQ(in_force().column, 0U);
  ASSERT_FALSE(room.start_run());
  EXPECT_EQ(room.runs().current(), RunNumber{0});
  EXPECT_EQ(room.controller().state(), DaemonState::kIdle);
  std::filesystem::remove(folder.state_file());
  EXPECT_TRUE(room.set_column("calibration"));
}

TEST_F(ControllerTest, ADrainForTheEndTakesNoFurtherOperation) {
  ASSERT_TRUE(room.start_run());
  ASSERT_TRUE(room.finish([&](Done<void> done) { room.controller().drain(std::move(done)); }));
  EXPECT_TRUE(in_force().draining);
  EXPECT_EQ(room.controller().state(), DaemonState::kDraining);
  const auto refused = room.set_column("calibration");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kBusy);
  EXPECT_EQ(room.runs().current(), RunNumber{1});
}

}  // namespace
}  // namespace kantrig::control
