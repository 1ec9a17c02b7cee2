// Every decision against the obvious evaluator in double precision: exhaustive on small ranges, random on
// large ones.
#include <gtest/gtest.h>

#include "unit/menu/menu_fixture.hpp"
#include "unit/menu/oracle.hpp"

namespace kantrig::test {
namespace {

struct Agreement {
  std::size_t compared = 0;
  std::size_t too_close = 0;
};

Agreement compare_all(const OracleCondition& condition, const menu::ScoreSpace& space,
                      const std::vector<std::vector<std::int16_t>>& rows) {
  const menu::Menu menu = compiled(menu_of(condition.text), space);
  const Batch batch(rows);
  menu::MenuWorkspace workspace(menu, batch.event_count);
  menu.decide(batch.input(), workspace);
  Agreement agreement;
  for (std::size_t e = 0; e < rows.size(); ++e) {
    const OracleEvent event{space, rows[e]};
    const bool expected = condition.holds(event);
    if (event.too_close) {
      ++agreement.too_close;
      continue;
    }
    ++agreement.compared;
    if (bit(workspace.accepted(), e) == expected) continue;
    ADD_FAILURE() << condition.text << ": event " << e << " expected " << expected << "\n" << menu.describe();
    return agreement;
  }
  return agreement;
}

void compare_random_conditions(const menu::ScoreSpace& space,
                               const std::vector<std::vector<std::int16_t>>& rows, int conditions,
                               std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Agreement total;
  for (int c = 0; c < conditions; ++c) {
    const Agreement one = compare_all(ConditionMaker(space, random).make(3), space, rows);
    total.compared += one.compared;
    total.too_close += one.too_close;
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(total.compared, 20 * total.too_close);
}

const std::vector<std::string> kJets = {"g", "q", "t", "w", "z"};

TEST(Decision, IsThatOfTheRealConditionOnEveryCombinationOfThreeSmallScores) {
  const auto space = space_of({"a", "b", "c"}, 3, -8, 7, 0.25);
  compare_random_conditions(space, all_rows(space), 150, 11);
}

TEST(Decision, IsThatOfTheRealConditionOnEveryCombinationOfFiveTinyScores) {
  const auto space = space_of(kJets, 5, -2, 3, 0.7);
  compare_random_conditions(space, all_rows(space), 60, 12);
}

TEST(Decision, IsThatOfTheRealConditionOnEveryValueOfOneOutput) {
  const auto space = space_of({"no", "yes"}, 1, -300, 301, 0.013);
  compare_random_conditions(space, all_rows(space), 400, 13);
}

TEST(Decision, IsThatOfTheRealConditionOnEveryCombinationOfTwoOutputs) {
  const auto space = space_of({"no", "yes"}, 2, -40, 35, 0.1);
  compare_random_conditions(space, all_rows(space), 200, 14);
}

TEST(Decision, IsThatOfTheRealConditionOnRandomScoresOfSixteenBits) {
  std::mt19937_64 random(15);
  for (const double scale : {1e-5, 1e-4, 3e-3, 1.0}) {
    const auto space = space_of(kJets, 5, -32768, 32767, scale);
    compare_random_conditions(space, random_rows(2000, space, random), 30, 16);
  }
}

TEST(Decision, IsThatOfTheRealConditionOnJetLikeScores) {
  std::mt19937_64 random(17);
  const auto space = space_of(kJets, 5, -128, 127, 0.0625);
  compare_random_conditions(space, random_rows(5000, space, random), 150, 18);
}

TEST(Decision, ComparesDifferencesOfScoresWithDifferentScales) {
  menu::ScoreSpace space = space_of({"a", "b", "c"}, 3, -20, 20, 0.25);
  space.scores[1] = {-30, 11, 0.1};
  space.scores[2] = {-7, -3, 1.7};
  const auto rows = all_rows(space);
  for (const std::string text : {"score(a) - score(b) >= 0.5", "score(b) - score(c) < 9.1",
                                 "score(c) - score(a) <= -2.1", "score(b) - score(a) > 0"}) {
    const char a = text[6];
    const char b = text[17];
    const std::string sign = text.substr(20, text.find(' ', 20) - 20);
    const double limit = std::stod(text.substr(text.rfind(' ')));
    const OracleCondition condition{text, [=](const OracleEvent& e) {
                                      return compare(e.score(static_cast<std::size_t>(a - 'a')) -
                                                         e.score(static_cast<std::size_t>(b - 'a')),
                                                     sign, limit);
                                    }};
    EXPECT_EQ(compare_all(condition, space, rows).compared, rows.size());
  }
}

TEST(Decision, IsExactWhereEqualScoresMakeTheProbabilityEqualToTheLimit) {
  const auto count = [](const std::string& condition, std::size_t outputs, std::vector<std::string> classes) {
    const auto space = space_of(std::move(classes), outputs, 4, 4, 0.3);
    const menu::Menu menu = compiled(menu_of(condition), space);
    menu::MenuWorkspace workspace(menu, 64);
    menu.decide(Batch(all_rows(space)).input(), workspace);
    return workspace.line_counts()[0].after_veto;
  };
  const std::vector<std::string> four = {"a", "b", "c", "d"};
  EXPECT_EQ(count("prob(a) >= 0.25", 4, four), 1U);
  EXPECT_EQ(count("prob(a) > 0.25", 4, four), 0U);
  EXPECT_EQ(count("prob(a) <= 0.25", 4, four), 1U);
  EXPECT_EQ(count("prob(a) < 0.25", 4, four), 0U);
  EXPECT_EQ(count("prob(z) >= 0.2", 5, kJets), 1U);
  EXPECT_EQ(count("prob(z) > 0.2", 5, kJets), 0U);
  EXPECT_EQ(count("prob(b) >= 0.5", 2, {"a", "b"}), 1U);
  EXPECT_EQ(count("prob(b) > 0.5", 2, {"a", "b"}), 0U);
}

TEST(Decision, OnExtremeProbabilitiesKeepsTheOrder) {
  std::mt19937_64 random(21);
  const auto space = space_of(kJets, 5, -128, 127, 0.2);
  const auto rows = random_rows(4000, space, random);
  for (const std::string limit : {"1e-9", "1e-6", "0.999999"}) {
    for (const std::string sign : {">=", "<"}) {
      const double t = std::stod(limit);
      const OracleCondition condition{"prob(t) " + sign + " " + limit, [=](const OracleEvent& e) {
                                        const double p = e.probability(2);
                                        e.too_close |= std::abs(p - t) < 2e-9 * t * (1.0 - t);
                                        return compare(p, sign, t);
                                      }};
      EXPECT_GT(compare_all(condition, space, rows).compared, 3990U);
    }
  }
}

}  // namespace
}  // namespace kantrig::test
