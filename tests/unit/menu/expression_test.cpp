#include "menu/expression.hpp"

#include <gmock/gmock.h>

#include <string>

#include "unit/menu/menu_fixture.hpp"

namespace kantrig::menu {
namespace {

using test::space_of;
using testing::HasSubstr;

ScoreSpace jets() {
  return space_of({"g", "q", "t", "w", "z"}, 5, -64, 63, 0.125);
}

/// The tree with every parenthesis written out.
std::string tree(const Expression& e) {
  switch (e.kind) {
    case Expression::Kind::kAny:
      return "any";
    case Expression::Kind::kClass:
      return fmt::format("c{}", e.first);
    case Expression::Kind::kScore:
      return fmt::format("s{}", e.first);
    case Expression::Kind::kScoreDifference:
      return fmt::format("s{}-s{}", e.first, e.second);
    case Expression::Kind::kProbability:
      return fmt::format("p{}", e.first);
    case Expression::Kind::kNot:
      return fmt::format("!{}", tree(e.operands[0]));
    default:
      break;
  }
  std::string text = "(";
  for (const Expression& operand : e.operands) {
    if (text.size() > 1) text += e.kind == Expression::Kind::kAnd ? "&" : "|";
    text += tree(operand);
  }
  return text + ")";
}

std::string parsed(const std::string& text, const ScoreSpace& space = jets()) {
  const auto result = parse_expression(text, space);
  return result ? tree(*result) : result.error().message;
}

TEST(Expression, BindsNotBeforeAndBeforeOr) {
  EXPECT_EQ(parsed("class == g or not class == q and class == t"), "(c0|(!c1&c2))");
  EXPECT_EQ(parsed("(class == g or class == q) and any"), "((c0|c1)&any)");
  EXPECT_EQ(parsed("not not any"), "!!any");
  EXPECT_EQ(parsed("any and any and any"), "(any&any&any)");
}

TEST(Expression, ReadsEveryKindOfComparison) {
  EXPECT_EQ(parsed("class != z"), "!c4");
  EXPECT_EQ(parsed("score(t)>=0.5"), "s2");
  EXPECT_EQ(parsed("score ( w )\n -\tscore( q ) < -1e-3"), "s3-s1");
  EXPECT_EQ(parsed("prob(g) <= .25"), "p0");
  EXPECT_EQ(parsed("class=='t'"), "c2");
}

TEST(Expression, KeepsComparisonAndValue) {
  const auto check = [](const char* text, Comparison comparison, double value) {
    const auto result = parse_expression(text, jets());
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->comparison, comparison);
    EXPECT_EQ(result->value, value);
  };
  check("score(t) >= 0.5", Comparison::kAtLeast, 0.5);
  check("score(t) > -12", Comparison::kAbove, -12.0);
  check("score(t) <= +2.5e1", Comparison::kAtMost, 25.0);
  check("score(t) < 0", Comparison::kBelow, 0.0);
}

TEST(Expression, TakesClassNamesThatLookLikeOtherThings) {
  const auto space = space_of({"0", "and", "b-jet"}, 3, 0, 1, 1.0);
  EXPECT_EQ(parsed("class == 0 and class == and and class == 'b-jet'", space), "(c0&c1&c2)");
  EXPECT_EQ(parsed("score('b-jet') - score(0) > 1", space), "s2-s0");
}

TEST(Expression, OfOneOutputHasTheScoreOfClassOneOnly) {
  const auto space = space_of({"background", "signal"}, 1, 0, 1, 1.0);
  EXPECT_EQ(parsed("score(signal) > 0 and prob(background) < 0.1 and class == background", space),
            "(s0&p0&c0)");
  EXPECT_EQ(
      parsed("score(background) > 0", space),
      "character 6: class \"background\" has no score: a model of one output has only that of \"signal\"");
}

TEST(Expression, OfADistanceHasScoresAndClassesAndNoProbabilities) {
  ScoreSpace space = space_of({"normal", "anomaly"}, 1, 0, 4032, 0.25);
  space.distance = true;
  ASSERT_TRUE(check_space(space));
  EXPECT_EQ(parsed("score(anomaly) >= 12.5", space), "s0");
  EXPECT_EQ(parsed("class == anomaly", space), "c1");
  EXPECT_EQ(parsed("score(normal) > 1", space),
            "character 6: class \"normal\" has no score: a model of one output has only that of \"anomaly\"");
  EXPECT_EQ(
      parsed("any and prob(anomaly) > 0.5", space),
      "character 13: prob(...) is not known: this model scores a distance, compare score(anomaly) instead");
}

TEST(Expression, NamesTheCharacterAndWhatWasExpected) {
  EXPECT_EQ(parsed("class == h"), "character 10: unknown class \"h\", expected one of g q t w z");
  EXPECT_EQ(parsed("class == "),
            "character 10: expected a class name (expected one of g q t w z), found the end");
  EXPECT_EQ(parsed("class = t"), "character 7: expected \"==\" or \"!=\" after class, found \"=\"");
  EXPECT_EQ(
      parsed(""),
      "character 1: expected a condition: class, score(...), prob(...), any, not or \"(\", found the end");
  EXPECT_EQ(
      parsed("klass == t"),
      "character 1: expected a condition: class, score(...), prob(...), any, not or \"(\", found \"klass\"");
  EXPECT_EQ(parsed("score t"), "character 7: expected \"(\" and a class name, found \"t\"");
  EXPECT_EQ(parsed("score(t"), "character 8: expected \")\", found the end");
  EXPECT_EQ(parsed("score(t)"), "character 9: expected a comparison: >=, >, <= or <, found the end");
  EXPECT_EQ(parsed("score(t) == 1"), "character 10: expected a comparison: >=, >, <= or <, found \"=\"");
  EXPECT_EQ(parsed("score(t) >= x"), "character 13: expected a number, found \"x\"");
  EXPECT_EQ(parsed("score(t) >= 1x"), "character 13: expected a number, found \"1x\"");
  EXPECT_EQ(parsed("score(t) >= 1.2.3"), "character 13: expected a number, found \"1\"");
  EXPECT_EQ(parsed("score(t) >= inf"), "character 13: expected a number, found \"inf\"");
  EXPECT_EQ(parsed("score(t) >= nan"), "character 13: expected a number, found \"nan\"");
  EXPECT_EQ(parsed("score(t) >= 1e999"), "character 13: the number is out of range");
  EXPECT_EQ(parsed("score(t) - prob(q) >= 1"),
            "character 12: expected score(...) after \"-\", found \"prob\"");
  EXPECT_EQ(parsed("score(t) - score(t) >= 1"),
            "character 17: the difference of a score and itself is always 0");
  EXPECT_EQ(parsed("prob(t) >= 1"),
            "character 12: expected a probability strictly between 0 and 1 (1e-9 to 1 - 1e-9)");
  EXPECT_EQ(parsed("prob(t) >= 0"),
            "character 12: expected a probability strictly between 0 and 1 (1e-9 to 1 - 1e-9)");
  EXPECT_EQ(parsed("any any"), "character 5: expected \"and\", \"or\" or the end, found \"any\"");
  EXPECT_EQ(parsed("(any"), "character 5: expected \")\", \"and\" or \"or\", found the end");
  EXPECT_EQ(parsed("any)"), "character 4: expected \"and\", \"or\" or the end, found \")\"");
  EXPECT_EQ(parsed("class == 't"), "character 10: a class name is opened by ' and not closed");
}

TEST(Expression, SaysWhenTheModelNamesNoClasses) {
  const auto space = space_of({}, 3, 0, 1, 1.0);
  EXPECT_EQ(parsed("class == t", space), "character 10: unknown class \"t\", this model names no classes");
  EXPECT_EQ(parsed("any", space), "any");
}

TEST(Expression, IsBoundedInDepthAndLength) {
  const std::string deepest = std::string(32, '(') + "any" + std::string(32, ')');
  EXPECT_EQ(parsed(deepest), "any");
  EXPECT_THAT(parsed("(" + deepest + ")"),
              HasSubstr("more than 32 parentheses and \"not\" inside each other"));
  std::string nots;
  for (int i = 0; i < 33; ++i) nots += "not ";
  EXPECT_THAT(parsed(nots + "any"), HasSubstr("more than 32 parentheses"));
  EXPECT_EQ(parsed(std::string(5000, ' ')), "the condition has 5000 characters, at most 4096 are allowed");
}

TEST(ScoreSpace, IsRefusedWhenItsSizesOrRangesAreWrong) {
  const auto error = [](const ScoreSpace& space) {
    const auto result = check_space(space);
    return result ? "" : result.error().message;
  };
  EXPECT_EQ(error(jets()), "");
  EXPECT_EQ(error(space_of({}, 0, 0, 1, 1.0)), "the model has 0 outputs, a menu needs 1 to 256");
  EXPECT_EQ(error(space_of({"a"}, 3, 0, 1, 1.0)),
            "the model names 1 classes for 3 outputs, expected 3 or none");
  EXPECT_EQ(error(space_of({"a"}, 1, 0, 1, 1.0)),
            "the model names 1 classes for 1 outputs, expected 2 or none");
  ScoreSpace distances = space_of({}, 2, 0, 1, 1.0);
  distances.distance = true;
  EXPECT_EQ(error(distances), "the model scores a distance and has 2 outputs, expected 1");
  EXPECT_EQ(error(space_of({}, 2, 1, 0, 1.0)),
            "output 0 of the model ranges from 1 to 0, expected a range of 16-bit integers");
  EXPECT_EQ(error(space_of({}, 2, 0, 40000, 1.0)),
            "output 0 of the model ranges from 0 to 40000, expected a range of 16-bit integers");
}

}  // namespace
}  // namespace kantrig::menu
