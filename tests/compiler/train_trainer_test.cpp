#include "compiler/train/trainer.hpp"

#include "compiler/train/extract.hpp"
#include "compiler/train/package.hpp"
#include "kan/reference.hpp"

#include "compiler/train_problems.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace kantrig::train {
namespace {

using testing::HasSubstr;

Training train_or_fail(const Specification& specification, const Dataset& data) {
  auto result = train(specification, data, {});
  EXPECT_TRUE(result) << (result ? "" : result.error().message);
  return std::move(*result);
}

double model_accuracy(const kan::Model& model, const CodedEvents& events,
                      std::span<const std::uint32_t> which) {
  std::size_t right = 0;
  for (const std::uint32_t event : which) {
    const auto outputs = kan::reference_outputs(model, events.row(event));
    right += kan::reference_class(outputs) == events.classes[event] ? 1 : 0;
  }
  return static_cast<double>(right) / static_cast<double>(which.size());
}

/// The quantised forward pass in real numbers, event by event, spline by spline, with no table.
std::vector<std::int32_t> spline_outputs(const SplineKan& kan, std::span<const std::uint16_t> codes) {
  std::vector<double> values;
  for (const std::uint16_t code : codes) values.push_back(kan.points(0)[code]);
  std::vector<std::int32_t> outputs;
  for (const SplineLayer& layer : kan.layers()) {
    outputs.clear();
    for (std::uint32_t k = 0; k < layer.shape().nodes; ++k) {
      double sum = layer.bias(k);
      for (std::uint32_t j = 0; j < layer.shape().inputs; ++j)
        sum += layer.quantised(layer.edge_value(j, k, values[j]));
      outputs.push_back(static_cast<std::int32_t>(std::clamp<double>(sum, layer.low(), layer.high())));
    }
    values.clear();
    for (const std::int32_t output : outputs) values.push_back(layer.scale() * output);
  }
  return outputs;
}

TEST(Trainer, LearnsTwoMoons) {
  const Training training = train_or_fail(test::moons_specification(), test::two_moons(2000));
  const kan::Model model = extract(training.kan, training.inputs);
  ASSERT_TRUE(kan::check(model)) << kan::check(model).error().message;
  EXPECT_EQ(training.validation.size(), 500U);
  EXPECT_GT(model_accuracy(model, training.events, training.validation), 0.95);
}

TEST(Trainer, LearnsTwoMoonsWithOneOutputByItsSign) {
  Specification specification = test::moons_specification();
  specification.layers = {2, 4, 1};
  const Training training = train_or_fail(specification, test::two_moons(2000));
  const kan::Model model = extract(training.kan, training.inputs);
  EXPECT_EQ(model.class_count(), 2U);
  EXPECT_GT(model_accuracy(model, training.events, training.validation), 0.95);
}

TEST(Trainer, LearnsWithEveryBaseFunctionAndSplineOrder) {
  for (const BaseFunction base : {BaseFunction::kNone, BaseFunction::kSilu, BaseFunction::kGelu}) {
    for (const std::uint32_t order : {1U, 2U, 10U}) {
      Specification specification = test::moons_specification();
      specification.base = base;
      specification.grid.order = order;
      const Training training = train_or_fail(specification, test::two_moons(1000));
      EXPECT_GT(training.epochs[training.chosen_epoch - 1].validation.accuracy, 0.9)
          << static_cast<int>(base) << " " << order;
    }
  }
}

TEST(Trainer, TheExtractedModelIsTheQuantisedTrainingModelBitForBit) {
  Specification specification = test::moons_specification();
  specification.layers = {2, 5, 3, 2};
  specification.bits = {7, 5, 6, 8};
  specification.training.epochs = 6;
  const Training training = train_or_fail(specification, test::two_moons(2000));
  const kan::Model model = extract(training.kan, training.inputs);
  for (std::uint32_t event = 0; event < training.events.count(); ++event) {
    const auto codes = training.events.row(event);
    const auto expected = spline_outputs(training.kan, codes);
    const auto outputs = kan::reference_outputs(model, codes);
    ASSERT_EQ(std::vector<std::int32_t>(outputs.begin(), outputs.end()), expected) << "event " << event;
  }
}

TEST(Trainer, ScoresWhatTheModelScores) {
  Training training = train_or_fail(test::moons_specification(), test::two_moons(1000));
  const kan::Model model = extract(training.kan, training.inputs);
  const Score score = training.kan.score(training.events, training.validation);
  EXPECT_EQ(score.accuracy, model_accuracy(model, training.events, training.validation));
  const EpochRecord& chosen = training.epochs[training.chosen_epoch - 1];
  EXPECT_EQ(score.accuracy, chosen.validation.accuracy);
  EXPECT_EQ(score.loss, chosen.validation.loss);
  for (const EpochRecord& record : training.epochs)
    EXPECT_LE(record.validation.accuracy, chosen.validation.accuracy);
}

TEST(Trainer, TheSameSeedGivesTheSameModelAndAnotherSeedAnother) {
  Specification specification = test::moons_specification();
  specification.training.epochs = 3;
  const Dataset data = test::two_moons(1000);
  const auto tables = [&](std::uint64_t seed) {
    specification.training.seed = seed;
    std::vector<std::int16_t> all;
    for (const kan::Layer& layer : extract(train_or_fail(specification, data).kan, {}).layers) {
      all.insert(all.end(), layer.tables.begin(), layer.tables.end());
    }
    return all;
  };
  const auto first = tables(1);
  EXPECT_EQ(tables(1), first);
  EXPECT_NE(tables(2), first);
}

TEST(Trainer, GradientsFollowTheLoss) {
  // Wide outputs, so that the loss is nearly smooth and finite differences mean something.
  Specification specification = test::moons_specification();
  specification.layers = {2, 3, 2};
  specification.bits = {6, 12, 12};
  const Dataset data = test::two_moons(400);
  std::vector<std::uint32_t> all(400);
  for (std::uint32_t i = 0; i < 400; ++i) all[i] = i;
  const CodedEvents events = encode(fit_inputs(specification, data, all), data, 400);
  Random random(3);
  SplineKan kan(specification, random);
  (void)kan.learn(events, all);
  for (std::size_t l = 0; l < 2; ++l) {
    const std::vector<double> gradients(kan.layers()[l].gradients().begin(),
                                        kan.layers()[l].gradients().end());
    const double largest = *std::max_element(gradients.begin(), gradients.end());
    for (std::size_t i = 0; i + 1 < gradients.size();
         i += 5) {  // the last is the threshold: piecewise, not smooth
      constexpr double kStep = 0.02;
      double& parameter = kan.layers()[l].parameters()[i];
      const double before = parameter;
      parameter = before + kStep;
      kan.rebuild();
      const double above = kan.score(events, all).loss;
      parameter = before - kStep;
      kan.rebuild();
      const double below = kan.score(events, all).loss;
      parameter = before;
      EXPECT_NEAR(gradients[i], (above - below) / (2 * kStep), 0.03 * largest)
          << "layer " << l << " parameter " << i;
    }
  }
}

TEST(Trainer, PruningTakesOutAFeatureThatTellsNothing) {
  Dataset data = test::two_moons(2000);
  Random random(9);
  std::vector<float> values;
  for (std::size_t row = 0; row < data.rows(); ++row) {
    values.push_back(data.values[2 * row]);
    values.push_back(data.values[2 * row + 1]);
    values.push_back(static_cast<float>(random.uniform(0.0, 1.0)));
  }
  data.values = values;
  data.columns = 3;
  Specification specification = test::moons_specification();
  specification.features.push_back({"noise", ""});
  specification.layers = {3, 4, 2};
  specification.pruning = {.threshold_codes = 1.5, .start_epoch = 8, .end_epoch = 20};
  const Training training = train_or_fail(specification, data);
  const kan::Model model = extract(training.kan, training.inputs);
  for (const kan::Edge& edge : model.layers[0].edges) EXPECT_NE(edge.input, 2U);
  EXPECT_GE(training.chosen_epoch, 20U);
  EXPECT_LT(training.kan.active_edges(), 3U * 4U + 4U * 2U);
  EXPECT_GT(model_accuracy(model, training.events, training.validation), 0.9);
}

TEST(Trainer, RefusesDataThatCannotTeachWhatIsAsked) {
  const Specification specification = test::moons_specification();
  const auto error_of = [&](const Dataset& data) {
    const auto result = train(specification, data, {});
    return result ? std::string() : result.error().message;
  };
  Dataset data = test::two_moons(100);
  data.values[2 * 41 + 1] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(error_of(data), HasSubstr("moons: row 42, feature 'y' is NaN, expected a finite number"));
  data.values[2 * 41 + 1] = std::numeric_limits<float>::infinity();
  EXPECT_THAT(error_of(data), HasSubstr("moons: row 42, feature 'y' is infinite"));
  data = test::two_moons(100);
  data.classes[6] = 2;
  EXPECT_THAT(error_of(data), HasSubstr("moons: row 7 has class 2, expected 0 to 1"));
  data = test::two_moons(100);
  data.columns = 1;
  EXPECT_THAT(error_of(data), HasSubstr("has 1 columns, expected 2"));
  data = test::two_moons(100);
  std::fill(data.classes.begin(), data.classes.end(), std::uint8_t{0});
  EXPECT_THAT(error_of(data), HasSubstr("no row has class 1 ('lower')"));
  EXPECT_THAT(error_of(test::two_moons(9)), HasSubstr("has 9 rows, expected at least 10"));
  Specification greedy = specification;
  greedy.training.rows = 101;
  EXPECT_THAT(train(greedy, test::two_moons(100), {}).error().message,
              HasSubstr("has 100 rows, but training.rows asks for 101"));
}

TEST(Trainer, LooksAtNoRowPastTheOnesToLearnFrom) {
  Specification specification = test::moons_specification();
  specification.training.epochs = 2;
  specification.training.rows = 500;
  const Dataset data = test::two_moons(1000);
  Dataset other = data;
  for (std::size_t i = 2 * 500; i < other.values.size(); ++i) other.values[i] *= 3.0F;
  const Training a = train_or_fail(specification, data);
  const Training b = train_or_fail(specification, other);
  EXPECT_EQ(a.events.codes, b.events.codes);
  EXPECT_EQ(a.epochs.back().loss, b.epochs.back().loss);
}

TEST(InputStage, MapsTheChosenRangeOntoAllCodes) {
  Specification specification = test::moons_specification();
  Dataset data;
  data.columns = 2;
  std::vector<std::uint32_t> all;
  for (std::uint32_t i = 0; i <= 1000; ++i) {
    data.values.push_back(static_cast<float>(i));  // 0 .. 1000
    data.values.push_back(7.0F);                   // does not vary
    data.classes.push_back(i < 500 ? 0 : 1);
    all.push_back(i);
  }
  specification.input = {.rule = RangeRule::kPercentile, .low_percent = 10.0, .high_percent = 90.0};
  const auto percentile = fit_inputs(specification, data, all);
  EXPECT_EQ(kan::reference_code(percentile[0], 99.0F), 0);
  EXPECT_EQ(kan::reference_code(percentile[0], 500.0F), 32);  // 31.5: to even
  EXPECT_EQ(kan::reference_code(percentile[0], 899.0F), 63);
  EXPECT_EQ(kan::reference_code(percentile[1], 7.0F), 0);
  specification.input = {.rule = RangeRule::kDeviations, .deviations = 1.0};  // 500 +- 288.96
  const auto deviations = fit_inputs(specification, data, all);
  EXPECT_EQ(kan::reference_code(deviations[0], 212.0F), 0);
  EXPECT_EQ(kan::reference_code(deviations[0], 218.0F), 1);
  EXPECT_EQ(kan::reference_code(deviations[0], 788.0F), 63);
}

TEST(InputStage, InformationPrefersTheRangeThatSeparatesTheClasses) {
  // One event in 20 lies far out and tells nothing; with all of the range the 2 bits see the rest as one
  // code.
  Specification specification = test::moons_specification();
  specification.bits = {2, 5, 7};
  specification.input.rule = RangeRule::kInformation;
  Dataset data;
  data.columns = 1;
  std::vector<std::uint32_t> all;
  for (std::uint32_t i = 0; i < 4000; ++i) {
    const bool far = i % 25 == 0;
    const std::uint8_t label = i % 2;
    data.values.push_back(far ? 1000.0F : label == 0 ? 1.0F : 2.0F);
    data.classes.push_back(label);
    all.push_back(i);
  }
  const auto inputs = fit_inputs(specification, data, all);
  EXPECT_NE(kan::reference_code(inputs[0], 1.0F), kan::reference_code(inputs[0], 2.0F));
}

}  // namespace
}  // namespace kantrig::train
