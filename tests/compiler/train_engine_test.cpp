#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "compiler/learned/random.hpp"
#include "compiler/learned/tabulate.hpp"
#include "compiler/train/objective.hpp"
#include "kan/reference.hpp"

namespace kantrig::train {
namespace {

using learned::EdgeKind;
using learned::LearnedKan;
using learned::Random;

void fill(std::vector<double>& values, Random& random, double width) {
  for (double& value : values) value = random.uniform(-width, width);
}

/// 5 inputs, a spline layer of 11 nodes, a relu, a linear and a spline layer to 3 outputs; a fifth of the
/// edges pruned.
LearnedKan mixed_kan(Random& random, std::uint32_t order) {
  LearnedKan kan;
  for (std::uint32_t j = 0; j < 5; ++j)
    kan.inputs.push_back({.feature = {}, .bits = 3 + j % 3, .first = -2.0, .step = 0.0});
  for (learned::Input& input : kan.inputs) input.step = 4.0 / ((1U << input.bits) - 1);
  const learned::SplineGrid grid{.low = -2.0, .high = 2.0, .size = 7, .order = order};
  kan.layers = {make_layer(EdgeKind::kSpline, 5, 11, grid, learned::BaseFunction::kSilu),
                make_layer(EdgeKind::kRelu, 11, 4, grid, learned::BaseFunction::kNone),
                make_layer(EdgeKind::kLinear, 4, 9, grid, learned::BaseFunction::kNone),
                make_layer(EdgeKind::kSpline, 9, 3, grid, learned::BaseFunction::kGelu)};
  for (learned::Layer& layer : kan.layers) {
    fill(layer.coefficients, random, 0.6);
    fill(layer.weights, random, 0.6);
    fill(layer.biases, random, 0.2);
    for (std::uint8_t& active : layer.active) active = random.below(5) == 0 ? 0 : 1;
  }
  return kan;
}

void quantise(LearnedKan& kan) {
  for (learned::Layer& layer : kan.layers) {
    for (std::uint32_t k = 0; k < layer.nodes; ++k)
      layer.quantizers.push_back({.bits = 4 + k % 4, .threshold = 2.5});
    for (std::size_t e = 0; e < layer.active.size(); ++e)
      layer.dropped_bits.push_back(static_cast<std::uint8_t>(e % 3));
  }
  kan.layers[1].guard_bits = 2;
  kan.layers[2].entry_range = learned::EntryRange::kOutput;
}

/// Random events inside and beyond the range of the inputs.
Samples random_samples(const LearnedKan& kan, std::size_t rows, Random& random) {
  Samples samples;
  samples.inputs = static_cast<std::uint32_t>(kan.inputs.size());
  samples.outputs = kan.layers.back().nodes;
  for (std::size_t r = 0; r < rows; ++r) {
    for (const learned::Input& input : kan.inputs) {
      samples.values.push_back(static_cast<float>(random.uniform(-2.0, 2.0)));
      samples.codes.push_back(static_cast<std::uint16_t>(random.below(1U << input.bits)));
    }
    samples.classes.push_back(static_cast<std::uint8_t>(random.below(samples.outputs)));
    for (std::uint32_t k = 0; k < samples.outputs; ++k)
      samples.targets.push_back(static_cast<float>(random.uniform(-1.0, 1.0)));
  }
  return samples;
}

std::vector<std::uint32_t> all_rows(const Samples& samples) {
  std::vector<std::uint32_t> rows(samples.rows());
  std::iota(rows.begin(), rows.end(), 0U);
  return rows;
}

Objective make_objective(const LearnedKan& kan, const ParameterMap& map, const Loss& loss, std::size_t rows,
                         ThreadTeam& team) {
  const std::size_t slots = Objective::slot_count(rows);
  return Objective(make_engine(kan, map, slots).value(), loss, slots, team);
}

class TrainEngine : public testing::TestWithParam<std::uint32_t> {};  // spline order

TEST_P(TrainEngine, FloatForwardIsTheDefinitionInDoublePrecision) {
  Random random(GetParam());
  LearnedKan kan = mixed_kan(random, GetParam());
  const Samples samples = random_samples(kan, 300, random);
  for (learned::Input& input : kan.inputs) input.bits = 0;
  const ParameterMap map(kan, ThresholdSharing::kLayer);
  ThreadTeam team(1);
  Objective objective = make_objective(kan, map, {}, 300, team);
  objective.prepare(map.pack(kan));
  const std::vector<float> outputs = objective.outputs(samples, all_rows(samples));
  for (std::size_t r = 0; r < 300; ++r) {
    const std::vector<double> expected = learned::evaluate(kan, std::span(samples.values).subspan(r * 5, 5));
    for (std::size_t k = 0; k < 3; ++k)
      EXPECT_NEAR(static_cast<double>(outputs[r * 3 + k]), expected[k], 2e-5);
  }
}

TEST_P(TrainEngine, FloatGradientsAreTheSlopesOfTheLoss) {
  Random random(100 + GetParam());
  LearnedKan kan = mixed_kan(random, GetParam());
  const Samples samples = random_samples(kan, 40, random);
  const ParameterMap map(kan, ThresholdSharing::kLayer);
  ThreadTeam team(1);
  for (const LossKind kind : {LossKind::kCrossEntropy, LossKind::kMeanSquare}) {
    Objective objective = make_objective(
        kan, map, {.kind = kind, .class_weights = {1.0, 2.0, 0.5}, .teacher_share = 0.0}, 40, team);
    std::vector<double> parameters = map.pack(kan);
    std::vector<double> gradient(map.size());
    (void)objective.learn(parameters, samples, all_rows(samples), gradient);
    int different = 0;  // where a kink of a relu or a first-order spline lies within the step
    for (int n = 0; n < 60; ++n) {
      const std::size_t i = random.below(static_cast<std::uint32_t>(map.size()));
      constexpr double kStep = 1e-3;
      const double before = parameters[i];
      std::vector<double> ignored(map.size());
      parameters[i] = before + kStep;
      const double above = objective.learn(parameters, samples, all_rows(samples), ignored);
      parameters[i] = before - kStep;
      const double below = objective.learn(parameters, samples, all_rows(samples), ignored);
      parameters[i] = before;
      const double slope = (above - below) / (2 * kStep);
      if (std::abs(gradient[i] - slope) > 3e-4 + 0.02 * std::abs(slope)) ++different;
    }
    EXPECT_LE(different, 6);
  }
}

TEST_P(TrainEngine, TablesAreTheOnesOfTheFinishedModel) {
  Random random(200 + GetParam());
  LearnedKan kan = mixed_kan(random, GetParam());
  quantise(kan);
  for (learned::NodeQuantizer& quantizer : kan.layers.back().quantizers) quantizer.bits = 7;
  const Samples samples = random_samples(kan, 600, random);
  const auto model = tabulate(kan);
  ASSERT_TRUE(model) << model.error().message;
  const ParameterMap map(kan, ThresholdSharing::kNode);
  ThreadTeam team(2);
  Objective objective = make_objective(kan, map, {}, 600, team);
  objective.prepare(map.pack(kan));
  const std::vector<float> outputs = objective.outputs(samples, all_rows(samples));
  std::size_t different = 0;  // an entry may lie on the edge of rounding, where float and double disagree
  for (std::size_t r = 0; r < 600; ++r) {
    const auto expected = kan::reference_outputs(*model, std::span(samples.codes).subspan(r * 5, 5));
    for (std::size_t k = 0; k < 3; ++k) {
      if (std::abs(static_cast<double>(outputs[r * 3 + k]) / model->output_scales[k] - expected[k]) > 1e-3)
        ++different;
    }
  }
  EXPECT_LE(different, 2U);
}

TEST_P(TrainEngine, GradientsDoNotDependOnTheNumberOfThreads) {
  Random random(300 + GetParam());
  LearnedKan kan = mixed_kan(random, GetParam());
  const Samples samples = random_samples(kan, 3000, random);
  for (const bool quantised : {false, true}) {
    if (quantised) quantise(kan);
    const ParameterMap map(kan, ThresholdSharing::kNode);
    const std::vector<double> parameters = map.pack(kan);
    std::vector<std::vector<double>> gradients;
    for (const std::size_t threads : {1, 2, 5}) {
      ThreadTeam team(threads);
      Objective objective = make_objective(kan, map, {}, 3000, team);
      gradients.emplace_back(map.size());
      (void)objective.learn(parameters, samples, all_rows(samples), gradients.back());
    }
    EXPECT_EQ(gradients[0], gradients[1]);
    EXPECT_EQ(gradients[0], gradients[2]);
  }
}

INSTANTIATE_TEST_SUITE_P(Orders, TrainEngine, testing::Values(1, 3, 10));

}  // namespace
}  // namespace kantrig::train
