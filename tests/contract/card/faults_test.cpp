// Every fault of the emulated card as a host sees it through XRT, and that the card serves again afterwards.
#include <experimental/xrt_ip.h>
#include <experimental/xrt_system.h>
#include <gmock/gmock.h>

#include <cerrno>
#include <thread>

#include "contract/card/raw_card.hpp"
#include "support/command.hpp"
#include "support/plain_design.hpp"

namespace kantrig::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

class Faults : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!can_emulate()) return;
    std::printf("seed 75\n");
    auto bundle = packed(two_layer_bundle(), Tables::kFixed, 1);
    ASSERT_TRUE(bundle) << bundle.error().message;
    bundle_ = std::make_unique<kan::Bundle>(std::move(*bundle));
  }
  void SetUp() override {
    if (!can_emulate()) GTEST_SKIP() << kCannotEmulate;
    ASSERT_NE(bundle_, nullptr);
    events_ = random_events(bundle_->model, 200, random_);
  }
  /// Programs the card anew and decides a batch on it.
  void expect_recovered() {
    const RawCard card(*bundle_, emulated_);
    expect_right(card);
  }
  void expect_right(const RawCard& card) {
    RawSlot slot = card.slot();
    slot.start(events_);
    ASSERT_EQ(slot.wait(), ERT_CMD_STATE_COMPLETED);
    EXPECT_EQ(slot.wrong(events_), 0U);
  }
  static std::unique_ptr<kan::Bundle> bundle_;
  EmulatedCard emulated_;
  std::mt19937_64 random_{75};
  Events events_;
};
std::unique_ptr<kan::Bundle> Faults::bundle_;

TEST_F(Faults, ADeadCardFailsEveryCallAndStaysDeadUntilRevived) {
  {
    const RawCard card(*bundle_, emulated_);
    RawSlot slot = card.slot();
    emulated_.command("fault die");
    EXPECT_EQ(errno_of([&] { slot.start(events_); }), EIO) << "moving the input";
    EXPECT_EQ(errno_of([&] { slot.run().start(); }), ENODEV);
    EXPECT_ANY_THROW(xrt::bo(card.device, 4096, card.kernel->group_id(0)));
  }
  EXPECT_ANY_THROW(xrt::device(0));
  emulated_.command("revive");
  expect_recovered();
}

TEST_F(Faults, ARunIsInFlightWhenTheCardDiesAndNeverCompletes) {
  emulated_.command("fault slow 60s");
  {
    const RawCard card(*bundle_, emulated_);
    RawSlot slot = card.slot();
    slot.start(events_);
    EXPECT_EQ(slot.wait(milliseconds(20)), ERT_CMD_STATE_TIMEOUT);
    emulated_.command("fault die");
    EXPECT_EQ(slot.wait(milliseconds(100)), ERT_CMD_STATE_TIMEOUT) << "the wait must end by itself";
    emulated_.command("clear");
    EXPECT_EQ(slot.wait(), ERT_CMD_STATE_ABORT) << "what was lost stays lost";
  }
  expect_recovered();
}

TEST_F(Faults, AHungKernelTimesOutAnswersItsRegistersAndRunsAgainAfterAReset) {
  emulated_.command("fault hang once");
  {
    RawCard card(*bundle_, emulated_);
    RawSlot slot = card.slot();
    slot.start(events_);
    EXPECT_EQ(slot.wait(milliseconds(100)), ERT_CMD_STATE_TIMEOUT);
    EXPECT_EQ(slot.run().state(), ERT_CMD_STATE_RUNNING);
    RawSlot behind = card.slot();
    behind.start(events_);
    EXPECT_EQ(behind.wait(milliseconds(50)), ERT_CMD_STATE_TIMEOUT) << "the unit is not free";
  }
  {
    RawCard card(*bundle_, emulated_);
    card.kernel.reset();
    const xrt::ip ip(card.device, card.uuid, "kan_kernel:{kan_kernel_1}");
    EXPECT_EQ(ip.read_register(0x40), 0x544E'414BU);
    EXPECT_EQ(ip.read_register(0x00), 1U) << "started, neither done nor idle";
  }
  emulated_.command("reset");
  expect_recovered();
}

TEST_F(Faults, AHangEndsWithAResetWhileTheRunIsInFlight) {
  const RawCard card(*bundle_, emulated_);
  emulated_.command("fault hang once");
  RawSlot slot = card.slot();
  slot.start(events_);
  EXPECT_EQ(slot.wait(milliseconds(50)), ERT_CMD_STATE_TIMEOUT);
  emulated_.command("reset");
  EXPECT_EQ(slot.wait(), ERT_CMD_STATE_ABORT);
}

TEST_F(Faults, ASlowCardTakesLongerByATimeOrByAFactor) {
  const RawCard card(*bundle_, emulated_);
  RawSlot slot = card.slot();
  for (const char* const how : {"30ms", "1000x"}) {
    emulated_.command(std::string("fault slow ") + how + " --times 1");
    const auto begin = steady_clock::now();
    slot.start(events_);
    ASSERT_EQ(slot.wait(), ERT_CMD_STATE_COMPLETED);
    EXPECT_GE(steady_clock::now() - begin, milliseconds(20)) << how;
    EXPECT_EQ(slot.wrong(events_), 0U);
  }
}

TEST_F(Faults, OneBitOfOneRunIsWrongOrOfEveryRun) {
  const RawCard card(*bundle_, emulated_);
  RawSlot slot = card.slot();
  const auto wrong = [&] {
    slot.start(events_);
    EXPECT_EQ(slot.wait(), ERT_CMD_STATE_COMPLETED);
    return slot.wrong(events_);
  };
  emulated_.command("fault corrupt");
  EXPECT_EQ(wrong(), 1U);
  EXPECT_EQ(wrong(), 0U);
  emulated_.command("fault corrupt always");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(wrong(), 1U);
  emulated_.command("clear");
  EXPECT_EQ(wrong(), 0U);
}

TEST_F(Faults, ARefusedXclbinGivesTheErrnoThatWasAskedFor) {
  for (const auto& [name, code] :
       {std::pair{"", EINVAL}, std::pair{" EIO", EIO}, std::pair{" EBUSY", EBUSY}}) {
    emulated_.command(std::string("fault refuse-xclbin") + name);
    EXPECT_EQ(errno_of([&] { const RawCard card(*bundle_, emulated_); }), code);
  }
  emulated_.command("clear");
  expect_recovered();
}

TEST_F(Faults, ADroppedInterruptLeavesTheRunCompletedAndNobodyTold) {
  const RawCard card(*bundle_, emulated_);
  RawSlot slot = card.slot();
  emulated_.command("fault drop-interrupt");
  slot.start(events_);
  const auto end = steady_clock::now() + kPatience;
  while (slot.run().state() != ERT_CMD_STATE_COMPLETED && steady_clock::now() < end)
    std::this_thread::yield();
  ASSERT_EQ(slot.run().state(), ERT_CMD_STATE_COMPLETED);
  EXPECT_EQ(slot.wrong(events_), 0U);
  expect_right(card);
  EXPECT_THAT(emulated_.command("status --json"),
              testing::HasSubstr("\"drop-interrupt\": {\"armed\": false, \"times\": 0, \"taken\": 1}"));
}

TEST_F(Faults, MovingABufferFails) {
  const RawCard card(*bundle_, emulated_);
  RawSlot slot = card.slot();
  emulated_.command("fault io-error once");
  EXPECT_EQ(errno_of([&] { slot.start(events_); }), EIO);
  expect_right(card);
}

TEST_F(Faults, BehindATrippedFirewallRegistersReadOnesAndRunsAreAborted) {
  emulated_.command("fault firewall once");
  {
    RawCard card(*bundle_, emulated_);
    {
      RawSlot slot = card.slot();
      slot.start(events_);
      EXPECT_EQ(slot.wait(), ERT_CMD_STATE_ABORT);
    }
    card.kernel.reset();
    const xrt::ip ip(card.device, card.uuid, "kan_kernel:{kan_kernel_1}");
    EXPECT_EQ(ip.read_register(0x40), 0xFFFF'FFFFU);
  }
  emulated_.command("reset");
  expect_recovered();
}

TEST_F(Faults, AFirewallThatTripsDuringARunAbortsIt) {
  emulated_.command("fault slow 60s");
  const RawCard card(*bundle_, emulated_);
  RawSlot slot = card.slot();
  slot.start(events_);
  EXPECT_EQ(slot.wait(milliseconds(20)), ERT_CMD_STATE_TIMEOUT);
  emulated_.command("fault firewall once");
  EXPECT_EQ(slot.wait(), ERT_CMD_STATE_ABORT);
}

TEST_F(Faults, ABusyUnitCannotBeTaken) {
  emulated_.command("fault busy once");
  EXPECT_EQ(errno_of([&] { const RawCard card(*bundle_, emulated_); }), EBUSY);
  expect_recovered();
}

TEST_F(Faults, AnAbsentCardIsNotCountedAndCannotBeOpened) {
  emulated_.command("fault absent");
  EXPECT_EQ(xrt::system::enumerate_devices(), 0U);
  EXPECT_ANY_THROW(xrt::device(0));
  emulated_.command("clear");
  EXPECT_EQ(xrt::system::enumerate_devices(), 1U);
  expect_recovered();
}

TEST_F(Faults, AHostThatClosesTheDeviceUnderARunIsNotHeldUp) {
  emulated_.command("fault hang");
  for (int i = 0; i < 3; ++i) {
    const RawCard card(*bundle_, emulated_);
    RawSlot slot = card.slot();
    slot.start(events_);
    EXPECT_EQ(slot.wait(milliseconds(10)), ERT_CMD_STATE_TIMEOUT);
  }
  emulated_.command("clear");
  expect_recovered();
}

TEST_F(Faults, TheProgramNamesWhatItDoesNotKnow) {
  const std::string program = std::string(KANTRIG_BINARY_DIR) + "/bin/kantrig-emulated-card --dir " +
                              emulated_.folder().string() + " ";
  for (const auto& [words, expected] :
       {std::pair{"fault explode", "expected one of die hang"}, std::pair{"fault slow", "20x or 500us"},
        std::pair{"fault slow 5parsec", "expected a time"}, std::pair{"program-time 8", "expected a time"},
        std::pair{"fault hang EIO", "takes no such word"}}) {
    const CommandOutcome outcome = run_command(program + words + " 2>&1");
    EXPECT_EQ(outcome.exit_code, 2) << words;
    EXPECT_THAT(outcome.output, testing::HasSubstr(expected)) << words;
  }
  EXPECT_EQ(run_command(std::string(KANTRIG_BINARY_DIR) +
                        "/bin/kantrig-emulated-card --dir /nowhere status 2>/dev/null")
                .exit_code,
            3);
}

}  // namespace
}  // namespace kantrig::test
