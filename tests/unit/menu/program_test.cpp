#include "menu/program.hpp"

#include <gmock/gmock.h>

#include <limits>
#include <string>

#include "unit/menu/menu_fixture.hpp"

namespace kantrig::menu {
namespace {

using test::space_of;
using testing::HasSubstr;

ScoreSpace jets() {
  return space_of({"g", "q", "t", "w", "z"}, 5, -64, 63, 0.125);
}

std::string form(const std::string& text, const ScoreSpace& space = jets()) {
  ProgramBuilder builder(space);
  const auto added = builder.add_line(parse_expression(text, space).value());
  return added ? *added : added.error().message;
}

Program program_of(const std::vector<std::string>& conditions, const ScoreSpace& space = jets()) {
  ProgramBuilder builder(space);
  for (const std::string& text : conditions) {
    EXPECT_TRUE(builder.add_line(parse_expression(text, space).value()));
  }
  return builder.finish();
}

std::size_t count(const Program& program, Node::Kind kind) {
  std::size_t found = 0;
  for (const Node& node : program.nodes) found += node.kind == kind ? 1 : 0;
  return found;
}

TEST(Program, ShowsScoresAsIntegers) {
  EXPECT_EQ(form("score(t) >= 1.6"), "y_t >= 13");
  EXPECT_EQ(form("score(t) >= 1.625"), "y_t >= 13");
  EXPECT_EQ(form("score(t) > 1.625"), "y_t >= 14");
  EXPECT_EQ(form("score(t) < 1.625"), "y_t < 13");
  EXPECT_EQ(form("score(t) <= 1.625"), "y_t < 14");
  EXPECT_EQ(form("score(w) - score(q) > -0.5"), "y_w - y_q >= -3");
  EXPECT_EQ(form("class == t and not (score(t) < 0 or class != q)"),
            "class == t and not (y_t < 0 or not (class == q))");
  EXPECT_EQ(form("score(s) > 0", space_of({"b", "s"}, 1, -8, 7, 0.5)), "y >= 1");
}

TEST(Program, ShowsTheScoreOfADistanceAsAnInteger) {
  ScoreSpace space = space_of({"normal", "anomaly"}, 1, 0, 4032, 0.3);
  space.distance = true;
  EXPECT_EQ(form("score(anomaly) >= 12.5", space), "y >= 42");
  EXPECT_EQ(form("score(anomaly) > 12.6", space), "y >= 43") << "42 x 0.3 is 12.6 in double";
  EXPECT_EQ(form("score(anomaly) >= 0", space), "true (y is at least 0)");
  EXPECT_EQ(form("score(anomaly) > 1209.7", space), "false (y is at most 4032)");
}

TEST(Program, SaysWhenAComparisonIsAlwaysTrueOrFalse) {
  EXPECT_EQ(form("score(t) >= 100"), "false (y_t is at most 63)");
  EXPECT_EQ(form("score(t) < 100"), "true (y_t is at most 63)");
  EXPECT_EQ(form("score(t) >= -8"), "true (y_t is at least -64)");
  EXPECT_EQ(form("score(t) < -8"), "false (y_t is at least -64)");
}

TEST(Program, ShowsProbabilities) {
  EXPECT_EQ(form("prob(s) >= 0.9", space_of({"b", "s"}, 1, -80, 70, 0.125)), "y >= 18");
  EXPECT_EQ(form("prob(b) >= 0.9", space_of({"b", "s"}, 1, -80, 70, 0.125)), "y < -17");
  EXPECT_EQ(form("prob(b) < 0.9", space_of({"b", "s"}, 2, -80, 70, 0.125)), "y_b - y_s < 18");
  EXPECT_EQ(form("prob(t) >= 0.5"), "[sum over j of round(2^30 exp(-0.125 (y_t - y_j))) <= 1073741824]");
}

TEST(Program, HoldsEachComparisonOnce) {
  const Program program = program_of({"class == t and prob(t) >= 0.6", "prob(t) >= 0.6 or class == t",
                                      "score(t) >= 1.6 and not class == t", "score(t) < 1.625"});
  EXPECT_EQ(count(program, Node::Kind::kClass), 1U);
  EXPECT_EQ(count(program, Node::Kind::kProbability), 1U);
  EXPECT_EQ(count(program, Node::Kind::kScore), 1U);
  EXPECT_EQ(program.lines[3].negated, true);
}

TEST(Program, HoldsOneTableForProbabilitiesOfTheSameSize) {
  const Program program =
      program_of({"prob(t) >= 0.6", "prob(w) >= 0.6", "prob(w) >= 0.55", "prob(w) < 0.01"});
  EXPECT_EQ(program.probabilities.size(), 4U);
  EXPECT_EQ(program.exp_tables.size(), 2U);
}

TEST(Program, MasksAProbabilityThatOneConjunctionNeeds) {
  const auto masked = [](const Program& program) {
    std::size_t found = 0;
    for (const Node& node : program.nodes) found += node.masked ? 1 : 0;
    return found;
  };
  EXPECT_EQ(masked(program_of({"class == t and prob(t) >= 0.6"})), 1U);
  EXPECT_EQ(masked(program_of({"(class == t and prob(t) >= 0.6) and score(t) > 0"})), 1U);
  EXPECT_EQ(masked(program_of({"class == t and prob(t) >= 0.6", "class == q and prob(t) >= 0.6"})), 0U);
  EXPECT_EQ(masked(program_of({"prob(t) >= 0.6"})), 0U);
}

TEST(Program, DropsWhatItDoesNotNeed) {
  EXPECT_EQ(program_of({"any or class == t"}).nodes.size(), 1U);
  EXPECT_EQ(program_of({"class == t and not class == t"}).nodes.size(), 1U);
  EXPECT_EQ(program_of({"(class == t and score(t) > 0) and score(q) > 0"}).nodes.size(), 5U);
}

TEST(Program, RefusesProbabilitiesOfScoresWithDifferentScales) {
  ScoreSpace space = jets();
  space.scores[3].scale = 0.25;
  EXPECT_EQ(
      form("prob(t) > 0.5", space),
      "prob(...) needs outputs of one scale, but y_g has 0.125 and y_w has 0.25: compare scores instead");
  EXPECT_THAT(form("score(w) - score(q) > 0.5", space), HasSubstr("y_w >= table of 128 thresholds over y_q"));
}

TEST(Program, RefusesAScaleThatIsNotPositive) {
  for (const double scale : {0.0, -1.0, std::numeric_limits<double>::infinity(), std::nan("")}) {
    const auto space = space_of({"a", "b", "c"}, 3, 0, 1, scale);
    for (const char* text : {"score(a) > 0", "score(a) - score(b) > 0", "prob(a) > 0.5"}) {
      EXPECT_THAT(form(text, space), HasSubstr("expected one above 0")) << scale << " " << text;
    }
    EXPECT_EQ(form("class == a", space), "class == a");
  }
}

TEST(Program, IsBounded) {
  const auto space = space_of({"a", "b", "c"}, 3, -32768, 32767, 1e-4);
  ProgramBuilder comparisons(space);
  std::string text = "any";
  for (int i = 1; i < 200; ++i) text += " or any";
  const Expression wide = parse_expression(text, space).value();
  for (int l = 0; l < 5; ++l) EXPECT_TRUE(comparisons.add_line(wide));
  EXPECT_EQ(comparisons.add_line(wide).error().message, "the menu has more than 1024 comparisons");

  ScoreSpace scales = space;
  scales.scores[1].scale = 2e-4;
  ProgramBuilder tables(scales);
  std::string message;
  for (int i = 0; i < 200 && message.empty(); ++i) {
    const auto added =
        tables.add_line(parse_expression(fmt::format("score(a) - score(b) > {}", 0.01 * i), scales).value());
    if (!added) message = added.error().message;
  }
  EXPECT_EQ(message,
            "the tables of this menu need more than 33554432 bytes: use fewer different comparisons");
}

}  // namespace
}  // namespace kantrig::menu
