// How a host starts kan_kernel and learns of its end: ap_ctrl_hs, ap_ctrl_chain, interrupts; and that the
// protocol checkers see what they are there for.
#include <Vkernel.h>
#include <Vkernel_chain.h>
#include <gtest/gtest.h>

#include "rtl/kernel_case.hpp"

namespace kantrig::test {
namespace {

using card::offset_of;
constexpr DesignShape kShape{.input_width = 24, .output_width = 9};
constexpr std::uint64_t kOutput = CardMemory::kBase + 0x80000;
constexpr std::uint32_t kStart = 1, kDone = 2, kIdle = 4, kReady = 8, kContinue = 16, kRestart = 128;

class Handshake : public RtlTest {
 protected:
  KernelCase<Vkernel> kernel_{kShape, /*seed=*/11};
  KernelDriver<Vkernel>& driver_ = kernel_.driver;
};

TEST_F(Handshake, IsIdleUntilStartedAndNotIdleFromTheAnswerToTheStartOn) {
  EXPECT_EQ(driver_.read(offset_of("control")), kIdle);
  driver_.set_arguments({.output = kOutput, .events = 2000});
  driver_.start();
  EXPECT_EQ(driver_.read(offset_of("control")), kStart);
}

TEST_F(Handshake, ClearsDoneWhenTheRegisterIsRead) {
  driver_.set_arguments({.output = kOutput, .events = 20});
  driver_.start();
  driver_.step(500);
  EXPECT_EQ(driver_.read(offset_of("control")), kDone | kIdle | kReady);
  EXPECT_EQ(driver_.read(offset_of("control")), kIdle);
}

TEST_F(Handshake, RestartsByItselfUntilToldNotTo) {
  driver_.set_arguments({.output = kOutput, .events = 20});
  driver_.write(offset_of("control"), kStart | kRestart);
  driver_.step(2000);
  EXPECT_EQ(driver_.read(offset_of("control")) & kRestart, kRestart);
  driver_.write(offset_of("control"), 0);
  driver_.step(500);
  EXPECT_EQ(driver_.read(offset_of("control")), kDone | kIdle | kReady);
  const std::uint32_t runs = driver_.read(offset_of("runs"));
  EXPECT_GT(runs, 10U);
  EXPECT_EQ(driver_.read64(offset_of("events_out")), 20ULL * runs);
}

TEST_F(Handshake, ReadsBackItsArgumentsAndHonoursByteStrobes) {
  driver_.set_arguments({.input = 0x1122'3344'5566'7788, .output = 0x99AA'BBCC'DDEE'FF00, .events = 7});
  EXPECT_EQ(driver_.read64(offset_of("input")), 0x1122'3344'5566'7788ULL);
  EXPECT_EQ(driver_.read64(offset_of("output")), 0x99AA'BBCC'DDEE'FF00ULL);
  EXPECT_EQ(driver_.read(offset_of("events")), 7U);
  driver_.write(offset_of("events"), 0xAABB'CCDD, /*strobe=*/0b0100);
  EXPECT_EQ(driver_.read(offset_of("events")), 0x00BB'0007U);
  driver_.write(offset_of("control"), 1, /*strobe=*/0b1110);
  EXPECT_EQ(driver_.read(offset_of("control")), kIdle) << "started by a byte that was not written";
}

TEST_F(Handshake, InterruptsOnDoneUntilTheStatusIsToggled) {
  driver_.write(offset_of("interrupt_global"), 1);
  driver_.write(offset_of("interrupt_enable"), 1);
  driver_.set_arguments({.output = kOutput, .events = 20});
  EXPECT_FALSE(driver_.model().irq);
  driver_.start();
  driver_.step(500);
  EXPECT_TRUE(driver_.model().irq);
  EXPECT_EQ(driver_.read(offset_of("interrupt_status")), 1U);
  EXPECT_EQ(driver_.read(offset_of("control")) & kDone, kDone);
  EXPECT_TRUE(driver_.model().irq) << "reading control does not take the interrupt back";
  driver_.write(offset_of("interrupt_status"), 1);
  EXPECT_FALSE(driver_.model().irq);
  driver_.write(offset_of("interrupt_enable"), 0);
  EXPECT_TRUE(driver_.run({.output = kOutput, .events = 20}));
  EXPECT_FALSE(driver_.model().irq);
  EXPECT_EQ(driver_.read(offset_of("interrupt_status")), 0U);
}

class Chain : public RtlTest {
 protected:
  void put_events(std::uint64_t offset, std::uint32_t events, std::uint64_t seed) {
    const std::vector<std::uint8_t> codes = random_events(kShape, events, seed);
    std::copy(codes.begin(), codes.end(), driver_.memory.bytes.begin() + static_cast<std::ptrdiff_t>(offset));
  }
  [[nodiscard]] bool right(std::uint64_t offset, std::uint32_t events, std::uint64_t seed) {
    const std::vector<std::uint8_t> expected =
        expected_results(kShape, kernel_.tables, 0, random_events(kShape, events, seed));
    return std::equal(expected.begin(), expected.end(),
                      driver_.memory.bytes.begin() + static_cast<std::ptrdiff_t>(offset));
  }
  KernelCase<Vkernel_chain> kernel_{kShape, /*seed=*/12};
  KernelDriver<Vkernel_chain>& driver_ = kernel_.driver;
};

TEST_F(Chain, TakesTheNextRunWhileOneIsGoingOnAndHoldsDoneUntilContinue) {
  put_events(0, 4000, 1);
  put_events(0x10000, 50, 2);
  driver_.set_arguments({.output = kOutput, .events = 4000});
  driver_.start();
  driver_.step(8);
  EXPECT_EQ(driver_.read(offset_of("control")), kReady) << "accepted: start has fallen, ready to be set up";
  driver_.set_arguments({.input = CardMemory::kBase + 0x10000, .output = kOutput + 0x10000, .events = 50});
  driver_.start();
  ASSERT_TRUE(driver_.wait_done());
  EXPECT_TRUE(right(0x80000, 4000, 1));
  driver_.step(1000);
  EXPECT_EQ(driver_.read(offset_of("control")), kStart | kDone) << "done stays, the second run waits";
  EXPECT_EQ(driver_.read64(offset_of("events_in")), 4000U);
  driver_.write(offset_of("control"), kContinue);
  driver_.step(1000);
  EXPECT_EQ(driver_.read(offset_of("control")), kDone | kReady);
  EXPECT_TRUE(right(0x90000, 50, 2));
  driver_.write(offset_of("control"), kContinue);
  EXPECT_EQ(driver_.read(offset_of("control")), kIdle);
  EXPECT_EQ(driver_.read(offset_of("runs")), 2U);
}

TEST_F(Chain, InterruptsOnceForEachRun) {
  driver_.write(offset_of("interrupt_global"), 1);
  driver_.write(offset_of("interrupt_enable"), 1);
  for (int run = 0; run < 3; ++run) {
    put_events(0, 20, 3);
    driver_.set_arguments({.output = kOutput, .events = 20});
    driver_.start();
    driver_.step(500);
    EXPECT_TRUE(driver_.model().irq);
    driver_.write(offset_of("interrupt_status"), 1);
    EXPECT_FALSE(driver_.model().irq);
    driver_.write(offset_of("control"), kContinue);
    driver_.step(20);
    EXPECT_FALSE(driver_.model().irq);
  }
}

TEST_F(Chain, LosesNothingOverManyQueuedRunsUnderBackPressure) {
  driver_.memory.unwillingness = {.stall_percent = 50, .latency_min = 1, .latency_max = 50};
  driver_.host_stall_percent = 50;
  constexpr std::uint32_t kRuns = 30;
  for (std::uint32_t run = 0; run < kRuns; ++run) put_events(0x1000ULL * run, 100 + run, run);
  std::uint32_t started = 0;
  std::uint32_t ended = 0;
  while (ended < kRuns && driver_.cycle() < 1'000'000) {
    const std::uint32_t control = driver_.read(offset_of("control"));
    if ((control & kDone) != 0) {
      EXPECT_TRUE(right(0x80000 + 0x1000ULL * ended, 100 + ended, ended)) << "run " << ended;
      ++ended;
      driver_.write(offset_of("control"), kContinue);
    } else if ((control & kStart) == 0 && started < kRuns) {
      driver_.set_arguments({.input = CardMemory::kBase + 0x1000ULL * started,
                             .output = kOutput + 0x1000ULL * started,
                             .events = 100 + started});
      driver_.start();
      ++started;
    }
  }
  EXPECT_EQ(ended, kRuns);
  EXPECT_EQ(driver_.read(offset_of("runs")), kRuns);
}

// A checker that sees nothing would make every other test here worth less.
class Checkers : public testing::Test {
 protected:
  [[nodiscard]] std::uint64_t violations_with(std::uint8_t broken) {
    KernelCase<Vkernel> kernel(kShape, /*seed=*/13);
    (void)take_violations();
    kernel.driver.memory.unwillingness = {.stall_percent = 40, .latency_min = 1, .latency_max = 20};
    kernel.driver.host_stall_percent = 40;
    kernel.driver.set_arguments({.output = kOutput, .events = 2000});
    kernel.driver.start();
    kernel.driver.model().broken_i = broken;
    EXPECT_TRUE(kernel.driver.wait_done());
    return take_violations();
  }
};

TEST_F(Checkers, AreSilentWhenNothingIsWrong) {
  EXPECT_EQ(violations_with(0), 0U);
}
TEST_F(Checkers, SeeALastWordAtTheWrongPlace) {
  EXPECT_GT(violations_with(1), 0U);
}
TEST_F(Checkers, SeeAValidThatIsTakenBack) {
  EXPECT_GT(violations_with(2), 0U);
}
TEST_F(Checkers, SeeAnAddressThatChanges) {
  EXPECT_GT(violations_with(4), 0U);
}
TEST_F(Checkers, SeeAnAnswerToNothing) {
  EXPECT_GT(violations_with(8), 0U);
}

}  // namespace
}  // namespace kantrig::test
