#include <gmock/gmock.h>

#include "control/controller.hpp"
#include "unit/control/control_room.hpp"

namespace kantrig::control {
namespace {

using test::ControlFolder;
using test::ControlRoom;
using testing::HasSubstr;

TEST(ControllerRestart, ComesBackToTheModelMenuColumnAndRunThatWereOn) {
  const ControlFolder folder;
  {
    ControlRoom room(folder);
    ASSERT_TRUE(room.start());
    ASSERT_TRUE(room.activate("small-1.1.0"));
    ASSERT_TRUE(room.shadow("small-1.2.0"));
    ASSERT_TRUE(room.load_menu(test::kOtherMenu));
    ASSERT_TRUE(room.set_column("physics"));
    ASSERT_TRUE(room.start_run());
    room.shard(0).decide(4, 2);
  }  // as SIGKILL leaves it
  ControlRoom room(folder);
  const auto started = room.start();
  ASSERT_TRUE(started) << started.error().message;
  const pipeline::Conditions& now = room.shard(0).in_force();
  EXPECT_EQ(now.model->bundle.full_name(), "small-1.1.0");
  EXPECT_EQ(now.shadow->bundle.full_name(), "small-1.2.0");
  EXPECT_EQ(now.menu->text(), test::kOtherMenu);
  EXPECT_EQ(now.menu->columns()[now.column], "physics");
  EXPECT_EQ(now.run, RunNumber{1});
  EXPECT_EQ(now.block, BlockNumber{2});
  EXPECT_EQ(now.generation, Generation{3});  // a start is an activation
  EXPECT_EQ(room.controller().state(), DaemonState::kRunning);
  EXPECT_TRUE(room.rollback());
  EXPECT_EQ(room.shard(0).in_force().model->bundle.full_name(), "small-1.0.0");

  room.shard(1).decide(1, 0);
  const auto stopped = room.stop_run();
  ASSERT_TRUE(stopped) << stopped.error().message;
  const auto summary = room.runs().summary(RunNumber{1});
  EXPECT_EQ(summary->totals.accepted, 5U);
  EXPECT_TRUE(summary->residual_is_zero);
  EXPECT_THAT(stopped->record_json, HasSubstr("g_like"));
}

TEST(ControllerRestart, NoGenerationIsGivenTwiceEvenIfTheDaemonDiesBetweenTheStateFileAndTheShards) {
  const ControlFolder folder;
  {
    ControlRoom room(folder);
    ASSERT_TRUE(room.start());
    ASSERT_TRUE(room.load("small-1.1.0"));
    room.shard(0).adopts_by_itself = false;
    room.controller().activate("small-1.1.0", [](const Result<void>&) {});
    ASSERT_TRUE(room.run_until([&] { return room.shard(1).in_force().generation == Generation{2}; }));
  }
  ControlRoom room(folder);
  ASSERT_TRUE(room.start());
  EXPECT_EQ(room.shard(0).in_force().generation, Generation{3});
}

TEST(ControllerRestart, BlockNumbersGoOnFromTheBooksWhenTheStateFileIsLost) {
  const ControlFolder folder;
  {
    ControlRoom room(folder);
    ASSERT_TRUE(room.start());
    ASSERT_TRUE(room.start_run());
    ASSERT_TRUE(room.set_column("calibration"));
  }
  std::filesystem::remove(folder.state_file());
  ControlRoom room(folder);
  ASSERT_TRUE(room.start());
  EXPECT_EQ(room.shard(0).in_force().run, RunNumber{1});
  EXPECT_EQ(room.shard(0).in_force().block, BlockNumber{3});
  EXPECT_EQ(room.shard(0).in_force().generation, Generation{2});
}

TEST(ControllerRestart, AModelThatIsGoneStopsTheStartAndSaysWhatToDo) {
  const ControlFolder folder;
  {
    ControlRoom room(folder);
    ASSERT_TRUE(room.start());
    ASSERT_TRUE(room.activate("small-1.1.0"));
  }
  std::filesystem::remove_all(folder.repository() / "small-1.1.0");
  ControlRoom room(folder);
  const auto started = room.start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr("small-1.1.0"));
  EXPECT_THAT(started.error().message, HasSubstr("state.json"));
}

TEST(ControllerRestart, APreviousModelThatIsGoneDoesNotStopTheStart) {
  const ControlFolder folder;
  {
    ControlRoom room(folder);
    ASSERT_TRUE(room.start());
    ASSERT_TRUE(room.activate("small-1.1.0"));
  }
  std::filesystem::remove_all(folder.repository() / "small-1.0.0");
  ControlRoom room(folder);
  ASSERT_TRUE(room.start());
  EXPECT_EQ(room.shard(0).in_force().model->bundle.full_name(), "small-1.1.0");
  EXPECT_FALSE(room.rollback());
}

TEST(ControllerRestart, AnEditedConfigurationDecidesAndRollbackUndoesIt) {
  const ControlFolder folder;
  {
    ControlRoom room(folder);
    ASSERT_TRUE(room.start());
    ASSERT_TRUE(room.activate("small-1.1.0"));
  }
  ControllerOptions edited;
  edited.model = "small-1.2.0";
  ControlRoom room(folder, edited);
  ASSERT_TRUE(room.start());
  EXPECT_EQ(room.shard(0).in_force().model->bundle.full_name(), "small-1.2.0");
  ASSERT_TRUE(room.rollback());
  EXPECT_EQ(room.shard(0).in_force().model->bundle.full_name(), "small-1.1.0");
}

TEST(ControllerRestart, ARunIsStartedWithTheDaemonUnlessOneIsOn) {
  const ControlFolder folder;
  ControllerOptions options;
  options.run_at_start = true;
  {
    ControlRoom room(folder, options);
    ASSERT_TRUE(room.start());
    EXPECT_EQ(room.shard(0).in_force().run, RunNumber{1});
  }
  ControlRoom room(folder, options);
  ASSERT_TRUE(room.start());
  EXPECT_EQ(room.shard(0).in_force().run, RunNumber{1});
}

TEST(ControllerRestart, ItIsStartingUntilTheRunThatComesWithTheStartIsOn) {
  const ControlFolder folder;
  ControllerOptions options;
  options.run_at_start = true;
  ControlRoom room(folder, options);
  bool done = false;
  bool idle = false;
  room.controller().start([&](const Result<void>& started) { done = started.has_value(); });
  ASSERT_TRUE(room.run_until([&] {
    idle = idle || room.controller().state() == DaemonState::kIdle;
    return done;
  }));
  EXPECT_FALSE(idle) << "for a moment it looked as if no run were to come";
  EXPECT_EQ(room.controller().state(), DaemonState::kRunning);
}

TEST(ControllerRestart, AWrongMenuFileStopsTheStart) {
  const ControlFolder folder;
  ControllerOptions options;
  options.menu_file = folder.folder.path() / "missing.toml";
  ControlRoom room(folder, options);
  const auto started = room.start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr("missing.toml"));
  EXPECT_EQ(room.controller().state(), DaemonState::kStarting);
}

}  // namespace
}  // namespace kantrig::control
