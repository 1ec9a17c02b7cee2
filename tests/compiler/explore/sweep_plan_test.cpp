// Points of a sweep, their folders, and the plan as a file.
#include "compiler/explore/sweep_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "compiler/explore/point_result.hpp"
#include "support/temporary_folder.hpp"

namespace kantrig::explore {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

SweepPlan plan_over(std::vector<std::string> texts) {
  SweepPlan plan;
  plan.origin = "spec.toml";
  plan.specification = "[model]\nbits = [4, 6]\n";
  plan.settings = {{"training.epochs", "3"}};
  for (const std::string& text : texts) plan.axes.push_back(parse_axis(text).value());
  plan.data = {"/data/x.npy", "/data/y.npy", ""};
  plan.data_sha256 = "d1";
  return plan;
}

TEST(SweepPlan, PointsCountThroughTheAxesTheLastFastest) {
  const auto points = points_of(plan_over({"model.bits[0]=2,3", "model.bits[1]=5..7"}));
  ASSERT_TRUE(points) << points.error().message;
  ASSERT_EQ(6U, points->size());
  EXPECT_THAT((*points)[0].values, ElementsAre("2", "5"));
  EXPECT_THAT((*points)[1].values, ElementsAre("2", "6"));
  EXPECT_THAT((*points)[5].values, ElementsAre("3", "7"));
  EXPECT_EQ(5U, (*points)[5].number);
  EXPECT_THAT((*points)[5].specification, HasSubstr("bits = [ 3, 7 ]"));
  EXPECT_THAT((*points)[5].specification, HasSubstr("epochs = 3"));
}

TEST(SweepPlan, EveryPointHasAFolderOfItsOwnThatNamesIt) {
  const auto points = points_of(plan_over({"a=\"x/..\",\"x,.\",'x'", "b=1,-1"}));
  ASSERT_TRUE(points) << points.error().message;
  std::set<std::string> keys;
  for (const SweepPoint& point : *points) {
    keys.insert(point.key);
    EXPECT_EQ(std::string::npos, point.key.find('/')) << point.key;
  }
  EXPECT_EQ(6U, keys.size());
  EXPECT_THAT((*points)[0].key, testing::StartsWith("a=x.._b=1-"));
}

TEST(SweepPlan, AnotherSettingGivesOtherFolders) {
  SweepPlan plan = plan_over({"model.bits[0]=2"});
  const std::string before = points_of(plan)->front().key;
  plan.settings = {{"training.epochs", "4"}};
  EXPECT_NE(before, points_of(plan)->front().key);
}

TEST(SweepPlan, TooManyPointsAreRefused) {
  const auto points = points_of(plan_over({"a=1..1000", "b=1..11"}));
  ASSERT_FALSE(points);
  EXPECT_THAT(points.error().message, HasSubstr("more than 10000 points, expected fewer"));
  EXPECT_THAT(points_of(plan_over({})).error().message, HasSubstr("--over FIELD=VALUES"));
}

TEST(SweepPlan, IsReadBackAsItWasWritten) {
  const SweepPlan plan = plan_over({"model.bits[0]+model.bits[1]=2,3", "m=silu,none"});
  const auto read = plan_from_json(plan_to_json(plan), "sweep.json");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(plan_to_json(plan), plan_to_json(*read));
  EXPECT_EQ(points_of(plan)->at(3).specification, points_of(*read)->at(3).specification);
  EXPECT_FALSE(plan_from_json("{}", "sweep.json"));
  EXPECT_THAT(plan_from_json("nonsense", "sweep.json").error().message,
              HasSubstr("sweep.json: not the plan of a sweep"));
}

TEST(PointResult, CountsOnlyForTheSameSpecificationAndData) {
  const test::TemporaryFolder temporary;
  const SweepFolder folder{temporary.path()};
  SweepPlan plan = plan_over({"model.bits[0]=2,3"});
  const auto points = points_of(plan).value();
  PointResult result;
  result.specification_sha256 = points[0].specification_sha256;
  result.data_sha256 = plan.data_sha256;
  result.metrics = {{"accuracy_validation", 0.5}};
  result.rows_validation = 100;
  result.cost = {.edges = 3, .table_entries = 48, .parameter_bits = 200, .luts = 12.5, .cycles = 5};
  std::filesystem::create_directories(folder.point(points[0]));
  ASSERT_TRUE(write_result(folder.point(points[0]), result));

  const auto found = find_result(folder, plan, points[0]);
  ASSERT_TRUE(found);
  EXPECT_EQ(result_to_json(result), result_to_json(*found));
  EXPECT_EQ(0.5, found->metric("accuracy_validation"));
  EXPECT_FALSE(found->metric("loss_validation"));
  EXPECT_FALSE(find_result(folder, plan, points[1]));
  plan.data_sha256 = "d2";
  EXPECT_FALSE(find_result(folder, plan, points[0]));
  plan.data_sha256 = "d1";
  std::ofstream(folder.point(points[0]) / "result.json") << "{\"format\": 1";
  EXPECT_FALSE(find_result(folder, plan, points[0])) << "half a result is none";
}

}  // namespace
}  // namespace kantrig::explore
