#include "compiler/train/trainer.hpp"

#include "compiler/learned/checkpoint.hpp"
#include "compiler/learned/tabulate.hpp"
#include "compiler/train/calibrate.hpp"
#include "kan/reference.hpp"

#include "compiler/train_problems.hpp"
#include "support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
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

std::span<const std::uint16_t> row_of(const Samples& samples, std::size_t row) {
  return std::span(samples.codes).subspan(row * samples.inputs, samples.inputs);
}

kan::Model model_of(const Training& training) {
  return learned::tabulate(training.kan).value();
}

double model_accuracy(const kan::Model& model, const Samples& events, std::span<const std::uint32_t> which) {
  std::size_t right = 0;
  for (const std::uint32_t event : which) {
    const auto outputs = kan::reference_outputs(model, row_of(events, event));
    right += kan::reference_class(model, outputs) == events.classes[event] ? 1 : 0;
  }
  return static_cast<double>(right) / static_cast<double>(which.size());
}

TEST(Trainer, LearnsTwoMoons) {
  const Training training = train_or_fail(test::moons_specification(), test::two_moons(2000));
  const kan::Model model = model_of(training);
  ASSERT_TRUE(kan::check(model)) << kan::check(model).error().message;
  EXPECT_EQ(training.validation.size(), 500U);
  EXPECT_GT(model_accuracy(model, training.samples, training.validation), 0.95);
}

TEST(Trainer, LearnsTwoMoonsWithOneOutputByItsSign) {
  Specification specification = test::moons_specification();
  specification.layers = {2, 4, 1};
  const Training training = train_or_fail(specification, test::two_moons(2000));
  const kan::Model model = model_of(training);
  EXPECT_EQ(model.class_count(), 2U);
  EXPECT_GT(model_accuracy(model, training.samples, training.validation), 0.95);
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

TEST(Trainer, ScoresWhatTheModelScores) {
  const Training training = train_or_fail(test::moons_specification(), test::two_moons(1000));
  const EpochRecord& chosen = training.epochs[training.chosen_epoch - 1];
  // Training rounds in float, the model was tabulated in double: an entry at the edge of rounding may move an
  // event.
  EXPECT_NEAR(model_accuracy(model_of(training), training.samples, training.validation),
              chosen.validation.accuracy, 0.005);
  for (const EpochRecord& record : training.epochs)
    EXPECT_LE(record.validation.accuracy, chosen.validation.accuracy);
}

TEST(Trainer, TheNumberOfThreadsChangesNothing) {
  Specification specification = test::moons_specification();
  specification.training.batch_size = 700;
  specification.training.epochs = 5;
  const Dataset data = test::two_moons(3000);
  for (const bool quantized : {true, false}) {
    specification.quantized = quantized;
    const auto one = train(specification, data, {.threads = 1});
    const auto three = train(specification, data, {.threads = 3});
    ASSERT_TRUE(one && three);
    EXPECT_EQ(learned::encode_checkpoint(one->kan), learned::encode_checkpoint(three->kan));
  }
}

TEST(Trainer, GoesOnWhereItWasStopped) {
  const test::TemporaryFolder folder;
  Specification specification = test::moons_specification();
  specification.training.epochs = 12;
  specification.training.average = 0.9;
  specification.pruning = {.threshold = 1.0, .start_epoch = 2, .end_epoch = 9};
  const Dataset data = test::two_moons(1500);
  const auto whole = train(specification, data, {});
  ASSERT_TRUE(whole);
  struct Stop {};
  const auto stop_after_seven = [](const EpochRecord& record) {
    if (record.epoch == 8) throw Stop();
  };
  const auto state = folder.path() / "moons.state";
  EXPECT_THROW((void)train(specification, data,
                           {.progress = stop_after_seven, .resume = state, .resume_seconds = 0.0}),
               Stop);
  ASSERT_TRUE(std::filesystem::exists(state));
  std::uint32_t told = 0;
  const auto again =
      train(specification, data, {.progress = [&](const EpochRecord&) { ++told; }, .resume = state});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(told, 12U);
  EXPECT_EQ(learned::encode_checkpoint(again->kan), learned::encode_checkpoint(whole->kan));
  EXPECT_EQ(again->chosen_epoch, whole->chosen_epoch);
  EXPECT_FALSE(std::filesystem::exists(state));
}

TEST(Trainer, RefusesTheStateOfAnotherTraining) {
  const test::TemporaryFolder folder;
  const auto state = folder.path() / "state";
  std::ofstream(state) << "no state";
  const auto result = train(test::moons_specification(), test::two_moons(1000), {.resume = state});
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("remove it to begin anew"));
}

TEST(Trainer, LearnsAFunctionWithBothOptimisers) {
  Specification specification;
  specification.name = "wave";
  specification.version = "1";
  specification.features = {{"x", ""}};
  specification.targets = {"y"};
  specification.task = Task::kRegression;
  specification.layers = {1, 3, 1};
  specification.bits = {12, 12, 12};
  specification.quantized = false;
  specification.training.epochs = 200;
  specification.training.batch_size = 1000;
  specification.training.learning_rate = 0.02;
  specification.training.weight_decay = 0.0;
  Dataset data;
  data.columns = 1;
  for (int i = 0; i < 1000; ++i) {
    const double x = -2.0 + 4.0 * i / 999.0;
    data.values.push_back(static_cast<float>(x));
    data.targets.push_back(static_cast<float>(std::sin(3.0 * x)));
  }
  for (const Optimizer optimizer : {Optimizer::kAdamW, Optimizer::kLbfgs}) {
    specification.training.optimizer = optimizer;
    const Training training = train_or_fail(specification, data);
    EXPECT_LT(training.epochs[training.chosen_epoch - 1].validation.loss, 1e-3)
        << static_cast<int>(optimizer);
  }
}

TEST(Trainer, AnAutoencoderLearnsItsOwnInputs) {
  Dataset data = test::two_moons(2000);
  std::vector<float> values;  // the same twice: two numbers are enough to tell four
  for (std::size_t row = 0; row < data.rows(); ++row) {
    for (const int i : {0, 1, 0, 1}) values.push_back(data.values[2 * row + static_cast<std::size_t>(i)]);
  }
  data.values = values;
  data.columns = 4;
  Specification specification = test::moons_specification();
  specification.features = {{"a", ""}, {"b", ""}, {"c", ""}, {"d", ""}};
  specification.classes.clear();
  specification.task = Task::kAutoencoder;
  specification.layers = {4, 2, 4};
  specification.bits = {7, 8, 8};
  data.classes.clear();
  const Training training = train_or_fail(specification, data);
  EXPECT_LT(training.epochs[training.chosen_epoch - 1].validation.loss,
            0.2 * training.epochs.front().validation.loss);
}

TEST(Trainer, ABudgetOfLutsIsKept) {
  Specification specification = test::moons_specification();
  specification.layers = {2, 6, 2};
  specification.training.epochs = 30;
  const Training free = train_or_fail(specification, test::two_moons(1500));
  const double luts = free.epochs[free.chosen_epoch - 1].luts;
  specification.area = {.lut_budget = luts / 2, .charge = 1.0, .start_epoch = 8, .end_epoch = 20};
  const Training small = train_or_fail(specification, test::two_moons(1500));
  EXPECT_GE(small.chosen_epoch, 20U);
  EXPECT_LE(small.epochs[small.chosen_epoch - 1].luts, luts / 2);
  EXPECT_GT(model_accuracy(model_of(small), small.samples, small.validation), 0.93);
}

TEST(Trainer, AStudentLearnsFromATeacher) {
  Specification specification = test::moons_specification();
  const Dataset data = test::two_moons(1500);
  const Training teacher = train_or_fail(specification, data);
  specification.training.teacher_share = 1.0;  // the labels count for nothing
  Dataset wrong = data;
  for (std::uint8_t& label : wrong.classes) label = 1 - label;
  const auto student = train(specification, wrong, {.teachers = {teacher.kan}});
  ASSERT_TRUE(student) << student.error().message;
  EXPECT_LT(student->epochs.back().validation.accuracy, 0.1);
}

TEST(Trainer, RefusesATeacherOfOtherClasses) {
  const Dataset data = test::two_moons(500);
  Specification specification = test::moons_specification();
  specification.training.epochs = 1;
  specification.pruning = {};
  Training teacher = train_or_fail(specification, data);
  std::swap(teacher.kan.classes[0], teacher.kan.classes[1]);
  const auto result = train(specification, data, {.teachers = {teacher.kan}});
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("knows other classes, or in another order"));
}

TEST(Trainer, OtherWidthsKeepTheRangesThatWereLearned) {
  const Dataset data = test::two_moons(1000);
  const Training training = train_or_fail(test::moons_specification(), data);
  const auto wider = quantise(training.kan, {.bits = {8, 9, 8}}, data, training.learned);
  ASSERT_TRUE(wider) << wider.error().message;
  EXPECT_EQ(wider->layers[0].quantizers[2].bits, 9U);
  EXPECT_EQ(wider->layers[0].quantizers[2].threshold, training.kan.layers[0].quantizers[2].threshold);
}

TEST(Trainer, QuantisesATrainedModelAndGoesOnFromIt) {
  Specification specification = test::moons_specification();
  specification.quantized = false;
  const Dataset data = test::two_moons(1500);
  const Training real = train_or_fail(specification, data);
  const double accuracy = real.epochs[real.chosen_epoch - 1].validation.accuracy;
  EXPECT_GT(accuracy, 0.95);
  const auto quantised = quantise(real.kan, {.bits = {8, 8, 8}}, data, real.learned);
  ASSERT_TRUE(quantised) << quantised.error().message;
  const auto model = learned::tabulate(*quantised);
  ASSERT_TRUE(model) << model.error().message;
  Samples samples = real.samples;
  for (std::size_t j = 0; j < 2; ++j) encode_again(quantised->inputs, j, data, samples);
  EXPECT_GT(model_accuracy(*model, samples, real.validation), accuracy - 0.01);
  specification.quantized = true;
  specification.training.epochs = 2;
  const auto tuned = train(specification, data, {.start = real.kan});
  ASSERT_TRUE(tuned) << tuned.error().message;
  EXPECT_GT(tuned->epochs.back().validation.accuracy, 0.95);
  specification.layers = {2, 5, 2};
  const auto refused = train(specification, data, {.start = real.kan});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("has the shape 2-4-2"));
}

TEST(Trainer, TheSameSeedGivesTheSameModelAndAnotherSeedAnother) {
  Specification specification = test::moons_specification();
  specification.training.epochs = 3;
  const Dataset data = test::two_moons(1000);
  const auto tables = [&](std::uint64_t seed) {
    specification.training.seed = seed;
    std::vector<std::int16_t> all;
    for (const kan::Layer& layer : model_of(train_or_fail(specification, data)).layers) {
      all.insert(all.end(), layer.tables.begin(), layer.tables.end());
    }
    return all;
  };
  const auto first = tables(1);
  EXPECT_EQ(tables(1), first);
  EXPECT_NE(tables(2), first);
}

TEST(Trainer, PruningTakesOutAFeatureThatTellsNothing) {
  Dataset data = test::two_moons(2000);
  learned::Random random(9);
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
  specification.pruning = {.threshold = 1.5, .start_epoch = 8, .end_epoch = 20};
  const Training training = train_or_fail(specification, data);
  const kan::Model model = model_of(training);
  for (const kan::Edge& edge : model.layers[0].edges) EXPECT_NE(edge.input, 2U);
  EXPECT_GE(training.chosen_epoch, 20U);
  EXPECT_LT(training.kan.active_edges(), 3U * 4U + 4U * 2U);
  EXPECT_GT(model_accuracy(model, training.samples, training.validation), 0.9);
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
  EXPECT_EQ(a.samples.codes, b.samples.codes);
  EXPECT_EQ(a.epochs.back().loss, b.epochs.back().loss);
}

std::vector<kan::InputFeature> codes_by(const std::vector<learned::Input>& inputs) {
  std::vector<kan::InputFeature> features;
  for (const learned::Input& input : inputs) features.push_back(learned::integer_input(input));
  return features;
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
  const auto percentile = codes_by(fit_inputs(specification, data, all));
  EXPECT_EQ(kan::reference_code(percentile[0], 99.0F), 0);
  EXPECT_EQ(kan::reference_code(percentile[0], 500.0F), 32);  // 31.5: to even
  EXPECT_EQ(kan::reference_code(percentile[0], 899.0F), 63);
  EXPECT_EQ(kan::reference_code(percentile[1], 7.0F), 0);
  specification.input = {.rule = RangeRule::kDeviations, .deviations = 1.0};  // 500 +- 288.96
  const auto deviations = codes_by(fit_inputs(specification, data, all));
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
  const auto inputs = codes_by(fit_inputs(specification, data, all));
  EXPECT_NE(kan::reference_code(inputs[0], 1.0F), kan::reference_code(inputs[0], 2.0F));
}

}  // namespace
}  // namespace kantrig::train
