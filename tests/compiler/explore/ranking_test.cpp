// The best, the sweet spot, the front; and how they are told.
#include "compiler/explore/ranking.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "compiler/explore/sweep_pictures.hpp"
#include "compiler/explore/sweep_table.hpp"

namespace kantrig::explore {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Accuracy on 10,000 rows, LUTs; bits and cycles follow.
struct Outcome {
  double accuracy;
  double luts;
};

std::vector<SweepRow> rows_of(const SweepPlan& plan, const std::vector<Outcome>& outcomes) {
  std::vector<SweepRow> rows;
  const auto points = points_of(plan).value();
  for (const SweepPoint& point : points) {
    PointResult result;
    result.rows_validation = 10'000;
    const Outcome& outcome = outcomes.at(point.number);
    result.metrics = {{"accuracy_validation", outcome.accuracy}, {"loss_validation", 1.0 - outcome.accuracy}};
    result.cost = {.edges = 1,
                   .table_entries = 1,
                   .parameter_bits = 100 - point.number,
                   .luts = outcome.luts,
                   .cycles = 6};
    rows.push_back({point, result});
  }
  return rows;
}

SweepPlan plan_over(const std::vector<std::string>& texts) {
  SweepPlan plan;
  plan.origin = "spec.toml";
  for (const std::string& text : texts) plan.axes.push_back(parse_axis(text).value());
  return plan;
}

TEST(SweetSpot, IsTheCheapestWithinOneStandardErrorOfTheBest) {
  // The standard error of 0.8 on 10,000 rows is 0.004.
  const auto rows = rows_of(plan_over({"a=1..4"}), {{0.8, 1000}, {0.797, 500}, {0.7965, 400}, {0.7955, 100}});
  const auto spot = sweet_spot(rows, {});
  ASSERT_TRUE(spot);
  EXPECT_EQ(0U, spot->best);
  EXPECT_EQ(2U, spot->chosen);
  EXPECT_NEAR(0.004, spot->standard_error, 1e-12);
  EXPECT_NEAR(0.796, spot->limit, 1e-12);
}

TEST(SweetSpot, OfEquallyCheapPointsTheBetterOneIsChosen) {
  const auto rows = rows_of(plan_over({"a=1..3"}), {{0.797, 500}, {0.799, 500}, {0.8, 600}});
  EXPECT_EQ(1U, sweet_spot(rows, {})->chosen);
}

TEST(SweetSpot, GoesByTheCostAskedFor) {
  const auto rows = rows_of(plan_over({"a=1..2"}), {{0.8, 100}, {0.799, 500}});
  EXPECT_EQ(0U, sweet_spot(rows, {})->chosen);
  Ranking by_bits;
  by_bits.cost = CostKind::kParameterBits;
  EXPECT_EQ(1U, sweet_spot(rows, by_bits)->chosen);
}

TEST(SweetSpot, OfALossIsTheBestAloneForThereIsNoStandardError) {
  Ranking ranking;
  ranking.quality = {"loss_validation", true};
  const auto rows = rows_of(plan_over({"a=1..2"}), {{0.8, 1000}, {0.7999, 100}});
  EXPECT_EQ(0U, sweet_spot(rows, ranking)->chosen);
  EXPECT_NEAR(0.2, sweet_spot(rows, ranking)->limit, 1e-12);
}

TEST(SweetSpot, NeedsAPointThatHasTheMetric) {
  auto rows = rows_of(plan_over({"a=1..2"}), {{0.8, 1000}, {0.7, 100}});
  rows[0].result->error = "no data";
  rows[1].result.reset();
  EXPECT_FALSE(sweet_spot(rows, {}));
}

TEST(ParetoFront, HoldsWhatNothingBeatsInBoth) {
  const auto rows =
      rows_of(plan_over({"a=1..5"}), {{0.5, 100}, {0.7, 300}, {0.6, 300}, {0.65, 400}, {0.8, 900}});
  EXPECT_THAT(pareto_front(rows, {}, CostKind::kLuts), ElementsAre(0, 1, 4));
}

TEST(SweepTable, ShowsTwoAxesAsAGridAndNamesTheSweetSpot) {
  const SweepPlan plan = plan_over({"a=1,2", "b=3,4"});
  auto rows = rows_of(plan, {{0.8, 1000}, {0.799, 500}, {0.5, 10}, {0.6, 20}});
  rows[2].result->error = "kanc train: no, \"never\"";
  rows[3].result.reset();
  const std::string text = to_text({plan, rows, {}});
  EXPECT_THAT(text, HasSubstr("accuracy_validation of a (down) by b (across):"));
  EXPECT_THAT(text, HasSubstr("1  0.8000+  0.7990*"));
  EXPECT_THAT(text, HasSubstr("failed: a=2 b=3: kanc train: no"));
  EXPECT_THAT(text, HasSubstr("1 of 4 points are not trained yet"));
  EXPECT_THAT(text, HasSubstr("sweet spot  a=1 b=4: accuracy_validation 0.7990"));
  EXPECT_THAT(text, HasSubstr("the fewest luts of all points with accuracy_validation at least 0.7960"));

  const std::string csv = to_csv({plan, rows, {}});
  EXPECT_THAT(csv, HasSubstr("point,a,b,state,accuracy_validation,loss_validation,edges,parameter_bits,"));
  EXPECT_THAT(csv, HasSubstr("\n1,1,4,done,0.799000,0.201000,1,99,500.0,6,12.00,0.00,\n"));
  EXPECT_THAT(csv, HasSubstr("\"kanc train: no, \"\"never\"\"\"\n"));
  const auto header_commas =
      std::count(csv.begin(), csv.begin() + static_cast<std::ptrdiff_t>(csv.find('\n')), ',');
  const std::string last = csv.substr(csv.rfind('\n', csv.size() - 2) + 1);
  EXPECT_EQ(header_commas, std::count(last.begin(), last.end(), ',')) << last;

  const auto json = nlohmann::json::parse(to_json({plan, rows, {}}));
  EXPECT_EQ(1, json.at("sweet_spot").at("point"));
  EXPECT_EQ("failed", json.at("results").at(2).at("state"));
  EXPECT_EQ("to do", json.at("results").at(3).at("state"));
  EXPECT_EQ(500.0, json.at("results").at(1).at("luts"));
  EXPECT_EQ(12.0, json.at("results").at(1).at("nanoseconds"));
}

TEST(SweepPictures, AreHeatMapsForTwoAxesAndFrontsAlways) {
  const SweepPlan plan = plan_over({"a=1,2", "b=3,4"});
  auto rows = rows_of(plan, {{0.8, 1000}, {0.799, 500}, {0.5, 10}, {0.6, 20}});
  rows[3].result.reset();
  const auto pictures = draw_sweep({plan, rows, {}});
  EXPECT_THAT(pictures,
              ElementsAre(testing::Key("luts"), testing::Key("pareto_bits"), testing::Key("pareto_luts"),
                          testing::Key("pareto_nanoseconds"), testing::Key("quality")));
  EXPECT_THAT(pictures.at("quality"), HasSubstr("0.7990"));
  EXPECT_THAT(pictures.at("pareto_luts"), HasSubstr("sweet spot: 1 4"));
}

TEST(SweepPictures, OfOneAxisOfWordsHaveNoCurve) {
  const SweepPlan numbers = plan_over({"a=1,2"});
  EXPECT_TRUE(draw_sweep({numbers, rows_of(numbers, {{0.8, 1}, {0.7, 2}}), {}}).contains("quality"));
  const SweepPlan words = plan_over({"a=silu,none"});
  EXPECT_FALSE(draw_sweep({words, rows_of(words, {{0.8, 1}, {0.7, 2}}), {}}).contains("quality"));
}

}  // namespace
}  // namespace kantrig::explore
