// An autoencoder of the shape 64-16-8-16-64 learns normal sounds of a machine, and what it cannot give back
// scores as an anomaly.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/digest.hpp"
#include "compiler/quality.hpp"
#include "compiler/train/package.hpp"
#include "kan/reference.hpp"
#include "support/machine_sounds.hpp"
#include "support/temporary_folder.hpp"

namespace kantrig::train {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kSeed = 20'261'122;
constexpr std::uint32_t kEpochs = 10;

Dataset dataset_of(const test::MachineSounds& sounds) {
  Dataset data;
  data.name = "sounds";
  data.columns = test::kSoundBands;
  data.values = sounds.values;
  return data;
}

/// One training for all tests here.
struct Learned {
  Specification specification;
  Dataset data;
  Training training;
  kan::Bundle bundle;
};

const Learned& learned_sounds() {
  static const Learned learned = [] {
    Learned made;
    made.specification = parse_specification(test::sound_specification(kEpochs), "sounds").value();
    made.data = dataset_of(test::machine_sounds(2'000, 0, kSeed));
    made.training = train(made.specification, made.data, {}).value();
    made.bundle =
        make_bundle(made.specification, made.data, made.training, base::sha256("sounds").hex()).value();
    return made;
  }();
  return learned;
}

std::vector<std::uint16_t> codes_of(const kan::Model& model, const std::vector<float>& values,
                                    std::size_t row) {
  std::vector<std::uint16_t> codes;
  for (std::uint32_t i = 0; i < test::kSoundBands; ++i)
    codes.push_back(kan::reference_code(model.inputs[i], values[row * test::kSoundBands + i]).value());
  return codes;
}

/// Integer scores of sounds by the reference evaluator.
std::vector<double> scores_of(const kan::Model& model, const std::vector<float>& values) {
  std::vector<double> scores;
  for (std::size_t row = 0; row < values.size() / test::kSoundBands; ++row)
    scores.push_back(kan::reference_outputs(model, codes_of(model, values, row)).at(0));
  return scores;
}

double metric(const kan::Bundle& bundle, std::string_view name) {
  for (const kan::Metric& one : bundle.metrics) {
    if (one.name == name) return one.value;
  }
  ADD_FAILURE() << "no metric " << name;
  return -1.0;
}

double auc_of(const kan::Model& model) {
  const test::MachineSounds unseen = test::machine_sounds(800, 4, kSeed + 1);
  const std::vector<double> scores = scores_of(model, unseen.values);
  std::vector<bool> anomalies;
  for (const std::uint32_t label : unseen.labels) anomalies.push_back(label == 1);
  return compiler::roc_auc(scores, anomalies).value();
}

TEST(TrainAnomaly, AnomaliesNotSeenBeforeScoreHigherThanNormalSounds) {
  const kan::Bundle& bundle = learned_sounds().bundle;
  EXPECT_THAT(bundle.classes, testing::ElementsAre("normal", "anomaly"));
  ASSERT_TRUE(bundle.model.output_stage);
  EXPECT_EQ(bundle.model.output_count(), 1U);
  EXPECT_EQ(bundle.model.node_count(), 64U);
  const double auc = auc_of(bundle.model);
  RecordProperty("auc", std::to_string(auc));
  EXPECT_GT(auc, 0.9) << "seed " << kSeed;
}

TEST(TrainAnomaly, TheLimitIsThePercentileOfTheRowsLearnedFrom) {
  const Learned& made = learned_sounds();
  const std::vector<double> all = scores_of(made.bundle.model, made.data.values);
  const double limit = made.bundle.model.class_above();
  double above = 0.0;
  double at_or_above = 0.0;
  double sum = 0.0;
  for (const std::uint32_t row : made.training.learned) {
    above += all[row] > limit ? 1.0 : 0.0;
    at_or_above += all[row] >= limit ? 1.0 : 0.0;
    sum += all[row] * made.bundle.model.output_scales[0];
  }
  const auto rows = static_cast<double>(made.training.learned.size());
  EXPECT_LE(above / rows, 0.02);
  EXPECT_GT(at_or_above / rows, 0.02);
  EXPECT_NEAR(metric(made.bundle, "score_train"), sum / rows, 1e-9);
  EXPECT_GT(metric(made.bundle, "score_validation"), 0.0);
  EXPECT_LT(metric(made.bundle, "anomalies_validation"), 0.2);
}

TEST(TrainAnomaly, TheScoreIsTheDistanceFromWhatTheOutputsCanGiveUpToRounding) {
  const Learned& made = learned_sounds();
  const learned::NodeQuantizer& quantizer = made.training.kan.layers.back().quantizers[0];
  const double code = quantizer.scale();
  double worst = 0.0;
  for (std::size_t row = 0; row < 50; ++row) {
    const auto codes = codes_of(made.bundle.model, made.data.values, row);
    const auto nodes = kan::reference_nodes(made.bundle.model, codes);
    double distance = 0.0;
    for (std::uint32_t i = 0; i < test::kSoundBands; ++i)
      distance += std::abs(nodes[i] * code - std::clamp(made.training.kan.inputs[i].point(codes[i]),
                                                        quantizer.low() * code, quantizer.high() * code));
    const double score =
        kan::reference_score(made.bundle.model, codes, nodes) * made.bundle.model.output_scales[0];
    worst = std::max(worst, std::abs(score - distance));
  }
  EXPECT_LT(worst, 64 * 0.5 * code + made.bundle.model.output_scales[0]);
}

TEST(TrainAnomaly, HistogramsAndGoldenVectorsAreOfTheScore) {
  const Learned& made = learned_sounds();
  ASSERT_EQ(made.bundle.reference.scores.size(), 1U);
  const kan::Histogram& scores = made.bundle.reference.scores[0];
  EXPECT_EQ(scores.name, "anomaly");
  EXPECT_EQ(scores.first, 0);
  EXPECT_EQ(std::accumulate(scores.counts.begin(), scores.counts.end(), std::uint64_t{0}), 2'000U);
  EXPECT_EQ(made.bundle.golden.outputs.size(), made.bundle.golden.count);
  const test::TemporaryFolder folder;
  ASSERT_TRUE(kan::write_bundle(made.bundle, folder.path() / "sounds-1.0.0", kan::Overwrite::kRefuse));
  const auto loaded = kan::load_bundle(folder.path() / "sounds-1.0.0");
  ASSERT_TRUE(loaded) << loaded.error().message;
}

TEST(TrainAnomaly, SquaresKeepTheResolutionThatTheDataNeed) {
  const Learned& made = learned_sounds();
  const auto bundle =
      bundle_of(made.training.kan, made.data, "sounds-2.0.0",
                ScorePlan{.measure = kan::DistanceMeasure::kSquared, .threshold_percent = 98});
  ASSERT_TRUE(bundle) << bundle.error().message;
  EXPECT_THAT(bundle->classes, testing::ElementsAre("normal", "anomaly"));
  EXPECT_GT(auc_of(bundle->model), 0.9);
  const std::vector<double> scores = scores_of(bundle->model, made.data.values);
  const double largest = *std::max_element(scores.begin(), scores.end());
  EXPECT_LE(largest * 16, kan::kScoreMax);
  EXPECT_TRUE(largest * 33 > kan::kScoreMax || bundle->model.output_stage->shift == 0) << largest;
}

TEST(TrainAnomaly, ASpecificationThatHasNoScoreIsRefusedBeforeTraining) {
  const auto error_of = [](std::string_view from, std::string_view to) {
    std::string text = test::sound_specification(1);
    text.replace(text.find(from), from.size(), to);
    const auto specification = parse_specification(text, "sounds");
    return specification ? "" : specification.error().message;
  };
  EXPECT_THAT(error_of("absolute", "relative"), HasSubstr("score.measure"));
  EXPECT_THAT(error_of("= 98", "= 101"), HasSubstr("score.threshold_percent"));
  EXPECT_THAT(error_of("16, 64]", "16, 63]"), HasSubstr("as many outputs as inputs"));
  EXPECT_THAT(error_of("threshold_percent", "percent"), HasSubstr("score.percent: unknown key"));
}

TEST(TrainAnomaly, AScoreOfAModelThatReconstructsNothingIsRefused) {
  learned::LearnedKan kan = learned_sounds().training.kan;
  kan.layers.pop_back();
  const auto bundle = bundle_of(kan, learned_sounds().data, "sounds-1.0.0", ScorePlan{});
  ASSERT_FALSE(bundle);
  EXPECT_THAT(bundle.error().message, HasSubstr("expected 64 outputs, as many as inputs, not 16"));
}

}  // namespace
}  // namespace kantrig::train
