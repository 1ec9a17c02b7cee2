#include "compiler/hardware/overlay.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compiler/hardware/overlay_node.hpp"
#include "compiler/hardware/overlay_tables.hpp"
#include "kan/model_proto.hpp"
#include "unit/kan/small_bundle.hpp"

namespace kantrig::compiler {
namespace {

using test::small_bundle;
using test::small_model;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

OverlayShape shape_of(const kan::Model& model, const OverlayOptions& options = {}) {
  const auto shape = overlay_shape(model, options);
  EXPECT_TRUE(shape.has_value()) << shape.error().message;
  return shape.value_or(OverlayShape{});
}

std::string refusal(const OverlayOptions& options) {
  const auto compiled = compile_overlay(small_bundle(), options);
  return compiled ? "no refusal" : compiled.error().message;
}

TEST(OverlayShape, IsByDefaultWhatTheModelNeeds) {
  const OverlayShape shape = shape_of(small_model());
  EXPECT_THAT(shape.sizes, ElementsAre(2, 2, 3));
  EXPECT_THAT(shape.code_bits, ElementsAre(2, 3));
  // Tables reach from -9 to 300 and from -90 to 90.
  EXPECT_THAT(shape.entry_bits, ElementsAre(9, 8));
  // Layer 0: -9 - 5 + 1 + 1 + 8 = -4 to 300 + 5 + 10. Layer 1: node 0 goes from -4 - 90 + 100 to 10 + 50 +
  // 100, node 1 with a half of 2 and 100 << 2 from -90 - 7 + 402 to 90 - 7 + 402.
  EXPECT_THAT(shape.sum_bits, ElementsAre(10, 10));
  EXPECT_THAT(shape.shift_max, ElementsAre(1, 2));
  EXPECT_EQ(shape.output_bits, 8U);
}

TEST(OverlayShape, TakesOneFigureForAllLayersOrOneForEach) {
  const OverlayShape shape =
      shape_of(small_model(), {.sizes = "16-10-5", .code_bits = {6}, .entry_bits = {9, 8}});
  EXPECT_THAT(shape.sizes, ElementsAre(16, 10, 5));
  EXPECT_THAT(shape.code_bits, ElementsAre(6, 6));
  EXPECT_THAT(shape.entry_bits, ElementsAre(9, 8));
  EXPECT_EQ(shape.tables_per_word(0), 3U);
  EXPECT_EQ(shape.groups(0), 4U);
  EXPECT_EQ(shape.table_words(), 16U * 4U * 64U + 10U * 2U * 64U);
  EXPECT_EQ(shape.cycles(), 1U + (3 + 3) + (3 + 4));
}

TEST(OverlayShape, RefusesWhatNoOverlayHas) {
  EXPECT_THAT(refusal({.sizes = "16-x"}), HasSubstr("--shape 16-x: expected sizes joined by dashes"));
  EXPECT_THAT(refusal({.sizes = "16-5"}),
              HasSubstr("has 1 layers, the model has 2: declare 3 sizes, such as 2-2-3"));
  EXPECT_THAT(refusal({.sizes = "2000-2-3"}), HasSubstr("2000 inputs, expected 1 to 1024"));
  EXPECT_THAT(refusal({.code_bits = {9, 3}}), HasSubstr("layer 0: --code-bits is 9, an overlay has 1 to 8"));
  EXPECT_THAT(refusal({.code_bits = {4, 4, 4}}), HasSubstr("--code-bits 4,4,4: 3 values for 2 layers"));
  EXPECT_THAT(refusal({.entry_bits = {17}}), HasSubstr("--entry-bits is 17, an overlay has 2 to 16"));
  EXPECT_THAT(refusal({.device = "ice40"}),
              HasSubstr("device 'ice40' has no memory for an overlay's tables"));
  EXPECT_THAT(refusal({.output_bits = 17}), HasSubstr("--output-bits 17: expected 1 to 16"));
  EXPECT_THAT(refusal({.sum_bits = {8, 12}}), HasSubstr("declare --sum-bits 9 or more"));
  EXPECT_THAT(refusal({.sizes = "1024-1024-3", .code_bits = {8}}),
              HasSubstr("an overlay has at most 1048576"));
}

TEST(OverlayFit, NamesTheFigureThatIsExceededAndWhatToDeclare) {
  EXPECT_THAT(refusal({.sizes = "1-2-3"}),
              HasSubstr("the model has 2 inputs, the overlay 1: declare --shape 2-2-3"));
  EXPECT_THAT(refusal({.sizes = "2-2-2"}),
              HasSubstr("layer 1 has 3 nodes, the overlay 2: declare --shape 2-2-3"));
  EXPECT_THAT(refusal({.code_bits = {1, 3}}),
              HasSubstr("input 0 has codes of 2 bits, the overlay 1: declare --code-bits 2,3"));
  EXPECT_THAT(refusal({.code_bits = {2, 2}}),
              HasSubstr("layer 0 node 0 gives codes of 3 bits, the overlay 2: declare --code-bits 2,3"));
  EXPECT_THAT(
      refusal({.entry_bits = {8, 8}}),
      HasSubstr("layer 0 node 0 needs table entries of 9 bits (input 0: -9 to 300), the overlay has 8: "
                "declare --entry-bits 9,8"));
  EXPECT_THAT(
      refusal({.sum_bits = {9, 10}}),
      HasSubstr("layer 0 node 0 needs sums of 10 bits (-4 to 315), the overlay has 9: declare --sum-bits "
                "10,10"));
  EXPECT_THAT(refusal({.shift_max = {0, 2}}),
              HasSubstr("layer 0 node 0 shifts by 1, the overlay by at most 0: declare --shift-max 1,2"));
  EXPECT_THAT(refusal({.output_bits = 7}),
              HasSubstr("layer 1 node 0 has scores of 8 bits, the overlay 7: declare --output-bits 8"));
}

TEST(OverlayFit, TellsAModelOfAnotherDepthApart) {
  const OverlayShape shape = shape_of(small_model());
  kan::Model deeper = small_model();
  deeper.layers.push_back(deeper.layers.back());
  const auto fit = fits(deeper, shape);
  ASSERT_FALSE(fit.has_value());
  EXPECT_THAT(fit.error().message, HasSubstr("the model has 3 layers, the overlay 2"));
}

TEST(OverlayTables, PackNeighbouringNodesIntoAWordAndPadWithZeros) {
  const OverlayShape shape = shape_of(
      small_model(), {.sizes = "3-3-3", .code_bits = {2, 3}, .entry_bits = {10, 8}, .sum_bits = {16}});
  const auto words = overlay_table_words(small_model(), shape, TableBank::kOne);
  ASSERT_TRUE(words.has_value()) << words.error().message;
  ASSERT_EQ(words->size(), 3U * 4U + 3U * 3U + 3U * 8U + 3U * 4U);
  const auto data_at = [&](std::uint32_t address) {
    const auto found = std::find_if(words->begin(), words->end(),
                                    [&](const TableWord& word) { return word.address == address; });
    return found == words->end() ? 0xDEADBEEF : found->data;
  };
  // An address is bank, layer, node (a bit each), index (2), group (1), place (3). Bank 1, layer 0, input 1,
  // code 3: -5 of node 0 and 7 of node 1, in 10 bits.
  EXPECT_EQ(data_at(0x113), (0x400U - 5U) | 7U << 10U);
  // Input 0 feeds node 0 only; input 2 and node 2 are unused.
  EXPECT_EQ(data_at(0x103), 300U);
  EXPECT_EQ(data_at(0x123), 0U);
  // Figures of layer 0 node 0: bias 1, half 1, low -4 under a shift of 1.
  EXPECT_EQ(data_at(0x140), 1U + 1U + 8U);
  EXPECT_EQ(data_at(0x141), 1U);
  EXPECT_EQ(data_at(0x142), 7U);
  EXPECT_EQ(data_at(0x162), 0U);  // the unused node gives code 0
  // Layer 1 node 2 is 12 for every event: code 112 over a low of -100.
  EXPECT_EQ(data_at(0x1E0), 112U);
  EXPECT_EQ(data_at(0x1E3), 0x100U - 100U);
  EXPECT_EQ(data_at(0x181) >> 16U & 0xFFU, 0U);
}

TEST(OverlayTables, MoveATableThatIsNarrowButFarFromZero) {
  kan::Model model = small_model();
  model.layers[0].nodes[0].bias = -295;
  model.layers[0].tables = {290, 295, 300, 297, 5, 4, -4, -5, 0, 1, 2, 7};
  const OverlayShape shape = shape_of(model, {.sum_bits = {16}});
  EXPECT_EQ(shape.entry_bits[0], 4U);
  const auto words = overlay_table_words(model, shape, TableBank::kZero);
  ASSERT_TRUE(words.has_value()) << words.error().message;
  EXPECT_EQ(words->front().data & 0xFU, 0x8U);  // 290 is the lowest there is
  EXPECT_EQ((*words)[2].data & 0xFU, 0x2U);     // 300
  const OverlayNode node = overlay_node(model.layers[0], model.layers[0].nodes[0]);
  const TableWord offset = (*words)[2 * 4];
  EXPECT_EQ(offset.address, 0x040U);
  EXPECT_EQ(offset.data,
            static_cast<std::uint32_t>(node.offset + 298));  // 290 = -8 + 298; the other table fits
}

TEST(OverlayTables, AreAsManyForEveryModelAndHaveEachAddressOnceInTheirBank) {
  const OverlayShape shape = shape_of(small_model(), {.sizes = "5-4-3", .sum_bits = {16}});
  // Layer 1, node 1, index 3, group 1 (3 tables of 9 bits a word), place 3.
  EXPECT_EQ(shape.block_words(), 512U);
  for (const TableBank bank : {TableBank::kZero, TableBank::kOne}) {
    const auto words = overlay_table_words(small_model(), shape, bank);
    ASSERT_TRUE(words.has_value());
    EXPECT_EQ(words->size(), shape.table_words() + 4 * 3 + 3 * 4);
    for (std::size_t w = 0; w < words->size(); ++w) {
      ASSERT_EQ((*words)[w].address / 512, bank == TableBank::kOne ? 1U : 0U);
      EXPECT_TRUE(w == 0 || (*words)[w].address > (*words)[w - 1].address) << w;
    }
  }
}

TEST(OverlayTables, AsABlockLieAtTheirAddressesWithZerosBetween) {
  const OverlayShape shape = shape_of(small_model(), {.sizes = "5-4-3", .sum_bits = {16}});
  const auto words = overlay_table_words(small_model(), shape, TableBank::kOne);
  const auto block = overlay_table_block(small_model(), shape);
  ASSERT_TRUE(words.has_value() && block.has_value());
  std::vector<std::uint32_t> expected(shape.block_words());
  for (const TableWord& word : *words) {
    expected.at(word.address - overlay_bank_begin(shape, TableBank::kOne)) = word.data;
  }
  EXPECT_EQ(*block, expected);
}

TEST(OverlayNode, TakesWhatCannotMatterAsAConstant) {
  kan::Layer layer;
  layer.input_codes = {2};
  layer.edges = {{0, 0}};
  layer.tables = {-100, 100};
  // No sum reaches a step of 2^30 from either side of half of it: the node is 0, five above its low.
  layer.nodes = {{.bias = 0, .shift = 30, .low = -5, .high = 5, .edge_begin = 0, .edge_end = 1}};
  const OverlayNode node = overlay_node(layer, layer.nodes[0]);
  EXPECT_TRUE(node.constant);
  EXPECT_EQ(node.offset, 5);
  EXPECT_EQ(node.shift, 0U);
  EXPECT_EQ(node.span, 10U);
}

TEST(OverlayDesign, SaysItsShapeAndComesBackFromJson) {
  const auto compiled = compile_overlay(small_bundle(), {.sizes = "4-3-3", .sum_bits = {16}});
  ASSERT_TRUE(compiled.has_value()) << compiled.error().message;
  const HardwareDesign& design = compiled->design;
  EXPECT_EQ(design.target, HardwareTarget::kOverlay);
  EXPECT_EQ(design.input_width, 8U);
  EXPECT_EQ(design.inputs[0].name, "mass");
  ASSERT_EQ(design.inputs.size(), 2U);  // of the 4 that there are
  EXPECT_EQ(design.inputs[1].offset, 2U);
  EXPECT_EQ(design.inputs[1].codes, 4U);
  EXPECT_EQ(design.outputs[2].name, "z");
  EXPECT_EQ(design.cycles, design.overlay->cycles());
  const auto back = design_from_json(design_to_json(design));
  ASSERT_TRUE(back.has_value()) << back.error().message;
  EXPECT_EQ(back->overlay, design.overlay);
  for (const std::string& file : design.files) EXPECT_TRUE(compiled->files.contains(file)) << file;
  EXPECT_EQ(compiled->files.size(), design.files.size());
  EXPECT_THAT(compiled->files.at("kan_design_pkg.sv"), HasSubstr("FeatureCount = 4;"));
  // The hardware is of the shape; the design is of the bundle.
  EXPECT_THAT(compiled->files.at("kan_design_pkg.sv"), HasSubstr(overlay_digest(*design.overlay).hex()));
  EXPECT_EQ(design.model_digest, base::sha256(kan::encode_model(small_model())).hex());
}

TEST(OverlayDesign, RefusesAJsonWhoseShapeCannotBe) {
  const auto compiled = compile_overlay(small_bundle(), {});
  ASSERT_TRUE(compiled.has_value());
  HardwareDesign design = compiled->design;
  design.overlay->entry_bits[1] = 99;
  const auto back = design_from_json(design_to_json(design));
  ASSERT_FALSE(back.has_value());
  EXPECT_THAT(back.error().message, HasSubstr("layer 1: --entry-bits is 99, an overlay has 2 to 16"));
}

TEST(OverlayDesign, TheSameBundleAndShapeGiveTheSameBytes) {
  const auto one = compile_overlay(small_bundle(), {.sizes = "4-3-3"});
  const auto two = compile_overlay(small_bundle(), {.sizes = "4-3-3"});
  ASSERT_TRUE(one.has_value() && two.has_value());
  EXPECT_EQ(one->files, two->files);
  EXPECT_EQ(design_to_json(one->design), design_to_json(two->design));
  EXPECT_THAT(one->files.at("kan_datapath.sv"),
              AllOf(HasSubstr("small-1.2.0"), HasSubstr("generated by kanc; do not edit")));
}

}  // namespace
}  // namespace kantrig::compiler
