// kan_kernel over the design that kanc compiles from the jets model: what the kernel writes to memory is what
// the reference evaluator says.
#include <Vkernel_jets.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "base/file.hpp"
#include "compiler/hardware/record_layout.hpp"
#include "kan/bundle.hpp"
#include "kan/reference.hpp"
#include "rtl/kernel_driver.hpp"
#include "rtl/violations.hpp"

namespace kantrig::test {
namespace {

using card::offset_of;
using compiler::HardwareDesign;
namespace fs = std::filesystem;

constexpr std::size_t kMemoryBytes = 1U << 20;
constexpr std::uint64_t kOutput = CardMemory::kBase + 0x80000;

class JetsKernel : public testing::Test {
 protected:
  void SetUp() override {
    const fs::path folder = fs::path(KANTRIG_BINARY_DIR) / "tests" / "jets_design";
    auto bundle = kan::load_bundle(folder);
    ASSERT_TRUE(bundle) << bundle.error().message;
    bundle_ = std::move(*bundle);
    const auto json = base::read_file(folder / "rtl" / "design.json", 1U << 24);
    ASSERT_TRUE(json);
    auto design = compiler::design_from_json(*json);
    ASSERT_TRUE(design) << design.error().message;
    design_ = std::move(*design);
    (void)take_violations();
  }
  void TearDown() override { EXPECT_EQ(take_violations(), 0U); }

  [[nodiscard]] std::uint32_t input_bytes() const { return compiler::record_bytes(design_.input_width); }
  [[nodiscard]] std::uint32_t output_bytes() const { return compiler::record_bytes(design_.output_width); }

  /// Puts the events at the start of memory, runs them, and counts the scores that differ from the reference.
  [[nodiscard]] std::size_t wrong_scores(std::span<const std::uint16_t> codes) {
    const std::size_t features = design_.inputs.size();
    const std::size_t events = codes.size() / features;
    const auto bytes = std::as_writable_bytes(std::span(driver_.memory.bytes));
    kan::pack_records(compiler::record_layout(design_.inputs, design_.input_width), codes,
                      static_cast<std::uint32_t>(events), bytes);
    EXPECT_TRUE(driver_.run({.output = kOutput, .events = static_cast<std::uint32_t>(events)})) << "hangs";
    EXPECT_EQ(driver_.read(offset_of("error")), 0U);
    std::vector<std::vector<std::int16_t>> scores(design_.outputs.size(), std::vector<std::int16_t>(events));
    std::vector<std::int16_t*> columns;
    for (auto& column : scores) columns.push_back(column.data());
    kan::unpack_records(compiler::record_layout(design_.outputs, design_.output_width),
                        bytes.subspan(0x80000), static_cast<std::uint32_t>(events), columns);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < events; ++i) {
      const std::vector<std::int16_t> expected =
          kan::reference_outputs(bundle_.model, codes.subspan(i * features, features));
      for (std::size_t k = 0; k < scores.size(); ++k) wrong += scores[k][i] == expected[k] ? 0U : 1U;
    }
    return wrong;
  }

  kan::Bundle bundle_;
  HardwareDesign design_;
  KernelDriver<Vkernel_jets> driver_{kMemoryBytes, /*seed=*/51};
};

TEST_F(JetsKernel, SaysWhichModelItHolds) {
  EXPECT_EQ(driver_.read(offset_of("features")), 16U);
  EXPECT_EQ(driver_.read(offset_of("outputs")), 5U);
  EXPECT_EQ(driver_.read(offset_of("latency")), design_.cycles);
  EXPECT_EQ(driver_.read(offset_of("lanes")), compiler::lanes_of(design_.input_width));
  std::string digest;
  for (std::uint32_t word = 8; word-- > 0;) {
    std::array<char, 9> text{};
    std::snprintf(text.data(), text.size(), "%08x", driver_.read(offset_of("model_digest") + 4 * word));
    digest += text.data();
  }
  EXPECT_EQ(digest, design_.model_digest);
}

TEST_F(JetsKernel, ReproducesTheGoldenVectors) {
  ASSERT_GT(bundle_.golden.count, 0U);
  EXPECT_EQ(wrong_scores(bundle_.golden.inputs), 0U) << bundle_.golden.count << " vectors";
}

TEST_F(JetsKernel, EqualsTheReferenceOnRandomEventsUnderBackPressure) {
  std::mt19937_64 random(52);
  std::printf("seed 52\n");
  std::vector<std::uint16_t> codes;
  for (int event = 0; event < 5000; ++event) {
    for (const kan::InputFeature& feature : bundle_.model.inputs) {
      codes.push_back(static_cast<std::uint16_t>(random() % (1U << feature.bits)));
    }
  }
  for (const unsigned stall : {0U, 70U}) {
    driver_.memory.unwillingness = {.stall_percent = stall, .latency_min = 1, .latency_max = 1 + stall};
    EXPECT_EQ(wrong_scores(codes), 0U);
  }
}

TEST_F(JetsKernel, SustainsOneEventAClockAndLane) {
  constexpr std::uint32_t kEvents = 20'000;
  const std::uint32_t lanes = driver_.read(offset_of("lanes"));
  ASSERT_TRUE(driver_.run({.output = kOutput, .events = kEvents}));
  EXPECT_LE(driver_.read64(offset_of("busy_cycles")), kEvents / lanes + 64);
}

}  // namespace
}  // namespace kantrig::test
