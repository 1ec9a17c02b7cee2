#include "kan/output_stage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "kan/evaluator.hpp"
#include "kan/reference.hpp"
#include "unit/kan/small_autoencoder.hpp"

namespace kantrig::kan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::int16_t score_of(const Model& model, std::vector<std::uint16_t> codes) {
  const auto outputs = reference_outputs(model, codes);
  EXPECT_EQ(outputs.size(), 1U);
  return outputs.front();
}

std::string error_of(const Model& model) {
  const auto checked = check(model);
  return checked ? "no error" : checked.error().message;
}

template <typename Change>
std::string error_with(const Change& change) {
  Model model = test::small_autoencoder();
  change(*model.output_stage);
  return error_of(model);
}

TEST(OutputStage, TheScoreIsTheSumOfTheDistancesOfNodesAndTargets) {
  // Codes (1, 3): nodes 4 and 8, targets 1 and 6.
  Model model = test::small_autoencoder();
  ASSERT_TRUE(check(model)) << check(model).error().message;
  EXPECT_THAT(reference_nodes(model, std::vector<std::uint16_t>{1, 3}), ElementsAre(4, 8));
  EXPECT_EQ(score_of(model, {1, 3}), 3 + 2);
  EXPECT_EQ(score_of(model, {0, 0}), 0);
  model.output_stage->measure = DistanceMeasure::kSquared;
  EXPECT_EQ(score_of(model, {1, 3}), 9 + 4);
}

TEST(OutputStage, TheShiftRoundsHalvesUp) {
  Model model = test::small_autoencoder();
  model.output_stage->shift = 1;
  EXPECT_EQ(score_of(model, {1, 3}), 3) << "(5 + 1) >> 1";
  model.output_stage->shift = 2;
  EXPECT_EQ(score_of(model, {1, 3}), 1) << "(5 + 2) >> 2";
  model.output_stage->shift = 30;
  EXPECT_EQ(score_of(model, {1, 3}), 0);
}

TEST(OutputStage, TheScoreEndsAt32767) {
  Model model = test::small_autoencoder();
  model.output_stage->measure = DistanceMeasure::kSquared;
  model.output_stage->targets[1] = 300;
  ASSERT_TRUE(check(model));
  EXPECT_EQ(score_of(model, {1, 3}), 32767) << "296 x 296 is more";
  EXPECT_EQ(output_ranges(model).front().high, 32767);
}

TEST(OutputStage, TheClassIsAnomalyAboveTheThresholdOfTheStage) {
  Model model = test::small_autoencoder();
  const auto class_of = [&](std::vector<std::uint16_t> codes) {
    return reference_class(model, reference_outputs(model, codes));
  };
  EXPECT_EQ(model.class_count(), 2U);
  EXPECT_EQ(class_of({1, 3}), 1) << "5 > 4";
  model.output_stage->class_above = 5;
  EXPECT_EQ(class_of({1, 3}), 0);
  model.output_stage->class_above = 0;
  EXPECT_EQ(class_of({0, 0}), 0);
  EXPECT_EQ(class_of({0, 1}), 1);
}

TEST(OutputStage, HasOneOutputHoweverManyNodesTheLastLayerHas) {
  const Model model = test::small_autoencoder();
  EXPECT_EQ(model.node_count(), 2U);
  EXPECT_EQ(model.output_count(), 1U);
  const auto ranges = output_ranges(model);
  ASSERT_EQ(ranges.size(), 1U);
  EXPECT_EQ(ranges.front().low, 0);
  EXPECT_EQ(ranges.front().high, 13 + 12) << "-10 against 3, 12 against 0";
  EXPECT_EQ(distance_sum_max(model), 25);
}

TEST(OutputStage, OutputRangesOfOrdinaryModelsAreThoseOfTheNodes) {
  const auto ranges = output_ranges(test::small_model());
  ASSERT_EQ(ranges.size(), 3U);
  EXPECT_EQ(ranges[1].low, -100);
  EXPECT_EQ(ranges[1].high, 100);
}

TEST(OutputStage, NumbersThatDoNotFitAreRefusedWithWhatWasExpected) {
  EXPECT_EQ(error_with([](OutputStage&) {}), "no error");
  EXPECT_EQ(error_with([](OutputStage& s) { s.measure = static_cast<DistanceMeasure>(3); }),
            "output stage: distance is of measure 3, expected 1 (absolute) or 2 (squared)");
  EXPECT_EQ(error_with([](OutputStage& s) { s.shift = 31; }),
            "output stage: shift is 31, expected at most 30");
  EXPECT_EQ(error_with([](OutputStage& s) { s.class_above = -1; }),
            "output stage: class 1 is above -1, expected 0 to 32767");
  EXPECT_EQ(error_with([](OutputStage& s) { s.class_above = 32768; }),
            "output stage: class 1 is above 32768, expected 0 to 32767");
  EXPECT_EQ(error_with([](OutputStage& s) { s.inputs = {0}; }),
            "output stage: reconstructs 1 features, expected one for each of 2 nodes");
  EXPECT_EQ(error_with([](OutputStage& s) { s.inputs.push_back(0); }),
            "output stage: reconstructs 3 features, expected one for each of 2 nodes");
  EXPECT_EQ(error_with([](OutputStage& s) {
              s.inputs = {0, 2};
            }),
            "output stage: node 1 reconstructs input 2, expected one below 2");
  EXPECT_EQ(error_with([](OutputStage& s) { s.targets.pop_back(); }),
            "output stage: has 7 targets, expected 8, one for each code of each input");
  EXPECT_EQ(error_with([](OutputStage& s) { s.targets.clear(); }),
            "output stage: has 0 targets, expected 8, one for each code of each input");
}

TEST(OutputStage, ASumThatCouldLeaveInt32IsRefused) {
  Model model = test::small_autoencoder();
  OutputStage& stage = *model.output_stage;
  stage.measure = DistanceMeasure::kSquared;
  stage.targets[0] = -32768;
  stage.targets[5] = 32767;
  EXPECT_EQ(error_of(model), "output stage: sum can reach 2148073573, expected to stay inside int32");
}

TEST(OutputStage, TheRoundingTermCountsToTheSum) {
  Model model = test::small_autoencoder();
  OutputStage& stage = *model.output_stage;
  stage.measure = DistanceMeasure::kSquared;
  stage.targets[0] = -32768;
  stage.targets[5] = -30000;
  EXPECT_EQ(error_of(model), "no error");
  stage.shift = 30;
  EXPECT_EQ(error_of(model), "output stage: sum can reach 2511988340, expected to stay inside int32");
}

TEST(OutputStage, NeedsExactlyOneScale) {
  Model model = test::small_autoencoder();
  model.output_scales = {0.5, 0.5};
  EXPECT_EQ(error_of(model), "model: has 2 output scales for 1 outputs");
}

/// The small autoencoder before it has a stage, worth half a unit a code.
Model without_stage() {
  Model model = test::small_autoencoder();
  model.output_stage.reset();
  model.output_scales = {0.5, 0.5};
  return model;
}

DistanceSpec half_units() {
  return {.measure = DistanceMeasure::kAbsolute,
          .inputs = {},
          .code_values = {{0.0, 0.5, 1.2, 1.75}, {-100.0, 1.0, 2.0, 100.0}},
          .class_above = 2.0,
          .shift = {}};
}

TEST(WithDistanceStage, TargetsAreTheNearestCodesThatTheirNodeCanGive) {
  const auto model = with_distance_stage(without_stage(), half_units());
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_THAT(model->output_stage->inputs, ElementsAre(0U, 1U));
  EXPECT_THAT(model->output_stage->targets, ElementsAre(0, 1, 2, 4, 0, 2, 4, 12))
      << "1.75 is 3.5 codes; -100 and 100 are clamped to 0 and 12";
  EXPECT_EQ(model->output_stage->shift, 0U);
  EXPECT_THAT(model->output_scales, ElementsAre(0.5));
  EXPECT_EQ(model->output_stage->class_above, 4);
}

TEST(WithDistanceStage, SquaredScoresAreInSquaredUnits) {
  DistanceSpec spec = half_units();
  spec.measure = DistanceMeasure::kSquared;
  spec.shift = 3;
  spec.class_above = 4.1;
  const auto model = with_distance_stage(without_stage(), spec);
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_THAT(model->output_scales, ElementsAre(0.25 * 8));
  EXPECT_EQ(model->output_stage->class_above, 2) << "4 is not above 4.1, 6 is";
}

TEST(WithDistanceStage, TheShiftIsTheLeastAtWhichNoScoreEnds) {
  Model wide = without_stage();
  wide.layers[1].nodes[0].low = -300;
  DistanceSpec spec = half_units();
  spec.measure = DistanceMeasure::kSquared;
  const auto model = with_distance_stage(wide, spec);  // up to 304 x 304 + 144
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->output_stage->shift, 2U);
  EXPECT_EQ(output_ranges(*model).front().high, (304 * 304 + 144 + 2) >> 2);
}

TEST(WithDistanceStage, NodesMayReconstructFeaturesInAnyOrder) {
  DistanceSpec spec = half_units();
  spec.inputs = {1, 0};
  const auto model = with_distance_stage(without_stage(), spec);
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_THAT(model->output_stage->targets, ElementsAre(-10, 2, 4, 10, 0, 1, 2, 4));
}

TEST(WithDistanceStage, WhatDoesNotFitIsRefused) {
  const auto error = [](Model model, const DistanceSpec& spec) {
    const auto made = with_distance_stage(std::move(model), spec);
    return made ? "no error" : made.error().message;
  };
  Model unequal = without_stage();
  unequal.output_scales = {0.5, 0.25};
  EXPECT_EQ(
      error(unequal, half_units()),
      "output stage: output scales are 0.5 and 0.25, expected one for all: distances are summed in codes");
  EXPECT_THAT(error(test::small_autoencoder(), half_units()), HasSubstr("expected a model without one"));
  DistanceSpec spec = half_units();
  spec.code_values[1].pop_back();
  EXPECT_THAT(error(without_stage(), spec),
              HasSubstr("node 1 reconstructs input 1, expected a feature with a real"));
  spec = half_units();
  spec.inputs = {0, 7};
  EXPECT_THAT(error(without_stage(), spec), HasSubstr("node 1 reconstructs input 7"));
  spec.inputs = {0};
  EXPECT_THAT(error(without_stage(), spec),
              HasSubstr("reconstructs 1 features, expected one for each of 2 nodes"));
  spec = half_units();
  spec.code_values[0][2] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(error(without_stage(), spec), HasSubstr("no finite real value"));
  spec = half_units();
  spec.class_above = -0.5;
  EXPECT_THAT(error(without_stage(), spec), HasSubstr("class 1 is above -0.5, expected 0 or more"));
  spec = half_units();
  spec.shift = 31;
  EXPECT_THAT(error(without_stage(), spec), HasSubstr("shift is 31"));
  Model zero = without_stage();
  zero.output_scales = {0.0, 0.0};
  EXPECT_THAT(error(zero, half_units()), HasSubstr("output scales must be positive"));
}

TEST(WithDistanceStage, AnAutoencoderMayHaveMoreNodesThanAModelHasOutputs) {
  Model model;
  Layer layer;
  DistanceSpec spec;
  for (std::uint32_t k = 0; k < 300; ++k) {
    model.inputs.push_back({.bits = 1});
    layer.input_codes.push_back(2);
    layer.nodes.push_back({.bias = 0, .shift = 0, .low = 0, .high = 1, .edge_begin = k, .edge_end = k + 1});
    layer.edges.push_back({k, 0});
    spec.code_values.push_back({0.0, 1.0});
  }
  layer.tables = {0, 1};
  model.layers = {layer};
  model.output_scales.assign(300, 1.0);
  EXPECT_EQ(error_of(model), "layer 0: has 300 outputs, expected at most 256");
  const auto made = with_distance_stage(model, spec);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(score_of(*made, std::vector<std::uint16_t>(300, 1)), 0);
}

}  // namespace
}  // namespace kantrig::kan
