// Checkpoints as ONNX functions in float32, executed operator by operator, against learned::evaluate() in
// double precision.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

#include "compiler/exchange/onnx_execution.hpp"
#include "compiler/exchange/onnx_export.hpp"
#include "compiler/learned/random.hpp"
#include "support/temporary_folder.hpp"

namespace kantrig::exchange {
namespace {

using namespace learned;

constexpr std::uint64_t kSeed = 11;
constexpr std::size_t kEvents = 500;

struct Shape {
  EdgeKind kind = EdgeKind::kSpline;
  std::uint32_t inputs = 0;
  std::uint32_t nodes = 0;
  SplineGrid grid = {};
  BaseFunction base = BaseFunction::kSilu;
};

class OnnxFloat : public testing::Test {
 protected:
  OnnxFloat() { std::cout << "seed " << kSeed << "\n"; }

  Layer random_layer(const Shape& shape) {
    Layer layer = make_layer(shape.kind, shape.inputs, shape.nodes, shape.grid, shape.base);
    for (auto* const values : {&layer.coefficients, &layer.weights, &layer.biases}) {
      for (double& value : *values) value = random_.uniform(-1.0, 1.0);
    }
    for (std::uint8_t& active : layer.active) active = random_.below(4) == 0 ? 0 : 1;
    return layer;
  }

  /// Knots of every input's own, with one of them twice.
  void bend_knots(Layer& layer) {
    for (std::uint32_t j = 0; j < layer.inputs; ++j) {
      std::vector<double> knots;
      for (std::uint32_t i = 0; i < layer.grid.size + 2 * layer.grid.order + 1; ++i)
        knots.push_back(static_cast<float>(random_.uniform(-3.0, 3.0)));
      std::sort(knots.begin(), knots.end());
      knots[layer.grid.order + 1] = knots[layer.grid.order];
      layer.knots.push_back(std::move(knots));
    }
  }

  LearnedKan model_of(std::vector<Layer> layers) {
    LearnedKan kan;
    for (std::uint32_t j = 0; j < layers.front().inputs; ++j)
      kan.inputs.push_back(
          {.feature = {}, .gain = random_.uniform(0.5, 1.5), .shift = random_.uniform(-0.5, 0.5)});
    kan.layers = std::move(layers);
    return kan;
  }

  void expect_close(const LearnedKan& kan, double tolerance) {
    const auto onnx = float_onnx(kan);
    ASSERT_TRUE(onnx) << onnx.error().message;
    const auto path = [&](const char* name) { return folder_.path() / name; };
    ASSERT_TRUE(base::write_file_atomic(path("model.onnx"), *onnx));
    std::vector<float> x;
    std::vector<double> outputs;
    for (std::size_t event = 0; event < kEvents; ++event) {
      std::vector<float> features;
      for (std::size_t j = 0; j < kan.inputs.size(); ++j)
        features.push_back(static_cast<float>(random_.uniform(-3.0, 3.0)));
      x.insert(x.end(), features.begin(), features.end());
      const std::vector<double> values = evaluate(kan, features);
      outputs.insert(outputs.end(), values.begin(), values.end());
    }
    EXPECT_NE(*std::min_element(outputs.begin(), outputs.end()),
              *std::max_element(outputs.begin(), outputs.end()));
    const auto run =
        test::run_onnx(path("model.onnx").string() + " --input x=" + test::raw_file(path("x.f32"), x) +
                       " --expect outputs=" + test::raw_file(path("outputs.f64"), outputs) + " --tolerance " +
                       std::to_string(tolerance));
    EXPECT_EQ(run.exit_code, 0) << run.output;
    std::cout << run.output;
  }

  Random random_{kSeed};
  test::TemporaryFolder folder_;
};

TEST_F(OnnxFloat, AgreesOnUniformSplinesOfAnyOrderAndBase) {
  for (const std::uint32_t order : {1U, 3U, 10U}) {
    const SplineGrid grid{.low = -2.0, .high = 2.0, .size = 7, .order = order};
    expect_close(
        model_of({random_layer({.inputs = 4, .nodes = 3, .grid = grid, .base = BaseFunction::kSilu}),
                  random_layer({.inputs = 3, .nodes = 3, .grid = grid, .base = BaseFunction::kGelu}),
                  random_layer({.inputs = 3, .nodes = 2, .grid = grid, .base = BaseFunction::kNone})}),
        2e-5);
  }
}

TEST_F(OnnxFloat, AgreesOnKnotsOfEveryInput) {
  const SplineGrid grid{.low = -2.0, .high = 2.0, .size = 5, .order = 3};
  Layer layer = random_layer({.inputs = 3, .nodes = 2, .grid = grid});
  bend_knots(layer);
  expect_close(model_of({layer}), 2e-5);
}

TEST_F(OnnxFloat, AgreesOnLinearAndReluEdges) {
  expect_close(model_of({random_layer({.kind = EdgeKind::kLinear, .inputs = 4, .nodes = 5}),
                         random_layer({.kind = EdgeKind::kRelu, .inputs = 5, .nodes = 1})}),
               1e-5);
}

TEST_F(OnnxFloat, AgreesOnEveryFormula) {
  for (const FunctionFacts& facts : functions()) {
    // A formula beside learned edges. Inputs lie in [-5, 5], so that no function comes near a pole.
    Layer layer = random_layer({.inputs = 2, .nodes = 2, .grid = {.size = 4}});
    std::fill(layer.active.begin(), layer.active.end(), std::uint8_t{1});
    const double inner = facts.function == Function::kTan ? 0.3 : 0.4;
    layer.formulas[1] = {.function = facts.function,
                         .inner_scale = inner,
                         .inner_offset = facts.function == Function::kTan ? 0.1 : 2.5,
                         .outer_scale = -0.8,
                         .outer_offset = 0.3};
    SCOPED_TRACE(std::string(facts.name));
    expect_close(model_of({layer}), 2e-5);
  }
}

TEST_F(OnnxFloat, ClampsWhereTheModelIsQuantised) {
  const SplineGrid grid{.low = -2.0, .high = 2.0, .size = 6, .order = 3};
  LearnedKan kan = model_of({random_layer({.inputs = 3, .nodes = 3, .grid = grid}),
                             random_layer({.inputs = 3, .nodes = 2, .grid = grid})});
  for (std::uint32_t j = 0; j < 3; ++j) {
    kan.inputs[j].bits = 4 + j;
    kan.inputs[j].first = -1.0 - 0.1 * j;
    kan.inputs[j].step = 0.1;
  }
  kan.layers[0].quantizers = {{5, 0.5}, {6, 0.25}, {7, 0.75}};
  kan.layers[1].quantizers = {{8, 0.4}, {8, 0.4}};
  expect_close(kan, 2e-5);
}

TEST_F(OnnxFloat, RefusesAModelThatIsNoneByName) {
  LearnedKan kan = model_of({random_layer({.inputs = 2, .nodes = 2})});
  kan.layers[0].weights.pop_back();
  const auto onnx = float_onnx(kan);
  ASSERT_FALSE(onnx);
  EXPECT_THAT(onnx.error().message, testing::HasSubstr("layer 0: weights: has 3 values, expected 4"));
}

}  // namespace
}  // namespace kantrig::exchange
