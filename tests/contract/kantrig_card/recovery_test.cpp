// The program on the emulated card when things go wrong: every fault is named, survived and recovered from.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/card_bundles.hpp"
#include "support/card_daemon.hpp"
#include "support/card_process.hpp"
#include "support/plain_design.hpp"

namespace kantrig::test {
namespace {

using card_link::CardState;
using card_link::Loaded;
using card_link::SlotStatus;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint32_t kEvents = 200;
constexpr card_link::RegionShape kShape{
    .ports = 1, .slots = 4, .input_bytes = 65'536, .output_bytes = 65'536};

class Recovery : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!can_emulate()) return;
    folder_ = new TemporaryFolder();
    model_ = write_packed(packed(two_layer_bundle(), Tables::kOverlay, 2).value(), folder_->path(), "a");
    fixed_ = write_packed(packed(biased_bundle(-3), Tables::kFixed, 1).value(), folder_->path(), "fixed");
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }
  void SetUp() override {
    if (!can_emulate()) GTEST_SKIP() << kCannotEmulate;
  }
  void TearDown() override {
    if (HasFailure()) std::printf("%s\n", process_.process().log().c_str());
  }

  /// Started, joined and ready with the model as load id 1.
  void make_ready(std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--deadline-ms", "100", "--reset-command", reset_command()});
    ASSERT_TRUE(process_.start(more));
    auto daemon = CardDaemon::join_soon(process_.socket(), kShape);
    ASSERT_TRUE(daemon) << daemon.error().message;
    daemon_ = std::move(*daemon);
    ASSERT_TRUE(daemon_->caller().wait_for(CardState::kIdle));
    auto loaded = daemon_->load(1, model_.folder, model_.digest);
    ASSERT_TRUE(loaded);
    ASSERT_EQ(loaded->error, "");
    loaded_ = *loaded;
    ASSERT_TRUE(daemon_->decide_soon(1, model_.bundle, loaded_, kEvents));
  }
  [[nodiscard]] std::string reset_command() const {
    return std::string(KANTRIG_BINARY_DIR "/bin/kantrig-emulated-card --dir ") + card_.folder().native() +
           " reset";
  }
  card_link::Completion submit() {
    daemon_->submit(0, 1, model_.bundle, loaded_, kEvents);
    const auto completion = daemon_->wait();
    EXPECT_TRUE(completion) << completion.error().message;
    return completion ? *completion : card_link::Completion{};
  }
  /// It says that it recovers, then that it is ready with the same model, and decides again.
  void expect_recovered() {
    EXPECT_TRUE(daemon_->caller().wait_for(CardState::kRecovering) ||
                daemon_->caller().wait_for(CardState::kAbsent));
    ASSERT_TRUE(daemon_->caller().wait_for(CardState::kReady));
    EXPECT_THAT(daemon_->caller().states.back().ready, ElementsAre(1));
    const auto decided = daemon_->decide_soon(1, model_.bundle, loaded_, kEvents);
    EXPECT_TRUE(decided) << decided.error().message;
  }

  static TemporaryFolder* folder_;
  static WrittenBundle model_, fixed_;
  EmulatedCard card_;
  CardProcess process_;
  std::unique_ptr<CardDaemon> daemon_;
  Loaded loaded_;
};
TemporaryFolder* Recovery::folder_ = nullptr;
WrittenBundle Recovery::model_, Recovery::fixed_;

TEST_F(Recovery, FromAHungKernel) {
  make_ready();
  card_.command("fault hang once");
  EXPECT_EQ(submit().status, SlotStatus::kTimeout);
  expect_recovered();
}

TEST_F(Recovery, FromAHangWithEverySlotInFlight) {
  make_ready();
  card_.command("fault hang once");
  for (std::uint32_t slot = 0; slot < kShape.slots; ++slot)
    daemon_->submit(slot, 1, model_.bundle, loaded_, kEvents);
  for (std::uint32_t slot = 0; slot < kShape.slots; ++slot) {
    const auto completion = daemon_->wait();
    ASSERT_TRUE(completion) << completion.error().message;
    if (completion->status != SlotStatus::kDone) continue;
    const auto right = daemon_->check(completion->slot, model_.bundle, loaded_, kEvents);
    EXPECT_TRUE(right) << right.error().message;
  }
  EXPECT_EQ(daemon_->port().in_flight_count(), 0U);
  expect_recovered();
}

TEST_F(Recovery, FromAnErrorOfACopy) {
  make_ready();
  card_.command("fault io-error once");
  const auto completion = submit();
  EXPECT_EQ(completion.status, SlotStatus::kFailed);
  EXPECT_EQ(completion.error, static_cast<std::uint32_t>(EIO));
  expect_recovered();
}

TEST_F(Recovery, FromAFirewallThatTrips) {
  make_ready();
  card_.command("fault firewall once");
  EXPECT_EQ(submit().status, SlotStatus::kFailed);
  expect_recovered();
}

TEST_F(Recovery, FromACardThatDiesOnceItIsRevived) {
  make_ready();
  card_.command("fault die");
  EXPECT_EQ(submit().status, SlotStatus::kFailed);
  ASSERT_TRUE(daemon_->caller().wait_for(CardState::kAbsent));
  EXPECT_EQ(submit().status, SlotStatus::kNotLoaded);
  card_.command("revive");
  ASSERT_TRUE(daemon_->caller().wait_for(CardState::kReady));
  EXPECT_TRUE(daemon_->decide_soon(1, model_.bundle, loaded_, kEvents));
}

TEST_F(Recovery, FromWrongScoresThatAnOperatorsTestFinds) {
  make_ready();
  card_.command("fault corrupt always");
  auto person = CardCaller::connect_operator(process_.socket());
  ASSERT_TRUE(person);
  const auto tested = (*person)->command({.verb = card_link::Verb::kTest, .events = 0});
  ASSERT_TRUE(tested);
  EXPECT_THAT(tested->error, HasSubstr("golden"));
  ASSERT_TRUE(daemon_->caller().wait_for(CardState::kRecovering));
  card_.command("clear");
  ASSERT_TRUE(daemon_->caller().wait_for(CardState::kReady));
  EXPECT_TRUE(daemon_->decide_soon(1, model_.bundle, loaded_, kEvents));
}

TEST_F(Recovery, NeedsNoneWhenNobodyIsToldOfACompletion) {
  make_ready();
  card_.command("fault drop-interrupt");
  EXPECT_EQ(submit().status, SlotStatus::kDone);
  EXPECT_TRUE(daemon_->decide_soon(1, model_.bundle, loaded_, kEvents));
  EXPECT_EQ(daemon_->caller().status().value().faults, 0U);
}

TEST_F(Recovery, PutsTheOldModelBackWhenAnXclbinIsRefused) {
  make_ready();
  for (const char* error : {"EINVAL", "EBUSY", "EIO", "ENODEV"}) {
    card_.command(std::string("fault refuse-xclbin ") + error);
    const auto loaded = daemon_->load(2, fixed_.folder, fixed_.digest, {1});
    ASSERT_TRUE(loaded);
    EXPECT_NE(loaded->error, "") << error;
    card_.command("clear");
    ASSERT_TRUE(daemon_->caller().wait_for(CardState::kReady));
    const auto decided = daemon_->decide_soon(1, model_.bundle, loaded_, kEvents);
    EXPECT_TRUE(decided) << error << ": " << decided.error().message;
  }
}

TEST_F(Recovery, WaitsForACardThatIsAbsentAtTheStart) {
  card_.command("fault absent");
  ASSERT_TRUE(process_.start());
  auto daemon = CardDaemon::join_soon(process_.socket(), kShape);
  ASSERT_TRUE(daemon) << daemon.error().message;
  daemon_ = std::move(*daemon);
  ASSERT_TRUE(daemon_->caller().wait_for(CardState::kAbsent));
  const auto early = daemon_->load(1, model_.folder, model_.digest);
  ASSERT_TRUE(early);
  EXPECT_THAT(early->error, HasSubstr("the card is not there"));
  card_.command("clear");
  ASSERT_TRUE(daemon_->caller().wait_for(CardState::kIdle));
  const auto loaded = daemon_->load(2, model_.folder, model_.digest);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->error, "");
  EXPECT_TRUE(daemon_->decide_soon(2, model_.bundle, *loaded, kEvents));
  EXPECT_THAT(process_.process().log(), HasSubstr("no card: the CPU decides meanwhile"));
}

TEST_F(Recovery, FromAUnitThatAProcessBeforeLeftHanging) {
  make_ready();
  card_.command("fault hang once");
  daemon_->submit(0, 1, model_.bundle, loaded_, kEvents);
  process_.process().kill();
  daemon_.reset();
  ASSERT_TRUE(process_.start({"--deadline-ms", "100", "--reset-command", reset_command()}));
  auto daemon = CardDaemon::join_soon(process_.socket(), kShape);
  ASSERT_TRUE(daemon) << daemon.error().message;
  daemon_ = std::move(*daemon);
  Result<Loaded> loaded = daemon_->load(1, model_.folder, model_.digest);
  if (loaded && !loaded->error.empty()) {  // the unit had begun to hang: it is found out, and reset
    EXPECT_THAT(loaded->error, HasSubstr("took more than 100 ms"));
    ASSERT_TRUE(daemon_->caller().wait_for(CardState::kRecovering));
    ASSERT_TRUE(daemon_->caller().wait_for(CardState::kIdle));
    loaded = daemon_->load(2, model_.folder, model_.digest);
  }
  ASSERT_TRUE(loaded);
  ASSERT_EQ(loaded->error, "");
  EXPECT_TRUE(daemon_->decide_soon(loaded->load_id, model_.bundle, *loaded, kEvents));
}

TEST_F(Recovery, EndsTheProcessWhenACallIntoXrtDoesNotReturn) {
  make_ready({"--load-limit-ms", "1000"});
  card_.command("program-time 600s");
  ASSERT_TRUE(daemon_->caller().send(card_link::Load{2, fixed_.folder.native(), fixed_.digest, {1}}));
  EXPECT_EQ(process_.process().exit_code(), 1);
  EXPECT_THAT(process_.process().log(), HasSubstr("a call into XRT does not return"));
  EXPECT_THAT(process_.process().log(), HasSubstr("loading an xclbin"));
}

TEST_F(Recovery, ServesAFreshDaemonAfterItsOwnDeath) {
  make_ready();
  daemon_->submit(0, 1, model_.bundle, loaded_, kEvents);
  process_.process().kill();
  daemon_.reset();
  make_ready();
}

TEST_F(Recovery, FromEveryFaultTimeAndAgain) {
  make_ready();
  for (int round = 0; round < 5; ++round) {
    for (const char* fault : {"hang once", "io-error once", "firewall once"}) {
      card_.command(std::string("fault ") + fault);
      EXPECT_NE(submit().status, SlotStatus::kDone) << fault;
      const auto decided = daemon_->decide_soon(1, model_.bundle, loaded_, kEvents);
      ASSERT_TRUE(decided) << fault << ": " << decided.error().message;
    }
  }
  const auto status = daemon_->caller().status();
  ASSERT_TRUE(status);
  EXPECT_GE(status->recoveries, 15U);
}

}  // namespace
}  // namespace kantrig::test
