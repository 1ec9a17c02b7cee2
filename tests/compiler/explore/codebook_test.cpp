// Edges that share shapes: what was made of few is found again; retraining follows the loss's gradient.
#include "compiler/explore/codebook.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "compiler/explore/codebook_report.hpp"
#include "compiler/explore/shared_training.hpp"
#include "compiler/learned/random.hpp"

namespace kantrig::explore {
namespace {

using testing::HasSubstr;

constexpr std::uint32_t kBits = 5;
constexpr std::uint32_t kShapes = 3;

double uniform(learned::Random& random) {
  return static_cast<double>(random.below(2'000'001)) / 1e6 - 1.0;
}

/// 4-5-2, quantised, whose 30 edges are three shapes with factors of both signs.
learned::LearnedKan model_of_three_shapes(learned::Random& random) {
  learned::LearnedKan kan;
  kan.name = "three";
  kan.classes = {"a", "b"};
  for (int i = 0; i < 4; ++i) {
    learned::Input input;
    input.feature.name = fmt::format("x{}", i);
    input.bits = kBits;
    input.first = -2.0;
    input.step = 4.0 / 31.0;
    kan.inputs.push_back(input);
  }
  const learned::SplineGrid grid;
  std::vector<std::vector<double>> shapes(kShapes, std::vector<double>(grid.basis_count() + 1));
  for (auto& shape : shapes) {
    for (double& value : shape) value = uniform(random);
  }
  const std::vector<std::uint32_t> sizes{4, 5, 2};
  for (std::uint32_t l = 0; l < 2; ++l) {
    learned::Layer layer = learned::make_layer(learned::EdgeKind::kSpline, sizes[l], sizes[l + 1], grid,
                                               learned::BaseFunction::kSilu);
    layer.quantizers.assign(layer.nodes, {.bits = kBits, .threshold = 2.0});
    for (std::uint32_t j = 0; j < layer.inputs; ++j) {
      for (std::uint32_t k = 0; k < layer.nodes; ++k) {
        const std::uint32_t shape = (j * 2 + k) % kShapes;
        const double factor = (j + k) % 2 == 0 ? 0.4 : -0.7;
        set_edge(layer, {.layer = l, .input = j, .node = k, .shape = shape, .factor = factor}, shapes[shape]);
      }
    }
    kan.layers.push_back(std::move(layer));
  }
  return kan;
}

/// Events of codes; the class is what `kan` says of them, but for every eighth.
train::Samples samples_of(const learned::LearnedKan& kan, learned::Random& random, std::size_t rows) {
  train::Samples samples;
  samples.inputs = 4;
  samples.outputs = 2;
  for (std::size_t r = 0; r < rows; ++r) {
    std::vector<float> event;
    for (const learned::Input& input : kan.inputs) {
      const auto code = static_cast<std::uint16_t>(random.below(32));
      samples.codes.push_back(code);
      event.push_back(static_cast<float>(input.point(code)));
    }
    const std::vector<double> outputs = learned::evaluate(kan, event);
    const bool second = (outputs[1] > outputs[0]) != (r % 8 == 0);
    samples.classes.push_back(second ? 1 : 0);
  }
  return samples;
}

class CodebookTest : public testing::Test {
 protected:
  CodebookTest() : kan_(model_of_three_shapes(random_)), samples_(samples_of(kan_, random_, 1'500)) {
    for (std::uint32_t r = 0; r < 1'500; ++r) (r < 1'000 ? learned_ : validation_).push_back(r);
  }
  [[nodiscard]] EdgeCurves curves() const {
    return EdgeCurves::make(kan_, train::count_codes(kan_, samples_, learned_)).value();
  }
  [[nodiscard]] SharedTraining plan(std::uint32_t epochs) const {
    return {.samples = samples_,
            .learned = learned_,
            .validation = validation_,
            .loss = {},
            .epochs = epochs,
            .batch_size = 100,
            .learning_rate = 0.01};
  }
  learned::Random random_{7};
  learned::LearnedKan kan_;
  train::Samples samples_;
  std::vector<std::uint32_t> learned_;
  std::vector<std::uint32_t> validation_;
};

TEST_F(CodebookTest, FindsTheShapesThatTheEdgesWereMadeOf) {
  const EdgeCurves edges = curves();
  ASSERT_EQ(30U, edges.count());
  const Codebook found = edges.cluster(kShapes, {});
  EXPECT_LT(found.unexplained, 1e-6);
  for (const ShapeUse& a : found.uses) {
    for (const ShapeUse& b : found.uses) {
      const bool same_made = (a.input * 2 + a.node) % kShapes == (b.input * 2 + b.node) % kShapes;
      EXPECT_EQ(same_made, a.shape == b.shape);
    }
  }
}

TEST_F(CodebookTest, MoreShapesExplainMore) {
  const EdgeCurves edges = curves();
  const Codebook one = edges.cluster(1, {});
  const Codebook two = edges.cluster(2, one);
  EXPECT_GT(one.unexplained, two.unexplained);
  EXPECT_GT(two.unexplained, edges.cluster(3, two).unexplained);
}

TEST_F(CodebookTest, AppliedItGivesTheEdgesBackUpToAConstantInTheBias) {
  const EdgeCurves edges = curves();
  const learned::LearnedKan shared = edges.apply(kan_, edges.cluster(kShapes, {}));
  for (int e = 0; e < 200; ++e) {
    std::vector<float> event;
    for (const learned::Input& input : kan_.inputs)
      event.push_back(static_cast<float>(input.point(static_cast<std::uint32_t>(random_.below(32)))));
    const auto before = learned::evaluate(kan_, event);
    const auto after = learned::evaluate(shared, event);
    for (std::size_t k = 0; k < before.size(); ++k) EXPECT_NEAR(before[k], after[k], 2e-3);
  }
}

TEST_F(CodebookTest, OwnShapesChangeNothing) {
  const EdgeCurves edges = curves();
  const learned::LearnedKan own = edges.apply(kan_, edges.own_shapes());
  for (std::size_t l = 0; l < kan_.layers.size(); ++l) {
    EXPECT_EQ(kan_.layers[l].coefficients, own.layers[l].coefficients);
    EXPECT_EQ(kan_.layers[l].biases, own.layers[l].biases);
  }
}

TEST_F(CodebookTest, RetrainingBringsAccuracyBackAndTheEdgesGoOnSharing) {
  const EdgeCurves edges = curves();
  const Codebook two = edges.cluster(2, {});
  train::ThreadTeam one_thread(1);
  train::ThreadTeam three_threads(3);
  const auto tuned = tune_shared(edges.apply(kan_, two), two, plan(20), one_thread);
  ASSERT_TRUE(tuned) << tuned.error().message;
  EXPECT_GT(tuned->tuned.accuracy, tuned->refitted.accuracy);
  for (const ShapeUse& use : tuned->codebook.uses) {
    learned::Layer copy = tuned->kan.layers[use.layer];
    set_edge(copy, use, tuned->codebook.shapes[use.shape]);
    EXPECT_EQ(copy.coefficients, tuned->kan.layers[use.layer].coefficients);
    EXPECT_EQ(copy.weights, tuned->kan.layers[use.layer].weights);
  }
  const auto again = tune_shared(edges.apply(kan_, two), two, plan(20), three_threads);
  ASSERT_TRUE(again);
  EXPECT_EQ(tuned->codebook.shapes, again->codebook.shapes) << "the same for any number of threads";
}

TEST_F(CodebookTest, WithoutEpochsItOnlyRefits) {
  const EdgeCurves edges = curves();
  const Codebook one = edges.cluster(1, {});
  train::ThreadTeam team(1);
  const auto model = tune_shared(edges.apply(kan_, one), one, plan(0), team).value();
  EXPECT_EQ(model.refitted.loss, model.tuned.loss);
  EXPECT_EQ(one.shapes, model.codebook.shapes);
}

TEST_F(CodebookTest, LayersWithoutACommonBasisAreRefused) {
  kan_.layers[1].grid.size += 1;
  const auto refused = EdgeCurves::make(kan_, {});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message,
              HasSubstr("layer 1: has edges that are not B-splines on the first layer's uniform grid"));
}

TEST(ShapesReport, NamesTheFewestShapesWithinOneStandardError) {
  ShapesReport report;
  report.model = "m";
  report.edges = 30;
  report.rows_validation = 10'000;
  report.own = {.shapes = 30,
                .parameters = 360,
                .unexplained = 0.0,
                .refitted = {},
                .tuned = {.loss = 0.5, .accuracy = 0.8}};
  for (const double accuracy : {0.7, 0.7955, 0.7965, 0.81}) {
    report.rows.push_back({.shapes = static_cast<std::uint32_t>(report.rows.size()) + 1,
                           .parameters = 70,
                           .unexplained = 0.1,
                           .refitted = {},
                           .tuned = {.loss = 0.6, .accuracy = accuracy}});
  }
  EXPECT_EQ(2U, few_enough(report));
  EXPECT_THAT(to_text(report), HasSubstr("3 shapes are enough: the fewest with accuracy at least 0.7960"));
  EXPECT_THAT(to_json(report), HasSubstr("\"enough\": 3"));
  EXPECT_EQ(6, std::ranges::count(to_csv(report), '\n'));
  EXPECT_THAT(draw(report), HasSubstr("own shapes, 30 of them"));
  report.rows.pop_back();
  report.rows.pop_back();
  EXPECT_THAT(to_text(report), HasSubstr("none of these is as good"));
}

}  // namespace
}  // namespace kantrig::explore
