// kan_kernel under ap_ctrl_hs over the hand-made design: throughput, order, back-pressure, errors, counters.
#include <Vkernel.h>
#include <gtest/gtest.h>

#include "rtl/kernel_case.hpp"

namespace kantrig::test {
namespace {

using card::offset_of;
constexpr DesignShape kShape{.input_width = 24, .output_width = 9};  // records of 4 and 2 bytes, 4 lanes
constexpr std::uint64_t kOutput = CardMemory::kBase + 0x80000;

class Kernel : public RtlTest {
 protected:
  KernelCase<Vkernel> kernel_{kShape, /*seed=*/1};
  KernelDriver<Vkernel>& driver_ = kernel_.driver;
};

TEST_F(Kernel, SaysWhatItIs) {
  EXPECT_EQ(driver_.read(offset_of("magic")), card::kMagic);
  EXPECT_EQ(driver_.read(offset_of("interface_version")), card::kInterfaceVersion);
  EXPECT_EQ(driver_.read(offset_of("target")), 1U);
  EXPECT_EQ(driver_.read(offset_of("lanes")), compiler::lanes_of(kShape.input_width));
  EXPECT_EQ(driver_.read(offset_of("input_bits")), 24U);
  EXPECT_EQ(driver_.read(offset_of("input_record_bits")), compiler::record_bits(24));
  EXPECT_EQ(driver_.read(offset_of("output_bits")), 9U);
  EXPECT_EQ(driver_.read(offset_of("output_record_bits")), compiler::record_bits(9));
  EXPECT_EQ(driver_.read(offset_of("latency")), 5U);
  EXPECT_EQ(driver_.read(offset_of("features")), 4U);
  EXPECT_EQ(driver_.read(offset_of("outputs")), 1U);
  EXPECT_EQ(driver_.read(offset_of("self_test_events")), 256U * 32);
  EXPECT_EQ(driver_.read(offset_of("model_digest")), 0x7654'3210U);
  EXPECT_EQ(driver_.read(offset_of("model_digest") + 28), 0x0F1E'2D3CU);
  EXPECT_EQ(driver_.read(0xFFC), 0U) << "a register that does not exist";
}

TEST_F(Kernel, SustainsOneEventAClockAndLaneOver100000Events) {
  constexpr std::uint32_t kEvents = 100'000;
  constexpr std::uint64_t kLanes = 4;
  constexpr std::uint64_t kOverhead =
      64;  // start, first read, pipeline, last write, for memory that answers at once
  KernelCase<Vkernel> kernel(kShape, 2, 1U << 21);
  ASSERT_EQ(kernel.check_run({.output = CardMemory::kBase + 0x100000, .events = kEvents}), "");
  const std::uint64_t cycles = kernel.driver.read64(offset_of("busy_cycles"));
  std::printf("%u events in %llu cycles, %llu beyond events / lanes\n", kEvents,
              static_cast<unsigned long long>(cycles),
              static_cast<unsigned long long>(cycles - kEvents / kLanes));
  EXPECT_LE(cycles, kEvents / kLanes + kOverhead);
  EXPECT_GE(cycles, kEvents / kLanes);
}

TEST_F(Kernel, SustainsTheSameWithMemoryThatAnswersAfter200Cycles) {
  constexpr std::uint32_t kEvents = 100'000;
  KernelCase<Vkernel> kernel(kShape, 3, 1U << 21);
  kernel.driver.memory.unwillingness = {.stall_percent = 0, .latency_min = 200, .latency_max = 200};
  ASSERT_EQ(kernel.check_run({.output = CardMemory::kBase + 0x100000, .events = kEvents}), "");
  EXPECT_LE(kernel.driver.read64(offset_of("busy_cycles")), kEvents / 4 + 64 + 2 * 200);
}

TEST_F(Kernel, LosesAndReordersNothingUnderRandomBackPressureOnEveryChannel) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 60; ++round) {
    driver_.memory.unwillingness = {.stall_percent = static_cast<unsigned>(random() % 95),
                                    .latency_min = 1,
                                    .latency_max = 1 + static_cast<unsigned>(random() % 120)};
    driver_.host_stall_percent = static_cast<unsigned>(random() % 80);
    const RunArguments run{.input = CardMemory::kBase + 64 * (random() % 128),
                           .output = kOutput + 64 * (random() % 128),
                           .events = static_cast<std::uint32_t>(1 + random() % 3000),
                           .bank = static_cast<std::uint32_t>(random() % 2)};
    ASSERT_EQ(kernel_.check_run(run), "") << "round " << round;
  }
}

TEST_F(Kernel, TakesEveryNumberOfEventsAroundAWordAndABurst) {
  for (std::uint32_t events = 0; events <= 70; ++events) {
    ASSERT_EQ(
        kernel_.check_run({.input = CardMemory::kBase + 4032, .output = kOutput + 4032, .events = events}),
        "")
        << events << " events";
  }
  for (const std::uint32_t events : {255U, 256U, 257U, 1023U, 1024U, 1025U, 8191U, 8192U, 8193U}) {
    ASSERT_EQ(kernel_.check_run({.input = CardMemory::kBase + 64, .output = kOutput + 128, .events = events}),
              "")
        << events << " events";
  }
}

TEST_F(Kernel, IsCleanAfterAResetAtAnyPointOfARun) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 40; ++round) {
    driver_.memory.unwillingness = {.stall_percent = 30, .latency_min = 1, .latency_max = 40};
    driver_.set_arguments({.output = kOutput, .events = 2000});
    driver_.start();
    driver_.step(random() % 1500);
    driver_.reset();
    EXPECT_EQ(driver_.read(offset_of("control")), 4U) << "idle, and nothing else";
    EXPECT_EQ(driver_.read64(offset_of("events_in")), 0U);
    ASSERT_EQ(kernel_.check_run({.output = kOutput, .events = 333}), "") << "round " << round;
  }
}

TEST_F(Kernel, EndsARunAtAnErrorOfMemoryAndTheNextOneIsRight) {
  for (const std::uint64_t word : {0U, 16U, 32U, 96U}) {
    for (const bool reading : {true, false}) {
      for (const unsigned stall : {0U, 60U}) {
        driver_.memory.unwillingness = {.stall_percent = stall, .latency_min = 1, .latency_max = 30};
        const std::uint64_t address = reading ? CardMemory::kBase + 64 * word : kOutput + 64 * word;
        (reading ? driver_.memory.read_error_at : driver_.memory.write_error_at) = address;
        const std::uint32_t errors = driver_.read(offset_of("axi_errors"));
        std::uint8_t& last_byte = driver_.memory.bytes[0x80000 + 2 * 8000 - 1];
        last_byte = KernelCase<Vkernel>::kUntouched;
        ASSERT_TRUE(driver_.run({.output = kOutput, .events = 8000})) << "hangs";
        EXPECT_EQ(last_byte, KernelCase<Vkernel>::kUntouched) << "went on to the end";
        EXPECT_EQ(driver_.read(offset_of("error")), reading ? 1U : 2U);
        EXPECT_EQ(driver_.read(offset_of("axi_errors")), errors + 1);
        EXPECT_TRUE(driver_.memory.quiet());
        driver_.memory.read_error_at = driver_.memory.write_error_at = CardMemory::kNever;
        ASSERT_EQ(kernel_.check_run({.output = kOutput, .events = 100}), "");
      }
    }
  }
}

TEST_F(Kernel, RefusesArgumentsThatItCannotServeWithoutTouchingMemory) {
  const std::uint64_t outside = driver_.memory.outside;
  const auto error_of = [&](const RunArguments& run) {
    EXPECT_TRUE(driver_.run(run));
    return driver_.read(offset_of("error"));
  };
  EXPECT_EQ(error_of({.input = CardMemory::kBase + 4, .output = kOutput, .events = 8}), 4U);
  EXPECT_EQ(error_of({.output = kOutput + 32, .events = 8}), 4U);
  EXPECT_EQ(error_of({.input = ~std::uint64_t{63}, .output = kOutput, .events = 17}), 4U);
  EXPECT_EQ(error_of({.output = ~std::uint64_t{63}, .events = 33}), 4U);
  EXPECT_EQ(error_of({.output = kOutput, .events = 8, .mode = static_cast<card::Mode>(3)}), 8U);
  EXPECT_EQ(error_of({.output = kOutput, .events = 256 * 32 + 1, .mode = card::Mode::kSelfTest}), 16U);
  EXPECT_EQ(error_of({.output = kOutput, .events = 0}), 0U) << "no events is no error";
  EXPECT_EQ(driver_.memory.outside, outside);
  EXPECT_EQ(driver_.read64(offset_of("events_in")), 0U);
  EXPECT_EQ(driver_.read(offset_of("runs")), 7U);
}

TEST_F(Kernel, CountsEventsRunsAndWhatHeldItUp) {
  ASSERT_EQ(kernel_.check_run({.output = kOutput, .events = 1001}), "");
  ASSERT_EQ(kernel_.check_run({.output = kOutput, .events = 2}), "");
  EXPECT_EQ(driver_.read64(offset_of("events_in")), 1003U);
  EXPECT_EQ(driver_.read64(offset_of("events_out")), 1003U);
  EXPECT_EQ(driver_.read(offset_of("runs")), 2U);
  EXPECT_EQ(driver_.read64(offset_of("write_stalls")), 0U);
  const std::uint64_t before = driver_.read64(offset_of("read_stalls"));
  driver_.memory.unwillingness = {.stall_percent = 0, .latency_min = 500, .latency_max = 500};
  ASSERT_EQ(kernel_.check_run({.output = kOutput, .events = 16}), "");
  EXPECT_GE(driver_.read64(offset_of("read_stalls")), before + 500);
  EXPECT_LE(driver_.read64(offset_of("read_stalls")), before + 520);
  driver_.memory.unwillingness = {.stall_percent = 97, .latency_min = 1, .latency_max = 1};
  ASSERT_EQ(kernel_.check_run({.output = kOutput, .events = 30'000}), "");
  EXPECT_GT(driver_.read64(offset_of("busy_cycles")), 30'000U);
}

TEST_F(Kernel, TestsItselfAgainstExpectedRecordsInMemoryAndWritesNothing) {
  for (const std::uint32_t events : {1U, 31U, 32U, 100U, 8192U}) {
    const std::vector<std::uint8_t> codes = random_events(kShape, events, events);
    std::vector<std::uint8_t> expected = expected_results(kShape, kernel_.tables, 0, codes);
    std::vector<std::uint8_t>& bytes = driver_.memory.bytes;
    std::copy(codes.begin(), codes.end(), bytes.begin());
    std::copy(expected.begin(), expected.end(), bytes.begin() + 0x80000);
    const std::vector<std::uint8_t> before = bytes;
    const RunArguments run{.output = kOutput, .events = events, .mode = card::Mode::kSelfTest};
    ASSERT_TRUE(driver_.run(run));
    EXPECT_EQ(driver_.read(offset_of("error")), 0U);
    EXPECT_EQ(driver_.read(offset_of("mismatches")), 0U) << events << " events";
    bytes[0x80000] ^= 0x10;                  // the first record
    bytes[0x80000 + 2 * (events - 1)] ^= 1;  // the last one
    bytes[0x80000 + 2 * events] ^= 0xFF;     // past the end: not looked at
    ASSERT_TRUE(driver_.run(run));
    EXPECT_EQ(driver_.read(offset_of("mismatches")), events == 1 ? 1U : 2U) << events << " events";
    bytes[0x80000] ^= 0x10;
    bytes[0x80000 + 2 * (events - 1)] ^= 1;
    bytes[0x80000 + 2 * events] ^= 0xFF;
    EXPECT_EQ(bytes, before);
  }
  ASSERT_EQ(kernel_.check_run({.output = kOutput, .events = 100}), "") << "a run after a self-test";
}

TEST_F(Kernel, EndsASelfTestAtAnErrorOfMemory) {
  driver_.memory.read_error_at = kOutput + 64;
  ASSERT_TRUE(driver_.run({.output = kOutput, .events = 200, .mode = card::Mode::kSelfTest}));
  EXPECT_EQ(driver_.read(offset_of("error")), 1U);
  driver_.memory.read_error_at = CardMemory::kNever;
  ASSERT_EQ(kernel_.check_run({.output = kOutput, .events = 100}), "");
}

TEST_F(Kernel, LoadsTablesFromMemoryIntoTheBankThatIsNotInUse) {
  std::mt19937_64 random(6);
  for (int round = 0; round < 10; ++round) {
    driver_.memory.unwillingness = {.stall_percent = 40, .latency_min = 1, .latency_max = 20};
    const std::uint32_t bank = round % 2;
    for (std::uint32_t i = 0; i < 8; ++i) {
      const auto word = static_cast<std::uint32_t>(random());
      kernel_.tables[8 * bank + i] = word;
      std::memcpy(&driver_.memory.bytes[0x1000 + 4 * i], &word, 4);
    }
    ASSERT_TRUE(driver_.run({.input = CardMemory::kBase + 0x1000,
                             .events = 8,
                             .mode = card::Mode::kLoadTables,
                             .table_first = 8 * bank}));
    EXPECT_EQ(driver_.read(offset_of("error")), 0U);
    ASSERT_EQ(kernel_.check_run({.output = kOutput, .events = 77, .bank = bank}), "");
    ASSERT_EQ(kernel_.check_run({.output = kOutput, .events = 77, .bank = 1 - bank}), "");
  }
}

TEST_F(Kernel, TakesTableWordsOfTheOtherBankThroughRegistersWhileARunIsGoingOn) {
  constexpr std::uint32_t kEvents = 4000;
  const std::vector<std::uint8_t> codes = random_events(kShape, kEvents, 7);
  const std::vector<std::uint8_t> expected = expected_results(kShape, kernel_.tables, 0, codes);
  std::copy(codes.begin(), codes.end(), driver_.memory.bytes.begin());
  driver_.set_arguments({.output = kOutput, .events = kEvents});
  driver_.start();
  for (std::uint32_t i = 8; i < 16; ++i) {
    kernel_.tables[i] = ~kernel_.tables[i];
    driver_.write(offset_of("table_address"), i);
    driver_.write(offset_of("table_data"), kernel_.tables[i]);
  }
  ASSERT_LT(driver_.read64(offset_of("events_out")), kEvents) << "the run is over too early for this test";
  ASSERT_TRUE(driver_.wait_done());
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), driver_.memory.bytes.begin() + 0x80000));
  ASSERT_EQ(kernel_.check_run({.output = kOutput, .events = 100, .bank = 1}), "");
}

}  // namespace
}  // namespace kantrig::test
