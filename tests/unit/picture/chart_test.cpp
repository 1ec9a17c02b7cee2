// Charts and heat maps: everything inside the picture, marks where the values are, the same bytes again.
#include "picture/chart.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "picture/ticks.hpp"
#include "support/xml_elements.hpp"

namespace kantrig::picture {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::vector<std::string> labels_of(const std::vector<Tick>& marks) {
  std::vector<std::string> labels;
  for (const Tick& mark : marks) {
    if (!mark.label.empty()) labels.push_back(mark.label);
  }
  return labels;
}

/// Well-formed and inside, or what is wrong.
std::string fault_of(const std::string& svg) {
  const auto reading = test::read_xml(svg);
  return reading.error.empty() ? test::outside_of_picture(reading) : reading.error;
}

Chart losses() {
  Chart chart{.title = "Loss <by> epoch", .x = {"epoch"}, .y = {"loss", Scale::kLogarithmic}};
  chart.series.push_back({.name = "training & more", .x = {0, 1, 2, 3}, .y = {2.0, 0.5, 0.1, 0.004}});
  chart.series.push_back(
      {.name = "points", .x = {0, 3}, .y = {1, 0.01}, .mark = Mark::kPoints, .labels = {"first", "last"}});
  chart.series.push_back({.name = "steps", .x = {0, 1, 3}, .y = {1, 0.3, 0.02}, .mark = Mark::kSteps});
  return chart;
}

TEST(Ticks, StandAtOneTwoOrFiveTimesPowersOfTen) {
  EXPECT_THAT(labels_of(ticks({0.0, 10.0}, Scale::kLinear, 5)), ElementsAre("0", "2", "4", "6", "8", "10"));
  EXPECT_THAT(labels_of(ticks({-0.13, 0.32}, Scale::kLinear, 5)),
              ElementsAre("-0.1", "0.0", "0.1", "0.2", "0.3"));
  EXPECT_THAT(labels_of(ticks({0.9, 2000.0}, Scale::kLogarithmic, 7)), ElementsAre("1", "10", "100", "1000"));
  EXPECT_THAT(labels_of(ticks({1e-9, 1e9}, Scale::kLogarithmic, 6)),
              ElementsAre("1e-09", "1e-06", "0.001", "1", "1000", "1e+06", "1e+09"));
}

TEST(Span, LeavesRoomAndPassesOverWhatCannotBeShown) {
  const Span linear = span_of({kNan, 1.0, kInfinity, 2.0}, Scale::kLinear);
  EXPECT_LT(linear.low, 1.0);
  EXPECT_GT(linear.high, 2.0);
  EXPECT_LT(linear.high, 2.2);
  const Span logarithmic = span_of({-5.0, 0.0, 1e-3, 1e3}, Scale::kLogarithmic);
  EXPECT_GT(logarithmic.low, 1e-4);
  EXPECT_LT(logarithmic.low, 1e-3);
  EXPECT_NEAR(share_of(1.0, logarithmic, Scale::kLogarithmic), 0.5, 1e-9);
  const Span one = span_of({7.0}, Scale::kLinear);
  EXPECT_LT(one.low, 7.0);
  EXPECT_GT(one.high, 7.0);
}

TEST(Chart, IsXmlInsideItsPictureAndTheSameAgain) {
  const std::string svg = draw(losses());
  EXPECT_EQ(fault_of(svg), "");
  EXPECT_EQ(svg, draw(losses()));
  for (const char* words : {"Loss &lt;by&gt; epoch", "training &amp; more", ">first<", ">last<", ">epoch<"})
    EXPECT_THAT(svg, HasSubstr(words));
}

TEST(Chart, PutsValuesWhereTheAxisSaysTheyAre) {
  Chart chart;
  chart.series.push_back({.x = {0, 5, 10}, .y = {0, 50, 100}});
  const auto reading = test::read_xml(draw(chart));
  const auto lines = reading.named("polyline");
  ASSERT_EQ(lines.size(), 1U);
  double x0 = 0;
  double y0 = 0;
  double x1 = 0;
  double y1 = 0;
  double x2 = 0;
  double y2 = 0;
  ASSERT_EQ(std::sscanf(lines[0].attributes.at("points").c_str(), "%lf,%lf %lf,%lf %lf,%lf", &x0, &y0, &x1,
                        &y1, &x2, &y2),
            6);
  EXPECT_NEAR(x1, (x0 + x2) / 2.0, 0.02);
  EXPECT_NEAR(y1, (y0 + y2) / 2.0, 0.02);
  EXPECT_GT(y0, y2);  // upward
  for (const auto& text : reading.named("text")) {
    if (text.text == "50") {
      EXPECT_NEAR(text.number("y") - 4.0, y1, 0.02);
    }
  }
}

TEST(Chart, LeavesOutWhatItsAxesCannotShowAndBreaksTheLineThere) {
  Chart chart{.y = {"y", Scale::kLogarithmic}};
  chart.series.push_back({.x = {0, 1, 2, 3, 4, 5}, .y = {1, 2, 0, 3, 4, kNan}});
  const std::string svg = draw(chart);
  EXPECT_EQ(fault_of(svg), "");
  EXPECT_EQ(test::read_xml(svg).named("polyline").size(), 2U);
}

TEST(Chart, DrawsNothingAndExtremesToo) {
  EXPECT_EQ(fault_of(draw(Chart{})), "");
  Chart chart{.title = std::string(500, 'w'), .x = {std::string(500, 'w')}, .y = {std::string(500, 'w')}};
  chart.series.push_back({.name = std::string(500, 'w'), .x = {-1e308, 1e308}, .y = {1e-300, 1e308}});
  chart.series.push_back({.name = "short", .x = {1}, .y = {1, 2, 3}, .mark = Mark::kPoints});
  EXPECT_EQ(fault_of(draw(chart)), "");
  chart.y.scale = Scale::kLogarithmic;
  EXPECT_EQ(fault_of(draw(chart)), "");
}

TEST(Chart, LabelsPointsWithoutCoveringOneAnother) {
  Chart chart;
  Series series{.mark = Mark::kPoints};
  for (int i = 0; i < 200; ++i) {
    series.x.push_back(i % 20);
    series.y.push_back(i / 20);
    series.labels.push_back("point " + std::to_string(i));
  }
  chart.series.push_back(series);
  const std::string svg = draw(chart);
  EXPECT_EQ(fault_of(svg), "");
  std::vector<test::XmlElement> shown;
  for (const auto& text : test::read_xml(svg).named("text")) {
    if (text.text.starts_with("point")) shown.push_back(text);
  }
  EXPECT_GT(shown.size(), 20U);
  for (std::size_t i = 0; i < shown.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      const bool apart = std::abs(shown[i].number("y") - shown[k].number("y")) >= 12.9 ||
                         std::abs(shown[i].number("x") - shown[k].number("x")) >= 40.0;
      EXPECT_TRUE(apart) << shown[i].text << " covers " << shown[k].text;
    }
  }
}

HeatMap widths() {
  HeatMap map{.title = "Accuracy", .x_label = "bits & pieces", .y_label = "table bits"};
  map.columns = {"2", "3", "4"};
  map.rows = {"a", "b"};
  map.values = {0.5, 0.625, kNan, 0.75, 0.5, 0.6};
  map.marked = 3;
  return map;
}

TEST(HeatMap, ShowsEveryNumberInItsCellAndTheSameAgain) {
  const std::string svg = draw(widths());
  EXPECT_EQ(fault_of(svg), "");
  EXPECT_EQ(svg, draw(widths()));
  for (const char* words : {">0.500<", ">0.625<", ">0.750<", ">0.600<", "bits &amp; pieces", "nothing here"})
    EXPECT_THAT(svg, HasSubstr(words));
}

TEST(HeatMap, FramesTheMarkedCell) {
  const auto rectangles = test::read_xml(draw(widths())).named("rect");
  const test::XmlElement* frame = nullptr;
  const test::XmlElement* cell = nullptr;  // the marked one, 0.75: the darkest
  for (const auto& one : rectangles) {
    if (one.attributes.contains("stroke-width")) frame = &one;
    if (one.attributes.contains("fill") && one.attributes.at("fill") == "#183468" && one.number("width") > 20)
      cell = &one;
  }
  ASSERT_NE(frame, nullptr);
  ASSERT_NE(cell, nullptr);
  EXPECT_EQ(frame->number("x"), cell->number("x"));
  EXPECT_EQ(frame->number("y"), cell->number("y"));
}

TEST(HeatMap, StaysReadableWhenLargeAndTakesNothing) {
  HeatMap map{.title = "large"};
  for (int c = 0; c < 300; ++c) map.columns.push_back("column number " + std::to_string(c));
  for (int r = 0; r < 200; ++r) map.rows.push_back("row " + std::to_string(r));
  for (int i = 0; i < 60'000; ++i) map.values.push_back(i % 7);
  const std::string svg = draw(map);
  EXPECT_EQ(fault_of(svg), "");
  EXPECT_LT(test::read_xml(svg).elements.front().number("width"), 2'000.0);
  EXPECT_EQ(fault_of(draw(HeatMap{})), "");
}

}  // namespace
}  // namespace kantrig::picture
