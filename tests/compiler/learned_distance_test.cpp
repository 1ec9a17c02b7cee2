// From a learned autoencoder to its integer score: the units of points, outputs and distances agree.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <cmath>

#include "compiler/learned/learned_kan.hpp"
#include "compiler/learned/tabulate.hpp"
#include "kan/output_stage.hpp"
#include "kan/reference.hpp"

namespace kantrig::learned {
namespace {

constexpr std::uint32_t kFeatures = 3;
constexpr double kWeight = 0.5;  // what is left of each feature after reconstruction

/// One layer in which each output is half of its feature and sees no other.
LearnedKan halving() {
  LearnedKan kan;
  kan.name = "halving";
  Layer layer = make_layer(EdgeKind::kLinear, kFeatures, kFeatures, {}, BaseFunction::kSilu);
  for (std::uint32_t i = 0; i < kFeatures; ++i) {
    kan.inputs.push_back({.feature = {fmt::format("x{}", i), ""},
                          .gain = 2.0,
                          .shift = 0.25,
                          .bits = 6,
                          .first = -2.0 + 0.5 * i,
                          .step = 0.0625});
    for (std::uint32_t k = 0; k < kFeatures; ++k) layer.active[layer.edge_index(i, k)] = i == k ? 1 : 0;
    layer.weights[layer.edge_index(i, i)] = kWeight;
    layer.quantizers.push_back({.bits = 8, .threshold = 4.0});
  }
  kan.layers.push_back(layer);
  return kan;
}

kan::DistanceSpec spec_of(const LearnedKan& kan, kan::DistanceMeasure measure) {
  kan::DistanceSpec spec{
      .measure = measure, .inputs = {}, .code_values = {}, .class_above = 1.5, .shift = {}};
  for (std::uint32_t i = 0; i < kan.inputs.size(); ++i) spec.code_values.push_back(input_points(kan, 0, i));
  return spec;
}

TEST(LearnedDistance, TheRealScoreIsTheDistanceBetweenWhatEntersAndWhatComesOut) {
  const LearnedKan kan = halving();
  for (const auto measure : {kan::DistanceMeasure::kAbsolute, kan::DistanceMeasure::kSquared}) {
    const auto integer = tabulate(kan);
    ASSERT_TRUE(integer) << integer.error().message;
    const auto model = kan::with_distance_stage(*integer, spec_of(kan, measure));
    ASSERT_TRUE(model) << model.error().message;
    const double code = 4.0 / 128;  // of an output
    for (std::uint16_t a = 0; a < 64; a += 7) {
      for (std::uint16_t b = 0; b < 64; b += 9) {
        const std::vector<std::uint16_t> codes{a, b, 40};
        double distance = 0.0;
        double error = 0.0;
        for (std::uint32_t i = 0; i < kFeatures; ++i) {
          const double missing = (1.0 - kWeight) * kan.inputs[i].point(codes[i]);
          const bool squared = measure == kan::DistanceMeasure::kSquared;
          distance += squared ? missing * missing : std::abs(missing);
          // The node and its target are each off by half a code at most.
          error += squared ? 2 * std::abs(missing) * code + code * code : code;
        }
        const double score = model->output_scales[0] * kan::reference_outputs(*model, codes)[0];
        EXPECT_NEAR(score, distance, error + model->output_scales[0] / 2) << a << " " << b;
      }
    }
  }
}

TEST(LearnedDistance, OutputsOfDifferentWidthCannotBeAddedUp) {
  LearnedKan kan = halving();
  kan.layers.back().quantizers[1].threshold = 2.0;
  const auto model =
      kan::with_distance_stage(tabulate(kan).value(), spec_of(kan, kan::DistanceMeasure::kAbsolute));
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().message,
            "output stage: output scales are 0.03125 and 0.015625, expected one for all: distances are "
            "summed in codes");
}

}  // namespace
}  // namespace kantrig::learned
