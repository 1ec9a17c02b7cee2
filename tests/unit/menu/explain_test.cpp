// Why a condition holds: every comparison as the compiled menu decides it.
#include "menu/explain.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <random>

namespace kantrig::menu {
namespace {

using testing::HasSubstr;

ScoreSpace five_classes() {
  return {.classes = {"g", "q", "t", "w", "z"},
          .scores = std::vector<ScoreRange>(5, {.low = -64, .high = 63, .scale = 0.0625})};
}

/// What the compiled menu says about one event.
bool decided(std::string_view condition, const ScoreSpace& space, std::span<const std::int16_t> scores,
             std::uint8_t event_class) {
  const std::string text =
      fmt::format("version = 1\nname = \"m\"\n[[line]]\nname = \"l\"\nwhen = \"{}\"\n", condition);
  const auto menu = Menu::compile(text, space, "m.toml");
  EXPECT_TRUE(menu) << menu.error().message;
  std::vector<std::array<std::int16_t, 64>> columns(scores.size());
  std::vector<const std::int16_t*> pointers;
  for (std::size_t k = 0; k < scores.size(); ++k) {
    columns[k].fill(0);
    columns[k][0] = scores[k];
    pointers.push_back(columns[k].data());
  }
  std::array<std::uint8_t, 64> classes{};
  classes[0] = event_class;
  MenuWorkspace workspace(*menu, 1);
  menu->decide({.scores = pointers, .classes = classes.data(), .malformed = {}, .event_count = 1}, workspace);
  return (workspace.accepted()[0] & 1U) != 0;
}

TEST(ExplainCondition, AgreesWithTheCompiledMenuOnRandomEvents) {
  const ScoreSpace space = five_classes();
  constexpr unsigned kSeed = 20250401;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  std::uniform_int_distribution<int> score(-64, 63);
  const char* const conditions[] = {
      "class == t",
      "class != t",
      "prob(t) >= 0.3",
      "prob(q) < 0.1",
      "score(t) > 1.5",
      "any",
      "score(w) - score(q) >= 1.0",
      "not (class == g or class == q)",
      "class == t and (prob(t) >= 0.6 or score(t) - score(q) > 1.5)",
      "(score(w) - score(q) >= 1.0 or score(z) - score(q) >= 1.0) and prob(g) < 0.2"};
  for (int event = 0; event < 100; ++event) {
    std::array<std::int16_t, 5> scores{};
    for (std::int16_t& one : scores) one = static_cast<std::int16_t>(score(random));
    const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
    const auto event_class = static_cast<std::uint8_t>(best);
    for (const char* condition : conditions) {
      const auto part = explain_condition(condition, space, scores, event_class);
      ASSERT_TRUE(part) << part.error().message;
      EXPECT_EQ(part->holds, decided(condition, space, scores, event_class)) << condition;
    }
  }
}

TEST(ExplainCondition, TellsEveryComparisonWithItsValues) {
  const std::array<std::int16_t, 5> scores{0, 0, 16, 0, 0};
  const auto part = explain_condition("class == t and (prob(t) >= 0.6 or score(t) - score(q) > 0.5)",
                                      five_classes(), scores, 2);
  ASSERT_TRUE(part);
  EXPECT_EQ(part->text, "and");
  EXPECT_TRUE(part->holds);
  ASSERT_EQ(part->parts.size(), 2U);
  EXPECT_EQ(part->parts[0].seen, "class is t");
  const ConditionPart& either = part->parts[1];
  ASSERT_EQ(either.parts.size(), 2U);
  EXPECT_FALSE(either.parts[0].holds);
  EXPECT_EQ(either.parts[0].seen, "prob(t) = 0.40461");  // e / (e + 4)
  EXPECT_TRUE(either.parts[1].holds);
  EXPECT_EQ(either.parts[1].text, "score(t) - score(q) > 0.5");
  EXPECT_EQ(either.parts[1].seen, "score(t) - score(q) = 1 (integers 16, 0)");
  EXPECT_EQ(either.parts[1].integer_form, "y_t - y_q >= 9");
}

TEST(ExplainCondition, KnowsModelsOfOneOutput) {
  const ScoreSpace space{.classes = {"background", "signal"},
                         .scores = {{.low = -64, .high = 63, .scale = 0.25}}};
  const std::array<std::int16_t, 1> scores{8};
  const auto part = explain_condition("prob(signal) >= 0.9 and score(signal) < 1", space, scores, 1);
  ASSERT_TRUE(part) << part.error().message;
  EXPECT_FALSE(part->parts[0].holds);  // 1 / (1 + e^-2) = 0.8808
  EXPECT_THAT(part->parts[0].seen, HasSubstr("0.880797"));
  EXPECT_FALSE(part->parts[1].holds);
  EXPECT_THAT(part->parts[1].seen, HasSubstr("score(signal) = 2 (integer 8)"));
}

TEST(ExplainCondition, RefusesWhatIsNoCondition) {
  const std::array<std::int16_t, 5> scores{};
  EXPECT_FALSE(explain_condition("class == h", five_classes(), scores, 0));
}

}  // namespace
}  // namespace kantrig::menu
