// kan_kernel over a compiled overlay: models are loaded by runs and by registers, and each run's scores are
// those of the model in its bank.
#include <Vkernel_overlay.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <filesystem>

#include "base/file.hpp"
#include "compiler/hardware/overlay_tables.hpp"
#include "compiler/hardware/record_layout.hpp"
#include "kan/reference.hpp"
#include "rtl/kernel_driver.hpp"
#include "rtl/overlay_models.hpp"
#include "rtl/violations.hpp"

namespace kantrig::test {
namespace {

using card::offset_of;
using compiler::TableBank;
namespace fs = std::filesystem;

constexpr std::size_t kMemoryBytes = 1U << 20;
constexpr std::size_t kBlockAt = 0x40000;
constexpr std::size_t kOutputAt = 0x80000;

class OverlayKernel : public testing::Test {
 protected:
  void SetUp() override {
    std::printf("seed 61\n");
    const auto json =
        base::read_file(fs::path(KANTRIG_BINARY_DIR) / "tests/overlay_design/rtl/design.json", 1U << 24);
    ASSERT_TRUE(json);
    auto design = compiler::design_from_json(*json);
    ASSERT_TRUE(design) << design.error().message;
    ASSERT_TRUE(design->overlay);
    design_ = std::move(*design);
    (void)take_violations();
  }
  void TearDown() override { EXPECT_EQ(take_violations(), 0U); }

  [[nodiscard]] kan::Model random_model() {
    for (;;) {  // sums of some do not fit; of most they do
      kan::Model model = random_overlay_model(*design_.overlay, random_, Filling::kAny);
      if (compiler::overlay_table_block(model, *design_.overlay)) return model;
    }
  }

  /// One run in mode 2.
  [[nodiscard]] bool load(const kan::Model& model, std::uint32_t bank) {
    const auto block = compiler::overlay_table_block(model, *design_.overlay);
    if (!block || kBlockAt + 4 * block->size() > kOutputAt) return false;
    std::memcpy(&driver_.memory.bytes[kBlockAt], block->data(), 4 * block->size());
    const bool done = driver_.run({.input = CardMemory::kBase + kBlockAt,
                                   .events = static_cast<std::uint32_t>(block->size()),
                                   .mode = card::Mode::kLoadTables,
                                   .table_first = begin_of(bank)});
    return done && driver_.read(offset_of("error")) == 0;
  }
  [[nodiscard]] std::uint32_t begin_of(std::uint32_t bank) const {
    return compiler::overlay_bank_begin(*design_.overlay, bank == 0 ? TableBank::kZero : TableBank::kOne);
  }

  /// Writes events of `model` to memory and keeps what the reference says of them.
  void put_events(const kan::Model& model, std::size_t events) {
    expected_.clear();
    std::vector<std::uint16_t> rows;
    for (std::size_t i = 0; i < events; ++i) {
      const std::vector<std::uint32_t> drawn = random_event(model, *design_.overlay, random_);
      rows.insert(rows.end(), drawn.begin(), drawn.end());
      const auto codes = std::span(rows).last(drawn.size());
      expected_.push_back(
          kan::reference_outputs(model, codes.first(static_cast<std::size_t>(model.input_count()))));
    }
    kan::pack_records(compiler::record_layout(design_.inputs, design_.input_width), rows,
                      static_cast<std::uint32_t>(events),
                      std::as_writable_bytes(std::span{driver_.memory.bytes}));
  }
  [[nodiscard]] std::size_t wrong_events() const {
    std::vector<std::vector<std::int16_t>> scores(design_.outputs.size(),
                                                  std::vector<std::int16_t>(expected_.size()));
    std::vector<std::int16_t*> columns;
    for (auto& column : scores) columns.push_back(column.data());
    kan::unpack_records(compiler::record_layout(design_.outputs, design_.output_width),
                        std::as_bytes(std::span{driver_.memory.bytes}).subspan(kOutputAt),
                        static_cast<std::uint32_t>(expected_.size()), columns);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < expected_.size(); ++i) {
      bool right = true;
      for (std::size_t k = 0; k < scores.size(); ++k) {
        const std::int16_t wanted = k < expected_[i].size() ? expected_[i][k] : std::int16_t{0};
        right = right && scores[k][i] == wanted;
      }
      wrong += right ? 0U : 1U;
    }
    return wrong;
  }
  [[nodiscard]] RunArguments run_of(std::uint32_t bank) const {
    return {.output = CardMemory::kBase + kOutputAt,
            .events = static_cast<std::uint32_t>(expected_.size()),
            .bank = bank};
  }
  [[nodiscard]] std::size_t wrong_after_run(const kan::Model& model, std::uint32_t bank) {
    put_events(model, 300);
    EXPECT_TRUE(driver_.run(run_of(bank)));
    return wrong_events();
  }

  compiler::HardwareDesign design_;
  KernelDriver<Vkernel_overlay> driver_{kMemoryBytes, /*seed=*/61};
  Random random_{61};
  std::vector<std::vector<std::int16_t>> expected_;
};

TEST_F(OverlayKernel, ServesModelAfterModelLoadedFromMemoryIntoTheBanksInTurn) {
  EXPECT_EQ(driver_.read(offset_of("target")), 1U);
  driver_.memory.unwillingness = {.stall_percent = 30, .latency_min = 1, .latency_max = 40};
  std::array<kan::Model, 2> models;
  for (std::uint32_t round = 0; round < 12; ++round) {
    const std::uint32_t bank = round % 2;
    models[bank] = random_model();
    ASSERT_TRUE(load(models[bank], bank));
    EXPECT_EQ(wrong_after_run(models[bank], bank), 0U) << "round " << round;
    if (round == 0) continue;
    EXPECT_EQ(wrong_after_run(models[1 - bank], 1 - bank), 0U) << "the other bank, round " << round;
    EXPECT_GT(wrong_after_run(models[1 - bank], bank), 0U) << "the banks cannot be told apart";
  }
}

TEST_F(OverlayKernel, TakesAModelThroughRegistersWhileEventsFlowThroughTheOtherBank) {
  const kan::Model flowing = random_model();
  const kan::Model next = random_model();
  ASSERT_TRUE(load(flowing, 0));
  put_events(flowing, 10'000);
  driver_.memory.unwillingness = {.stall_percent = 95, .latency_min = 1, .latency_max = 40};
  driver_.set_arguments(run_of(0));
  driver_.start();
  const auto words = compiler::overlay_table_words(next, *design_.overlay, TableBank::kOne);
  ASSERT_TRUE(words);
  std::uint32_t address = ~0U;
  for (const compiler::TableWord& word : *words) {
    if (word.address != address) driver_.write(offset_of("table_address"), word.address);
    driver_.write(offset_of("table_data"), word.data);
    address = word.address + 1;
  }
  ASSERT_LT(driver_.read64(offset_of("events_out")), 10'000U) << "the run is over too early for this test";
  ASSERT_TRUE(driver_.wait_done());
  EXPECT_EQ(wrong_events(), 0U);
  driver_.memory.unwillingness = {};
  EXPECT_EQ(wrong_after_run(next, 1), 0U);
}

}  // namespace
}  // namespace kantrig::test
