// Plots: everything that is drawn is there, inside the picture, and the same again.
#include "compiler/insight/plot.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "compiler/insight/plot_layout.hpp"
#include "compiler/learned/random.hpp"
#include "kan/bundle.hpp"
#include "support/command.hpp"
#include "support/temporary_folder.hpp"
#include "support/xml_elements.hpp"

namespace kantrig::insight {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::filesystem::path kJets =
    std::filesystem::path(KANTRIG_SOURCE_DIR) / "firmware/models/jets/jets-1.1.0";

/// Edges with weights of every size.
CurveModel made(const std::vector<std::uint32_t>& shape) {
  learned::LearnedKan kan;
  kan.name = "made";
  learned::Random random(5);
  kan.inputs.resize(shape[0]);
  for (std::size_t j = 0; j < kan.inputs.size(); ++j)
    kan.inputs[j].feature.name = "feature <" + std::to_string(j) + ">";
  for (std::size_t l = 0; l + 1 < shape.size(); ++l) {
    kan.layers.push_back(learned::make_layer(learned::EdgeKind::kLinear, shape[l], shape[l + 1], {},
                                             learned::BaseFunction::kNone));
    for (double& weight : kan.layers.back().weights) weight = random.uniform(-1.0, 1.0);
  }
  auto curves = curves_of(kan, nullptr);
  EXPECT_TRUE(curves);
  return std::move(*curves);
}

std::string fault_of(const std::string& svg) {
  const auto reading = test::read_xml(svg);
  return reading.error.empty() ? test::outside_of_picture(reading) : reading.error;
}

TEST(Plot, DrawsEveryEdgeOfASmallModelWithItsNames) {
  const CurveModel model = made({3, 4, 2});
  const std::string svg = plot(model, {});
  EXPECT_EQ(fault_of(svg), "");
  EXPECT_EQ(svg, plot(model, {}));
  EXPECT_EQ(test::read_xml(svg).named("polyline").size(), 20U);
  EXPECT_THAT(svg, HasSubstr(">feature &lt;2&gt;<"));
  EXPECT_THAT(svg, HasSubstr(">output 1<"));
  EXPECT_THAT(svg, HasSubstr("made: 3-4-2, 20 edges"));
  EXPECT_THAT(svg, Not(HasSubstr("Left out")));
}

TEST(Plot, BoxesDoNotCoverOneAnother) {
  for (const auto& shape :
       {std::vector<std::uint32_t>{3, 4, 2}, {16, 4, 5}, {1, 60}, {60, 1}, {100, 30, 10}}) {
    const CurveModel model = made(shape);
    const PlotLayout layout = lay_out(model, kPlotEdgesDefault, 100.0);
    for (const LayerPlace& layer : layout.layers) {
      for (std::size_t i = 0; i < layer.edges.size(); ++i) {
        for (std::size_t k = 0; k < i; ++k) {
          const auto& a = layer.edges[i].box;
          const auto& b = layer.edges[k].box;
          EXPECT_TRUE(std::abs(a.x - b.x) >= a.width || std::abs(a.y - b.y) >= a.height);
          // No line runs through the box of another edge.
          const bool beside = layer.edges[i].entry.x <= b.x || layer.edges[i].entry.x >= b.x + b.width;
          EXPECT_TRUE(beside || a.x == b.x);
        }
      }
    }
  }
}

TEST(Plot, LeavesOutTheLeastImportantEdgesOfALargeModelAndSaysSo) {
  const CurveModel model = made({784, 12, 10});
  const std::string svg = plot(model, {.edges_max = 40});
  EXPECT_EQ(fault_of(svg), "");
  std::string words;  // of the heading, whose lines break anywhere
  for (const auto& text : test::read_xml(svg).named("text")) words += text.text + " ";
  EXPECT_THAT(words, HasSubstr("the 9368 least important of 9408 edges in layer 0"));
  EXPECT_THAT(words, HasSubstr("the 80 least important of 120 edges in layer 1"));
  const PlotLayout layout = lay_out(model, 40, 100.0);
  double least_drawn = 1.0;
  for (const EdgePlace& edge : layout.layers[0].edges)
    least_drawn = std::min(least_drawn, edge.curve->importance);
  const auto more = std::count_if(model.layers[0].curves.begin(), model.layers[0].curves.end(),
                                  [&](const Curve& curve) { return curve.importance >= least_drawn; });
  EXPECT_EQ(more, 40);
  EXPECT_LT(layout.width, 3'000.0);
}

TEST(Plot, OfTheJetsBundleNamesFeaturesAndClasses) {
  const auto bundle = kan::load_bundle(kJets);
  ASSERT_TRUE(bundle) << bundle.error().message;
  const auto curves = curves_of(*bundle, nullptr);
  ASSERT_TRUE(curves);
  const std::string svg = plot(*curves, {});
  EXPECT_EQ(fault_of(svg), "");
  for (const kan::Feature& feature : bundle->features) EXPECT_THAT(svg, HasSubstr(">" + feature.name + "<"));
  for (const std::string& name : bundle->classes) EXPECT_THAT(svg, HasSubstr(">" + name + "<"));
}

TEST(PlotCommand, WritesThePictureAndRefusesOtherEndings) {
  const test::TemporaryFolder folder;
  const std::string kanc = std::string(KANTRIG_BINARY_DIR) + "/bin/kanc plot ";
  const auto drawn =
      test::run_command(kanc + kJets.string() + " --out " + (folder.path() / "a.svg").string());
  EXPECT_EQ(drawn.exit_code, 0);
  EXPECT_THAT(drawn.output, HasSubstr("plotted jets-1.1.0 into"));
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "a.svg"));
  const auto refused = test::run_command(kanc + kJets.string() + " --out a.pdf 2>&1");
  EXPECT_EQ(refused.exit_code, 5);
  EXPECT_THAT(refused.output, HasSubstr(".svg or .png"));
  EXPECT_EQ(test::run_command(kanc + "nowhere --out a.svg 2>&1").exit_code, 3);
}

}  // namespace
}  // namespace kantrig::insight
