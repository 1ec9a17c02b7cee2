// The target fixed: whatever the model's shape, the netlists give its bits, and what cannot be built is
// refused.
#include "compiler/hardware/fixed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "compiler/hardware/layer_builder.hpp"
#include "compiler/hardware/passes.hpp"
#include "contract/kernels/random_model.hpp"
#include "kan/reference.hpp"

namespace kantrig::compiler {
namespace {

using testing::HasSubstr;

kan::Bundle bundle_of(kan::Model model) {
  kan::Bundle bundle;
  bundle.name = "random";
  bundle.version = "1.0.0";
  for (std::uint32_t i = 0; i < model.input_count(); ++i)
    bundle.features.push_back({fmt::format("x{}", i), ""});
  for (std::uint32_t k = 0; k < model.class_count(); ++k) bundle.classes.push_back(fmt::format("c{}", k));
  bundle.model = std::move(model);
  return bundle;
}

/// Some events; the golden vectors are what compile_fixed() checks besides its own.
void add_golden(kan::Bundle& bundle, std::uint64_t seed) {
  test::Random random(seed);
  bundle.golden.count = 500;
  for (std::uint32_t e = 0; e < bundle.golden.count; ++e) {
    std::vector<std::uint16_t> codes;
    for (const kan::InputFeature& input : bundle.model.inputs) {
      codes.push_back(static_cast<std::uint16_t>(test::draw(random, 0, (1 << input.bits) - 1)));
    }
    const auto outputs = kan::reference_outputs(bundle.model, codes);
    bundle.golden.inputs.insert(bundle.golden.inputs.end(), codes.begin(), codes.end());
    bundle.golden.outputs.insert(bundle.golden.outputs.end(), outputs.begin(), outputs.end());
  }
}

const std::vector<test::ModelShape>& shapes() {
  static const std::vector<test::ModelShape> list{
      {.name = "six_bits", .input_bits = std::vector<std::uint32_t>(8, 6), .nodes = {5, 3}},
      {.name = "one_edge_each", .input_bits = {4, 5}, .nodes = {2, 1}, .codes_max = 16, .codes_min = 16},
      {.name = "odd_ranges",
       .input_bits = {3, 6, 7, 2, 5},
       .nodes = {4, 4, 3},
       .codes_max = 50,
       .codes_min = 1,
       .edge_fraction = 0.7,
       .output_low = -13,
       .output_high = 9},
      {.name = "shifted",
       .input_bits = std::vector<std::uint32_t>(6, 5),
       .nodes = {4, 2},
       .entry_max = 300,
       .shift_max = 5,
       .bias_max = 2000},
      {.name = "wide_scores",
       .input_bits = std::vector<std::uint32_t>(4, 5),
       .nodes = {4, 3},
       .codes_max = 32,
       .codes_min = 20,
       .entry_max = 200,
       .shift_max = 3,
       .output_low = -32768,
       .output_high = 32767},
      {.name = "one_bit_inputs",
       .input_bits = std::vector<std::uint32_t>(40, 1),
       .nodes = {3, 2},
       .codes_max = 32,
       .codes_min = 32},
      {.name = "eight_bits",
       .input_bits = {8, 8, 8},
       .nodes = {3, 2},
       .codes_max = 64,
       .codes_min = 50,
       .entry_max = 90},
      {.name = "nine_bits", .input_bits = {9, 3}, .nodes = {1}},
      {.name = "wide_node",
       .input_bits = std::vector<std::uint32_t>(30, 4),
       .nodes = {2, 2},
       .codes_max = 32,
       .codes_min = 32},
      {.name = "mostly_pruned",
       .input_bits = std::vector<std::uint32_t>(6, 4),
       .nodes = {6, 4, 2},
       .edge_fraction = 0.15},
  };
  return list;
}

class EveryShape : public testing::TestWithParam<test::ModelShape> {};

/// compile_fixed() compares the netlists with the integer form; here that form is held to the reference as
/// well.
TEST_P(EveryShape, GivesTheReferencesBitsForAnyGoal) {
  for (const std::uint64_t seed : {1U}) {
    kan::Bundle bundle = bundle_of(test::random_model(GetParam(), seed));
    ASSERT_TRUE(kan::check(bundle.model)) << kan::check(bundle.model).error().message;
    add_golden(bundle, seed);
    const SumIr ir = sum_ir_of(bundle);
    const SumIr passed = join_small_inputs(fold_constants(settle_ranges(mark_reachable(ir))), 5);
    const std::size_t inputs = bundle.model.input_count();
    const std::size_t outputs = bundle.model.output_count();
    for (std::size_t e = 0; e < bundle.golden.count; ++e) {
      const auto codes = std::span(bundle.golden.inputs).subspan(e * inputs, inputs);
      for (const SumIr& form : {ir, passed}) {
        const auto got = execute(form, codes);
        for (std::size_t k = 0; k < outputs; ++k)
          ASSERT_EQ(got[k], bundle.golden.outputs[e * outputs + k]) << seed;
      }
    }
    for (const Optimize optimize : {Optimize::kNone, Optimize::kArea, Optimize::kLatency}) {
      for (const std::string device : {"xcup", "generic"}) {
        const auto compiled = compile_fixed(bundle, {.device = device,
                                                     .carry_bits_max = 32,
                                                     .levels_max = device == "xcup" ? 2U : 4U,
                                                     .optimize = optimize});
        ASSERT_TRUE(compiled) << compiled.error().message << " seed " << seed;
        EXPECT_EQ(compiled->files.size(), compiled->design.files.size());
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Fixed, EveryShape, testing::ValuesIn(shapes()),
                         [](const auto& shape) { return shape.param.name; });

kan::Bundle six_bit_bundle() {
  return bundle_of(test::random_model(shapes()[0], 1));
}

TEST(Fixed, TheSameBundleGivesTheSameFiles) {
  const kan::Bundle bundle = six_bit_bundle();
  const auto first = compile_fixed(bundle, {});
  const auto second = compile_fixed(bundle, {});
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->files, second->files);
  EXPECT_EQ(design_to_json(first->design), design_to_json(second->design));
}

TEST(Fixed, StagesHoldToTheirLevelsAndOneChain) {
  const SumIr ir = fold_constants(mark_reachable(sum_ir_of(six_bit_bundle())));
  const auto layers = build_layers(ir, BuildGoal{});
  ASSERT_TRUE(layers) << layers.error().message;
  for (const BuiltLayer& layer : *layers) {
    EXPECT_LE(layer.netlist.levels_max(), 2U);
    EXPECT_FALSE(layer.netlist.has_chains_in_series());
  }
}

TEST(Fixed, LatencyTakesNoMoreCyclesThanArea) {
  const kan::Bundle bundle = six_bit_bundle();
  const auto area = compile_fixed(bundle, {});
  const auto latency = compile_fixed(bundle, {.optimize = Optimize::kLatency});
  ASSERT_TRUE(area && latency);
  EXPECT_LT(latency->design.cycles, area->design.cycles);
}

TEST(Fixed, AnUnknownDeviceIsRefusedWithTheOnesThereAre) {
  const auto compiled = compile_fixed(six_bit_bundle(), {.device = "virtex"});
  ASSERT_FALSE(compiled);
  EXPECT_THAT(compiled.error().message,
              HasSubstr("device 'virtex' is unknown, expected xcup, ice40 or generic"));
}

TEST(Fixed, ACarryChainTooLongIsRefusedWithItsFigureAndTheWayOut) {
  const auto compiled = compile_fixed(six_bit_bundle(), {.carry_bits_max = 4});
  ASSERT_FALSE(compiled);
  EXPECT_THAT(compiled.error().message, HasSubstr("layer 0 needs a carry chain of"));
  EXPECT_THAT(compiled.error().message, HasSubstr("expected at most 4"));
  EXPECT_THAT(compiled.error().message, HasSubstr("--carry-bits"));
}

TEST(Fixed, TooFewLevelsAreRefusedWithTheWayOut) {
  const auto compiled = compile_fixed(six_bit_bundle(), {.levels_max = 1});
  ASSERT_FALSE(compiled);
  EXPECT_THAT(compiled.error().message, HasSubstr("--levels 2"));
}

TEST(Fixed, FeatureNamesMayBeWordsOfTheLanguageOrAlike) {
  kan::Bundle bundle = six_bit_bundle();
  bundle.features[0].name = "logic";
  bundle.features[1].name = "a b";
  bundle.features[2].name = "a_b";
  bundle.features[3].name = "1/p";
  const auto compiled = compile_fixed(bundle, {});
  ASSERT_TRUE(compiled);
  std::vector<std::string> names;
  for (const HardwareField& field : compiled->design.inputs) names.push_back(field.name);
  std::ranges::sort(names);
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
}

}  // namespace
}  // namespace kantrig::compiler
