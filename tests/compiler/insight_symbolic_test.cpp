// Formulas of edges and models: known ones are found again from splines that were fitted to them.
#include "compiler/insight/symbolic.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "compiler/insight/expression.hpp"
#include "compiler/insight/measure.hpp"
#include "compiler/known_kans.hpp"
#include "compiler/learned/checkpoint.hpp"
#include "compiler/learned/random.hpp"
#include "support/command.hpp"
#include "support/temporary_folder.hpp"

namespace kantrig::insight {
namespace {

using learned::Function;
using learned::LearnedKan;
using test::known_kan;
using test::known_layer;
using test::RealFunction;
using test::set_edge;
using testing::HasSubstr;

std::vector<Proposal> proposals_of(const LearnedKan& kan, const SymbolicOptions& options = {}) {
  const auto curves = curves_of(kan, nullptr);
  EXPECT_TRUE(curves);
  return propose(kan, *curves, options);
}

struct EdgeCase {
  const char* name;
  double low;
  double high;
  RealFunction function;
  Function expected;
};

class KnownEdge : public testing::TestWithParam<EdgeCase> {};

TEST_P(KnownEdge, IsFoundFromItsSpline) {
  const EdgeCase& one = GetParam();
  LearnedKan kan = known_kan({"x"}, {known_layer(1, 1, one.low, one.high)});
  set_edge(kan.layers[0], 0, 0, one.function);
  const auto proposals = proposals_of(kan);
  ASSERT_EQ(proposals.size(), 1U);
  const Candidate& best = proposals[0].candidates[0];
  EXPECT_EQ(learned::name_of(best.formula.function), learned::name_of(one.expected));
  EXPECT_GT(best.r2, 0.999);
  EXPECT_TRUE(proposals[0].accepted);
  const double width = one.high - one.low;
  double largest = 0.0;
  for (double x = one.low; x <= one.high; x += width / 50.0)
    largest = std::max(largest, std::abs(one.function(x)));
  for (double x = one.low + 0.02 * width; x < one.high - 0.02 * width; x += width / 37.0)
    EXPECT_NEAR(best.formula.at(x), one.function(x), 0.02 * largest) << "at " << x;
}

INSTANTIATE_TEST_SUITE_P(
    Library, KnownEdge,
    testing::Values(
        EdgeCase{"line", -2, 2, [](double x) { return 3.0 * x - 1.0; }, Function::kIdentity},
        EdgeCase{"square", -2, 2, [](double x) { return 0.7 * x * x - 1.0; }, Function::kSquare},
        EdgeCase{"shifted_square", -2, 2, [](double x) { return -(x - 1.2) * (x - 1.2); }, Function::kSquare},
        EdgeCase{"cube", -2, 2, [](double x) { return 0.5 * x * x * x; }, Function::kCube},
        EdgeCase{"fourth", -2, 2, [](double x) { return x * x * x * x; }, Function::kFourth},
        EdgeCase{"exp", -2, 2, [](double x) { return 2.0 * std::exp(0.9 * x); }, Function::kExp},
        EdgeCase{"falling_exp", 0, 5, [](double x) { return std::exp(-x); }, Function::kExp},
        EdgeCase{"sin", -2, 2, [](double x) { return std::sin(3.0 * x); }, Function::kSin},
        EdgeCase{"fast_sin", -1, 1, [](double x) { return 4.0 * std::sin(11.0 * x + 0.3); }, Function::kSin},
        EdgeCase{"cos", -2, 2, [](double x) { return std::cos(5.0 * x); }, Function::kCos},
        EdgeCase{"log", 0.2, 5, [](double x) { return std::log(x); }, Function::kLog},
        EdgeCase{"sqrt", 0.1, 4, [](double x) { return std::sqrt(x); }, Function::kSquareRoot},
        EdgeCase{"reciprocal", 0.5, 4, [](double x) { return 1.0 / x; }, Function::kReciprocal},
        EdgeCase{"pole_at_the_right", -3, 0.5, [](double x) { return 1.0 / (1.0 - x); },
                 Function::kReciprocal},
        EdgeCase{"reciprocal_square", 0.8, 4, [](double x) { return 1.0 / (x * x); },
                 Function::kReciprocalSquare},
        EdgeCase{"tanh", -2, 2, [](double x) { return std::tanh(4.0 * x); }, Function::kTanh},
        EdgeCase{"gaussian", -2, 2, [](double x) { return std::exp(-4.0 * x * x); }, Function::kGaussian},
        EdgeCase{"abs", -2, 2, [](double x) { return std::abs(x - 0.4); }, Function::kAbs},
        EdgeCase{"tan", -1, 1, [](double x) { return std::tan(1.3 * x); }, Function::kTan}),
    [](const testing::TestParamInfo<EdgeCase>& one) { return std::string(one.param.name); });

// Whole models: features, layers, and the expected formula to three digits.
struct ModelCase {
  const char* name;
  LearnedKan kan;
  std::string formula;
};

std::vector<ModelCase> known_models() {
  const auto sum = [](std::vector<RealFunction> functions, double low, double high) {
    learned::Layer layer = known_layer(static_cast<std::uint32_t>(functions.size()), 1, low, high);
    for (std::uint32_t j = 0; j < functions.size(); ++j) set_edge(layer, j, 0, functions[j]);
    return layer;
  };
  const RealFunction square = [](double x) { return x * x; };
  const RealFunction same = [](double x) { return x; };
  const RealFunction sine = [](double x) { return std::sin(3.0 * x); };
  std::vector<ModelCase> models;
  models.push_back({"sin", known_kan({"x"}, {sum({sine}, -2, 2)}), "sin(3 x)"});
  models.push_back({"exp", known_kan({"x"}, {sum({[](double x) { return std::exp(x); }}, -2, 2)}), "exp(x)"});
  models.push_back({"square", known_kan({"x"}, {sum({square}, -2, 2)}), "x^2"});
  models.push_back({"circle", known_kan({"x", "y"}, {sum({square, square}, -2, 2)}), "x^2 + y^2"});
  models.push_back({"sin and square",
                    known_kan({"x", "y"}, {sum({sine, [](double x) { return 2.0 * x * x; }}, -1.5, 1.5)}),
                    "sin(3 x) + 2 y^2"});
  models.push_back({"line and exp",
                    known_kan({"x", "y"}, {sum({same, [](double x) { return std::exp(-2.0 * x); }}, -1, 1)}),
                    "x + exp(-2 y)"});
  models.push_back({"exp of sin and square",
                    known_kan({"x", "y"}, {sum({sine, square}, -1, 1),
                                           sum({[](double x) { return std::exp(x); }}, -1.1, 2.1)}),
                    "exp(sin(3 x) + y^2)"});
  learned::Layer plus_minus = known_layer(2, 2, -1, 1);  // x y = ((x + y)^2 - (x - y)^2) / 4
  set_edge(plus_minus, 0, 0, same);
  set_edge(plus_minus, 1, 0, same);
  set_edge(plus_minus, 0, 1, same);
  set_edge(plus_minus, 1, 1, [](double x) { return -x; });
  models.push_back({"product",
                    known_kan({"x", "y"}, {plus_minus, sum({[](double x) { return 0.25 * x * x; },
                                                            [](double x) { return -0.25 * x * x; }},
                                                           -2.1, 2.1)}),
                    "0.25 (x + y)^2 - 0.25 (x - y)^2"});
  models.push_back({"root",
                    known_kan({"x", "y"}, {sum({square, square}, -2, 2),
                                           sum({[](double x) { return std::sqrt(1.0 + x); }}, -0.2, 8.2)}),
                    "sqrt(x^2 + y^2 + 1)"});
  models.push_back({"logarithm",
                    known_kan({"x", "y"}, {sum({same, square}, -1, 1),
                                           sum({[](double x) { return std::log(1.5 + x); }}, -1.1, 2.1)}),
                    "log(x + y^2 + 1.5)"});
  models.push_back(
      {"three",
       known_kan({"x", "y", "z"}, {sum({sine, square, [](double x) { return 3.0 * std::exp(x); }}, -1, 1)}),
       "sin(3 x) + y^2 + 3 exp(z)"});
  models.push_back({"cos",
                    known_kan({"t"}, {sum({[](double x) { return 2.0 * std::cos(5.0 * x) + 7.0; }}, -1, 1)}),
                    "2 cos(5 t) + 7"});
  return models;
}

TEST(Symbolic, RecoversKnownFormulasOfWholeModels) {
  const auto models = known_models();
  ASSERT_GE(models.size(), 10U);
  for (const ModelCase& one : models) {
    SCOPED_TRACE(one.name);
    const auto proposals = proposals_of(one.kan);
    for (const Proposal& proposal : proposals) EXPECT_GT(proposal.candidates[0].r2, 0.999);
    const LearnedKan made = with_formulas(one.kan, proposals);
    const auto text = model_text(made, {"f"}, 3);
    EXPECT_EQ(text.outputs[0].text, one.formula);
    EXPECT_TRUE(text.curves.empty());
    for (const double r2 : agreement(one.kan, made, drawn_events(one.kan, 500))) EXPECT_GT(r2, 0.999);
  }
}

TEST(Symbolic, DropsWhatDoesNothingAndKeepsWhatNoFunctionFits) {
  learned::Layer layer = known_layer(3, 1, -2, 2);
  set_edge(layer, 0, 0, [](double x) { return std::sin(2.0 * x); });
  set_edge(layer, 1, 0, [](double) { return 0.25; });
  learned::Random random(11);
  for (std::uint32_t b = 0; b < layer.basis_count(); ++b)
    layer.coefficients[2 * layer.basis_count() + b] = random.uniform(-1.0, 1.0);
  const LearnedKan kan = known_kan({"a", "b", "noise"}, {layer});
  const auto proposals = proposals_of(kan);
  EXPECT_TRUE(proposals[1].constant);
  EXPECT_FALSE(proposals[2].accepted);
  const auto text = model_text(with_formulas(kan, proposals), {"f"}, 3);
  EXPECT_EQ(text.outputs[0].text, "sin(2 a) + f0_2_0(noise) + 0.25");
  EXPECT_THAT(text.curves, testing::ElementsAre("f0_2_0"));
}

TEST(Symbolic, WritesFeaturesInTheirOwnUnits) {
  LearnedKan kan = known_kan({"mass"}, {known_layer(1, 1, -2, 2)});
  set_edge(kan.layers[0], 0, 0, [](double x) { return std::sin(2.0 * x); });
  kan.inputs[0].gain = 0.05;
  kan.inputs[0].shift = -1.0;
  const auto text = model_text(with_formulas(kan, proposals_of(kan)), {"f"}, 3);
  EXPECT_EQ(text.outputs[0].text, "sin(0.1 mass - 2)");
}

TEST(Symbolic, NamesHiddenNodesWhereOneExpressionWouldBeTooLong) {
  learned::Layer first =
      learned::make_layer(learned::EdgeKind::kLinear, 20, 8, {}, learned::BaseFunction::kNone);
  for (double& weight : first.weights) weight = 0.5;
  learned::Layer second = known_layer(8, 1, -30, 30);
  for (std::uint32_t j = 0; j < 8; ++j) set_edge(second, j, 0, [](double x) { return x * x; });
  std::vector<std::string> names;
  for (int j = 0; j < 20; ++j) names.push_back(std::string("x").append(std::to_string(j)));
  const LearnedKan kan = known_kan(names, {first, second});
  const auto text = model_text(with_formulas(kan, proposals_of(kan)), {"f"}, 3);
  ASSERT_EQ(text.nodes.size(), 8U);
  EXPECT_THAT(text.nodes[0].text, HasSubstr("0.5 x0 + 0.5 x1"));
  EXPECT_THAT(text.outputs[0].text, HasSubstr("h0_0^2 + h0_1^2"));
}

TEST(Expression, MergesEqualTermsAndConstantsAndKeepsSigns) {
  const Term x{.name = "x"};
  Sum sum{.constant = -1.0, .terms = {x, x}};
  sum.terms.push_back({.coefficient = -3.0,
                       .function = Function::kReciprocal,
                       .is_function = true,
                       .inner = {.constant = 2.0, .terms = {x}}});
  EXPECT_EQ(text_of(sum, 4), "2 x - 3/(x + 2) - 1");
  EXPECT_EQ(text_of({.constant = 0.0}, 4), "0");
  EXPECT_EQ(text_of({.constant = 1e-9, .terms = {x}}, 4), "x");
  EXPECT_EQ(text_of({.terms = {{.coefficient = -1.0, .name = "x"}}}, 4), "-x");
}

TEST(Symbolic, TakesFactorsOutOfArguments) {
  LearnedKan kan = known_kan(
      {"x"}, {learned::make_layer(learned::EdgeKind::kLinear, 1, 1, {}, learned::BaseFunction::kNone)});
  kan.inputs[0].gain = 2.0;
  const std::pair<Function, const char*> cases[] = {{Function::kSquare, "12 (x + 0.5)^2"},
                                                    {Function::kReciprocal, "1.5/(x + 0.5)"},
                                                    {Function::kSquareRoot, "4.243 sqrt(x + 0.5)"},
                                                    {Function::kLog, "3 log(x + 0.5) + 2.079"},
                                                    {Function::kExp, "8.155 exp(2 x)"},
                                                    {Function::kSin, "3 sin(2 x + 1)"}};
  for (const auto& [function, text] : cases) {
    kan.layers[0].formulas[0] = {
        .function = function, .inner_scale = 1.0, .inner_offset = 1.0, .outer_scale = 3.0};
    EXPECT_EQ(model_text(kan, {"f"}, 4).outputs[0].text, text);
  }
}

TEST(Symbolic, LooksAtTheMostImportantEdgesOnly) {
  learned::Layer layer =
      learned::make_layer(learned::EdgeKind::kLinear, 6, 1, {}, learned::BaseFunction::kNone);
  for (std::size_t j = 0; j < 6; ++j) layer.weights[j] = 1.0 + static_cast<double>(j);
  const auto proposals = proposals_of(known_kan({"a", "b", "c", "d", "e", "f"}, {layer}), {.edges_max = 2});
  for (std::size_t j = 0; j < 6; ++j) {
    EXPECT_EQ(proposals[j].accepted, j >= 4);
    EXPECT_EQ(proposals[j].left_out, j < 4);
  }
}

TEST(SymbolicCommand, PrintsTheFormulaAndFixesTheCheckpoint) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "known.kan";
  const auto fixed = folder.path() / "fixed.kan";
  const LearnedKan kan = known_models()[6].kan;
  ASSERT_TRUE(learned::write_checkpoint(kan, path));
  const std::string kanc = std::string(KANTRIG_BINARY_DIR) + "/bin/kanc symbolic ";
  const auto printed = test::run_command(kanc + path.string() + " --digits 3 --fix " + fixed.string());
  EXPECT_EQ(printed.exit_code, 0);
  EXPECT_THAT(printed.output, HasSubstr("output = exp(sin(3 x) + y^2)"));
  const auto read = learned::read_checkpoint(fixed);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->layers[0].formulas.size(), 2U);
  EXPECT_EQ(read->layers[1].formulas.size(), 1U);
  const auto json = test::run_command(kanc + fixed.string() + " --json");
  EXPECT_THAT(json.output, HasSubstr("\"formula before\""));
  EXPECT_EQ(test::run_command(kanc + "nowhere.kan 2>&1").exit_code, 3);
}

}  // namespace
}  // namespace kantrig::insight
