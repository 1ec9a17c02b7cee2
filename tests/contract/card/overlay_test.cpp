// An overlay on the emulated card: tables loaded into the idle bank while runs go on in the other.
#include <experimental/xrt_ip.h>

#include "compiler/hardware/design.hpp"
#include "compiler/hardware/overlay_tables.hpp"
#include "contract/card/raw_card.hpp"
#include "support/plain_design.hpp"

namespace kantrig::test {
namespace {

constexpr std::uint32_t kLoadTables = 2;

/// The same model with other tables, so that it fits the same overlay.
kan::Model with_other_tables(kan::Model model) {
  for (kan::Layer& layer : model.layers) std::ranges::reverse(layer.tables);
  return model;
}

class Overlay : public testing::Test {
 protected:
  void SetUp() override {
    if (!can_emulate()) GTEST_SKIP() << kCannotEmulate;
    std::printf("seed 73\n");
    auto bundle = packed(two_layer_bundle(), Tables::kOverlay, 1);
    ASSERT_TRUE(bundle) << bundle.error().message;
    bundle_ = std::move(*bundle);
    image_ = image_of(bundle_);
  }
  /// What fpga/emulated.tables would be for `model`.
  [[nodiscard]] std::vector<std::uint32_t> block_of(const kan::Model& model) const {
    const auto design = compiler::design_from_json(bundle_.rtl_files.at("rtl/design.json")).value();
    const auto block = compiler::overlay_table_block(model, *design.overlay);
    EXPECT_TRUE(block) << block.error().message;
    return block.value_or(std::vector<std::uint32_t>{});
  }
  kan::Bundle bundle_;
  kan::CardImage image_;
  EmulatedCard emulated_;
  std::mt19937_64 random_{73};
};

/// A run in mode 2, as kantrig loads a model.
class TableLoad {
 public:
  TableLoad(const RawCard& card, std::size_t words)
      : image_(card.image),
        words_(card.device, whole_pages(4 * words + 64), card.kernel->group_id(0)),
        run_(*card.kernel) {}
  void start(std::span<const std::uint32_t> block, std::uint32_t bank) {
    std::memcpy(words_.map<void*>(), block.data(), block.size_bytes());
    words_.sync(XCL_BO_SYNC_BO_TO_DEVICE);
    run_.set_arg(0, words_);
    run_.set_arg(1, words_);
    run_.set_arg(2, static_cast<std::uint32_t>(block.size()));
    run_.set_arg(3, 0U);
    run_.set_arg(4, kLoadTables);
    run_.set_arg(5, image_.bank_begin[bank]);
    run_.start();
  }
  [[nodiscard]] ert_cmd_state wait() { return run_.wait(kPatience); }

 private:
  kan::CardImage image_;
  xrt::bo words_;
  xrt::run run_;
};

TEST_F(Overlay, TheTablesOfTheBundleAreTheBlockOfItsModel) {
  const std::string& bytes = bundle_.fpga_files.at("fpga/emulated.tables");
  const std::vector<std::uint32_t> block = block_of(bundle_.model);
  ASSERT_EQ(bytes.size(), 4 * block.size());
  EXPECT_EQ(image_.table_words, block.size());
  EXPECT_EQ(std::memcmp(bytes.data(), block.data(), bytes.size()), 0);
}

TEST_F(Overlay, AModelIsLoadedIntoTheIdleBankWhileRunsGoOnInTheOther) {
  const kan::Model other = with_other_tables(bundle_.model);
  const std::array<std::vector<std::uint32_t>, 2> blocks{block_of(bundle_.model), block_of(other)};
  const std::array<const kan::Model*, 2> models{&bundle_.model, &other};
  const RawCard card(bundle_, emulated_);
  TableLoad load(card, image_.table_words);
  load.start(blocks[0], 0);
  ASSERT_EQ(load.wait(), ERT_CMD_STATE_COMPLETED);
  std::vector<RawSlot> slots;
  for (int i = 0; i < 3; ++i) slots.push_back(card.slot());
  std::size_t told_apart = 0;
  for (std::uint32_t round = 0; round < 12; ++round) {
    const std::uint32_t bank = round % 2;
    std::vector<Events> events;
    for (RawSlot& slot : slots) {
      if (events.size() == 1) load.start(blocks[1 - bank], 1 - bank);  // between two runs of the bank in use
      events.push_back(random_events(*models[bank], 100, random_));
      slot.start(events.back(), bank);
    }
    for (std::size_t i = 0; i < slots.size(); ++i) {
      ASSERT_EQ(slots[i].wait(), ERT_CMD_STATE_COMPLETED);
      EXPECT_EQ(slots[i].wrong(events[i]), 0U) << "round " << round << " slot " << i;
    }
    ASSERT_EQ(load.wait(), ERT_CMD_STATE_COMPLETED);
    slots[0].start(events[0], 1 - bank);  // the wrong bank: the other model
    ASSERT_EQ(slots[0].wait(), ERT_CMD_STATE_COMPLETED);
    told_apart += slots[0].wrong(events[0]);
  }
  EXPECT_GT(told_apart, 0U) << "the two models cannot be told apart";
}

TEST_F(Overlay, TwoModelsOfOneShapeShareAnXclbin) {
  kan::Bundle other = two_layer_bundle();
  other.model = with_other_tables(other.model);
  const std::size_t inputs = other.model.input_count();
  const std::size_t outputs = other.model.output_count();
  for (std::size_t i = 0; i < other.golden.count; ++i) {
    const auto scores =
        kan::reference_outputs(other.model, std::span(other.golden.inputs).subspan(i * inputs, inputs));
    std::ranges::copy(scores, other.golden.outputs.begin() + static_cast<std::ptrdiff_t>(i * outputs));
  }
  const auto packed_other = packed(other, Tables::kOverlay, 1);
  ASSERT_TRUE(packed_other) << packed_other.error().message;
  EXPECT_EQ(image_of(*packed_other).xclbin_sha256, image_.xclbin_sha256);
  EXPECT_EQ(image_of(*packed_other).hardware_digest, image_.hardware_digest);
  EXPECT_NE(packed_other->fpga_files.at("fpga/emulated.tables"),
            bundle_.fpga_files.at("fpga/emulated.tables"));
}

}  // namespace
}  // namespace kantrig::test
