// From data to a formula: models trained on known formulas, whose edges are then found to be those functions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>

#include "compiler/insight/expression.hpp"
#include "compiler/insight/symbolic.hpp"
#include "compiler/learned/random.hpp"
#include "compiler/train/trainer.hpp"

namespace kantrig::insight {
namespace {

using learned::Function;

struct Problem {
  const char* name;
  std::vector<std::uint32_t> layers;
  std::function<double(double, double)> formula;
  std::vector<std::vector<Function>> edges;  // by layer, then by node and input
};

void PrintTo(const Problem& problem, std::ostream* out) {
  *out << problem.name;
}

constexpr std::uint64_t kSeed = 2;  // of two layers one seed in six ends in a local minimum
constexpr std::size_t kRows = 1'500;

train::Specification specification_for(const Problem& problem) {
  train::Specification specification;
  specification.name = "formula";
  specification.version = "1.0.0";
  specification.features = {{"x", ""}, {"y", ""}};
  specification.features.resize(problem.layers[0]);
  specification.targets = {"f"};
  specification.task = train::Task::kRegression;
  specification.layers = problem.layers;
  specification.bits.assign(problem.layers.size(), 12);
  specification.quantized = false;
  specification.grid = {.low = -2.0, .high = 2.0, .size = problem.layers.size() > 2 ? 5U : 16U, .order = 3};
  specification.input = {.low_percent = 0.0, .high_percent = 100.0};
  specification.training.optimizer = train::Optimizer::kLbfgs;
  specification.training.batch_size = kRows;
  specification.training.epochs = 300;
  specification.training.weight_decay = 0.0;
  specification.training.choose_by = train::ChooseBy::kLoss;
  specification.training.seed = kSeed;
  return specification;
}

train::Dataset data_for(const Problem& problem) {
  train::Dataset data;
  data.name = problem.name;
  data.columns = problem.layers[0];
  learned::Random random(kSeed);
  for (std::size_t i = 0; i < kRows; ++i) {
    const auto x = static_cast<float>(random.uniform(-1.0, 1.0));
    const auto y = static_cast<float>(random.uniform(-1.0, 1.0));
    data.values.push_back(x);
    if (data.columns > 1) data.values.push_back(y);
    data.targets.push_back(static_cast<float>(problem.formula(x, y)));
  }
  return data;
}

class Trained : public testing::TestWithParam<Problem> {};

TEST_P(Trained, IsReadAsItsFormula) {
  const Problem& problem = GetParam();
  SCOPED_TRACE(kSeed);
  const train::Dataset data = data_for(problem);
  const auto training = train::train(specification_for(problem), data, {});
  ASSERT_TRUE(training) << training.error().message;
  base::FeatureTable events;
  events.rows = data.rows();
  events.columns = data.columns;
  events.values = data.values;
  const auto curves = curves_of(training->kan, &events);
  ASSERT_TRUE(curves);
  const auto proposals = propose(training->kan, *curves, {});
  const learned::LearnedKan made = with_formulas(training->kan, proposals);
  SCOPED_TRACE(model_text(made, {"f"}, 4).outputs[0].text);
  std::vector<std::vector<Function>> found(problem.layers.size() - 1);
  for (const Proposal& proposal : proposals) {
    found[proposal.layer].push_back(proposal.candidates[0].formula.function);
    EXPECT_GT(proposal.candidates[0].r2, 0.999);
  }
  EXPECT_EQ(found, problem.edges);
  EXPECT_GT(agreement(training->kan, made, events)[0], 0.999);
}

INSTANTIATE_TEST_SUITE_P(
    Formulas, Trained,
    testing::Values(
        Problem{"sin", {1, 1}, [](double x, double) { return std::sin(3.0 * x); }, {{Function::kSin}}},
        Problem{"exp", {1, 1}, [](double x, double) { return std::exp(1.5 * x); }, {{Function::kExp}}},
        Problem{"square", {1, 1}, [](double x, double) { return x * x; }, {{Function::kSquare}}},
        Problem{"cos", {1, 1}, [](double x, double) { return 2.0 * std::cos(4.0 * x); }, {{Function::kCos}}},
        Problem{
            "falling", {1, 1}, [](double x, double) { return 1.0 - std::exp(-2.0 * x); }, {{Function::kExp}}},
        Problem{"tanh", {1, 1}, [](double x, double) { return std::tanh(4.0 * x); }, {{Function::kTanh}}},
        Problem{"sin_and_square",
                {2, 1},
                [](double x, double y) { return std::sin(3.0 * x) + 2.0 * y * y; },
                {{Function::kSin, Function::kSquare}}},
        Problem{"exp_and_sin",
                {2, 1},
                [](double x, double y) { return std::exp(x) - std::sin(5.0 * y); },
                {{Function::kExp, Function::kSin}}},
        Problem{"squares",
                {2, 1},
                [](double x, double y) { return x * x - 3.0 * y * y; },
                {{Function::kSquare, Function::kSquare}}},
        Problem{"line_and_exp",
                {2, 1},
                [](double x, double y) { return 2.0 * x + std::exp(2.0 * y); },
                {{Function::kIdentity, Function::kExp}}},
        Problem{"exp_of_sin_and_square",
                {2, 1, 1},
                [](double x, double y) { return std::exp(std::sin(std::numbers::pi * x) + y * y); },
                {{Function::kSin, Function::kSquare}, {Function::kExp}}},
        Problem{"root_of_squares",
                {2, 1, 1},
                [](double x, double y) { return std::sqrt(0.5 + x * x + y * y); },
                {{Function::kSquare, Function::kSquare}, {Function::kSquareRoot}}}),
    [](const testing::TestParamInfo<Problem>& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace kantrig::insight
