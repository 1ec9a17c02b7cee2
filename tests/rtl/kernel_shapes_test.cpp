// kan_kernel over designs whose records are a byte, a word, or several words, and with other numbers of
// lanes.
#include <Vkernel_narrow.h>
#include <Vkernel_tall.h>
#include <Vkernel_wide.h>
#include <gtest/gtest.h>

#include "rtl/kernel_case.hpp"

namespace kantrig::test {
namespace {

using card::offset_of;
constexpr std::uint64_t kOutput = CardMemory::kBase + 0x80000;

struct Narrow {  // 64 records a word either way, 8 lanes, fixed target
  using Model = Vkernel_narrow;
  static constexpr DesignShape kShape{.input_width = 6, .output_width = 4};
  static constexpr std::uint32_t kLanes = 8;
  static constexpr std::uint32_t kMaxLanes = 8;
  static constexpr std::uint32_t kWordsPerBeat = 1;
};
struct Wide {  // a record in of two words, one out of 64 bits
  using Model = Vkernel_wide;
  static constexpr DesignShape kShape{.input_width = 600, .output_width = 40};
  static constexpr std::uint32_t kLanes = 1;
  static constexpr std::uint32_t kMaxLanes = 4;
  static constexpr std::uint32_t kWordsPerBeat = 2;
};
struct Tall {  // a record in of 64 bits, one out of two words
  using Model = Vkernel_tall;
  static constexpr DesignShape kShape{.input_width = 50, .output_width = 530};
  static constexpr std::uint32_t kLanes = 4;
  static constexpr std::uint32_t kMaxLanes = 4;
  static constexpr std::uint32_t kWordsPerBeat = 8;
};

template <typename Shape>
class KernelShape : public RtlTest {
 protected:
  KernelCase<typename Shape::Model> kernel_{Shape::kShape, /*seed=*/21};
  KernelDriver<typename Shape::Model>& driver_ = kernel_.driver;
};
using Shapes = testing::Types<Narrow, Wide, Tall>;
TYPED_TEST_SUITE(KernelShape, Shapes);

TYPED_TEST(KernelShape, SaysItsShape) {
  EXPECT_EQ(this->driver_.read(offset_of("lanes")), TypeParam::kLanes);
  EXPECT_EQ(TypeParam::kLanes, compiler::lanes_of(TypeParam::kShape.input_width, TypeParam::kMaxLanes));
  EXPECT_EQ(this->driver_.read(offset_of("input_record_bits")),
            compiler::record_bits(TypeParam::kShape.input_width));
  EXPECT_EQ(this->driver_.read(offset_of("output_record_bits")),
            compiler::record_bits(TypeParam::kShape.output_width));
}

TYPED_TEST(KernelShape, LosesAndReordersNothingUnderRandomBackPressure) {
  std::mt19937_64 random(22);
  for (std::uint32_t events = 1; events < 40; ++events) {
    ASSERT_EQ(this->kernel_.check_run({.output = kOutput, .events = events}), "") << events << " events";
  }
  for (int round = 0; round < 30; ++round) {
    this->driver_.memory.unwillingness = {.stall_percent = static_cast<unsigned>(random() % 90),
                                          .latency_min = 1,
                                          .latency_max = 1 + static_cast<unsigned>(random() % 80)};
    ASSERT_EQ(this->kernel_.check_run({.input = CardMemory::kBase + 64 * (random() % 64),
                                       .output = kOutput + 64 * (random() % 64),
                                       .events = static_cast<std::uint32_t>(1 + random() % 600)}),
              "")
        << "round " << round;
  }
}

TYPED_TEST(KernelShape, IsLimitedByTheMemoryAlone) {
  constexpr std::uint32_t kEvents = 3000;
  constexpr std::uint32_t kBeats = (kEvents + TypeParam::kLanes - 1) / TypeParam::kLanes;
  ASSERT_EQ(this->kernel_.check_run({.output = kOutput, .events = kEvents}), "");
  EXPECT_LE(this->driver_.read64(offset_of("busy_cycles")), kBeats * TypeParam::kWordsPerBeat + 64);
}

TYPED_TEST(KernelShape, CountsTheMismatchesOfASelfTestByRecord) {
  constexpr std::uint32_t kEvents = 20;
  const DesignShape shape = TypeParam::kShape;
  const std::vector<std::uint8_t> codes = random_events(shape, kEvents, 23);
  const std::vector<std::uint8_t> expected = expected_results(shape, this->kernel_.tables, 0, codes);
  std::vector<std::uint8_t>& bytes = this->driver_.memory.bytes;
  std::copy(codes.begin(), codes.end(), bytes.begin());
  std::copy(expected.begin(), expected.end(), bytes.begin() + 0x80000);
  const RunArguments run{.output = kOutput, .events = kEvents, .mode = card::Mode::kSelfTest};
  ASSERT_TRUE(this->driver_.run(run));
  EXPECT_EQ(this->driver_.read(offset_of("mismatches")), 0U);
  for (const std::uint32_t event : {0U, 7U, 19U}) {  // every byte of these records
    for (std::uint32_t i = 0; i < shape.output_bytes(); ++i) {
      bytes[0x80000 + event * shape.output_bytes() + i] ^= 0xFF;
    }
  }
  ASSERT_TRUE(this->driver_.run(run));
  EXPECT_EQ(this->driver_.read(offset_of("mismatches")), 3U);
}

TYPED_TEST(KernelShape, EndsARunAtAnErrorOfMemory) {
  this->driver_.memory.unwillingness = {.stall_percent = 40, .latency_min = 1, .latency_max = 20};
  this->driver_.memory.read_error_at = CardMemory::kBase + 128;
  ASSERT_TRUE(this->driver_.run({.output = kOutput, .events = 500}));
  EXPECT_EQ(this->driver_.read(offset_of("error")), 1U);
  this->driver_.memory.read_error_at = CardMemory::kNever;
  ASSERT_EQ(this->kernel_.check_run({.output = kOutput, .events = 50}), "");
}

TEST(TallKernel, CountsTheClocksInWhichAResultWaitsForRoom) {
  KernelCase<Vkernel_tall> kernel(Tall::kShape, 25);
  // 4 lanes give 8 words a clock and memory takes one: each of the 125 beats but the first ones waits for 7
  // clocks.
  ASSERT_EQ(kernel.check_run({.output = kOutput, .events = 500}), "");
  EXPECT_GT(kernel.driver.read64(offset_of("write_stalls")), 125U * 7 * 9 / 10);
  EXPECT_LE(kernel.driver.read64(offset_of("write_stalls")), 125U * 8);
}

TEST(FixedKernel, RefusesToLoadTables) {
  KernelCase<Vkernel_narrow> kernel(Narrow::kShape, 24);
  EXPECT_EQ(kernel.driver.read(offset_of("target")), 0U);
  ASSERT_TRUE(kernel.driver.run({.events = 8, .mode = card::Mode::kLoadTables}));
  EXPECT_EQ(kernel.driver.read(offset_of("error")), 8U);
}

}  // namespace
}  // namespace kantrig::test
