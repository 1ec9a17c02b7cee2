// Curves of models: the values of their edges, shares of the events, strength and importance by definition.
#include "compiler/insight/curves.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "kan/trace.hpp"
#include "unit/kan/small_autoencoder.hpp"

namespace kantrig::insight {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::Pointwise;

base::FeatureTable table_of(std::size_t columns, std::vector<float> values) {
  base::FeatureTable table;
  table.columns = columns;
  table.rows = values.size() / columns;
  table.values = std::move(values);
  return table;
}

/// 2 -> 1 with a line of slope 2 and one of slope 1, not quantised.
learned::LearnedKan lines() {
  learned::LearnedKan kan;
  kan.name = "lines";
  kan.inputs.resize(2);
  kan.inputs[0].feature.name = "a";
  kan.inputs[1].feature.name = "b";
  kan.layers.push_back(
      learned::make_layer(learned::EdgeKind::kLinear, 2, 1, {}, learned::BaseFunction::kNone));
  kan.layers[0].weights = {2.0, 1.0};
  return kan;
}

TEST(Curves, OfABundleAreItsTables) {
  const kan::Bundle bundle = test::small_bundle();
  const auto model = curves_of(bundle, nullptr);
  ASSERT_TRUE(model) << model.error().message;
  ASSERT_EQ(model->layers.size(), 2U);
  EXPECT_EQ(model->outputs, bundle.classes);
  const Curve& first = model->layers[0].curves[0];
  EXPECT_THAT(first.values, ElementsAre(-4.5, -1.0, 1.5, 150.0));  // table / 2^shift
  const Source& mass = model->layers[0].sources[0];
  EXPECT_EQ(mass.name, "mass");
  EXPECT_NEAR(mass.points[0], (0.0 - 1.0) / 1.5, 1e-12);  // code = x * 1.5 + 1
  const Curve& last = model->layers[1].curves[0];
  EXPECT_NEAR(last.values[0], 0.5 * 10, 1e-12);  // output scale
  EXPECT_EQ(model->layers[1].sources[0].points.front(), -4.0);
  EXPECT_EQ(model->layers[1].sources[0].points.back(), 3.0);
}

TEST(Curves, CountTheCodesOfTheEventsGiven) {
  kan::Bundle bundle = test::small_bundle();
  bundle.model.codes_only = true;
  const auto events = table_of(2, {3, 1, 3, 1, 3, 0, 0, 2, 9, 9});  // the last one has no codes
  const auto model = curves_of(bundle, &events);
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_THAT(model->layers[0].sources[0].shares, ElementsAre(0.25, 0.0, 0.0, 0.75));
  EXPECT_THAT(model->layers[0].sources[1].shares, ElementsAre(0.25, 0.5, 0.25, 0.0));
  EXPECT_EQ(model->events, "4 events given");
  std::vector<double> hidden(8, 0.0);  // codes of node 0 over the four events
  for (const auto& codes : {std::vector<std::uint16_t>{3, 1}, {3, 1}, {3, 0}, {0, 2}})
    hidden[kan::trace(bundle.model, codes)[1].codes[0]] += 0.25;
  EXPECT_EQ(model->layers[1].sources[0].shares, hidden);
}

TEST(Curves, TakeTheReferenceHistogramsWithoutEvents) {
  kan::Bundle bundle = test::small_bundle();
  bundle.reference.features = {{.name = "mass", .first = 0, .width = 2, .counts = {6, 2}},
                               {.name = "multiplicity", .first = 0, .width = 1, .counts = {1, 1, 1, 1}}};
  const auto model = curves_of(bundle, nullptr);
  ASSERT_TRUE(model);
  EXPECT_THAT(model->layers[0].sources[0].shares, ElementsAre(0.375, 0.375, 0.125, 0.125));
  EXPECT_THAT(model->events, testing::HasSubstr("reference histograms"));
}

TEST(Curves, StrengthIsTheDeviationRelativeToTheNodeAndImportanceItsSquare) {
  const auto model = curves_of(lines(), nullptr);
  ASSERT_TRUE(model) << model.error().message;
  const auto& curves = model->layers[0].curves;
  ASSERT_EQ(curves.size(), 2U);
  EXPECT_NEAR(curves[0].deviation / curves[1].deviation, 2.0, 1e-9);
  EXPECT_NEAR(curves[0].strength, 2.0 / std::sqrt(5.0), 1e-9);
  EXPECT_NEAR(model->layers[0].sources[0].importance, 0.8, 1e-9);
  EXPECT_NEAR(model->layers[0].sources[1].importance, 0.2, 1e-9);
}

TEST(Curves, OfACheckpointSpanWhatTheEventsSpan) {
  const auto events = table_of(2, {-3, 0, 5, 0.5, 1, 1});
  const auto model = curves_of(lines(), &events);
  ASSERT_TRUE(model);
  const Source& a = model->layers[0].sources[0];
  EXPECT_EQ(a.points.front(), -3.0);
  EXPECT_EQ(a.points.back(), 5.0);
  EXPECT_NEAR(std::accumulate(a.shares.begin(), a.shares.end(), 0.0), 1.0, 1e-12);
  for (std::size_t i = 0; i < a.points.size(); ++i)
    EXPECT_NEAR(model->layers[0].curves[0].values[i], 2.0 * a.points[i], 1e-12);
}

TEST(Curves, OfAQuantisedCheckpointStandAtItsCodes) {
  learned::LearnedKan kan = lines();
  for (learned::Input& input : kan.inputs) {
    input.bits = 3;
    input.first = -1.0;
    input.step = 0.25;
  }
  kan.layers[0].quantizers = {{.bits = 6, .threshold = 4.0}};
  const auto model = curves_of(kan, nullptr);
  ASSERT_TRUE(model);
  EXPECT_THAT(model->layers[0].sources[0].points,
              Pointwise(DoubleNear(1e-12), learned::input_points(kan, 0, 0)));
}

TEST(Curves, OfAnAutoencoderEndWithTheFeaturesThatItReconstructs) {
  const kan::Bundle bundle = test::small_autoencoder_bundle();
  const auto model = curves_of(bundle, nullptr);
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_THAT(model->outputs, ElementsAre("mass", "multiplicity"));
  EXPECT_THAT(model->layers[1].curves[1].values, ElementsAre(0, 2, 4, 6, 8, 10, 12));  // codes
}

TEST(Curves, RefuseEventsOfWhichNoneCounts) {
  const auto events = table_of(2, {std::nanf(""), 0});
  ASSERT_FALSE(curves_of(lines(), &events));
  ASSERT_FALSE(curves_of(test::small_bundle(), &events));
}

}  // namespace
}  // namespace kantrig::insight
