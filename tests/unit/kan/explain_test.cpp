// Explanations add up exactly, whatever the event.
#include "kan/explain.hpp"

#include <gtest/gtest.h>

#include "kan/trace.hpp"
#include "unit/kan/small_autoencoder.hpp"
#include "unit/kan/small_bundle.hpp"

namespace kantrig::kan {
namespace {

const std::filesystem::path kJets =
    std::filesystem::path(KANTRIG_SOURCE_DIR) / "firmware/models/jets/jets-1.1.0";

Bundle with_histograms() {
  Bundle bundle = test::small_bundle();
  bundle.reference.features = {{.name = "mass", .first = 0, .width = 1, .counts = {6, 1, 1, 2}},
                               {.name = "multiplicity", .first = 0, .width = 2, .counts = {1, 4}}};
  return bundle;
}

/// Baseline and contributions of every node give its sum, and the sums the outputs.
void expect_exact(const Bundle& bundle, const std::vector<std::uint16_t>& codes) {
  const Explanation explanation = explain(bundle, codes);
  const auto layers = trace(bundle.model, codes);
  ASSERT_EQ(explanation.layers.size(), layers.size());
  for (std::size_t l = 0; l < layers.size(); ++l) {
    for (std::size_t k = 0; k < layers[l].sums.size(); ++k) {
      const NodeExplanation& node = explanation.layers[l][k];
      std::int32_t sum = node.baseline;
      std::int32_t plain = node.bias;
      for (const EdgeShare& edge : node.edges) {
        sum += edge.contribution();
        plain += edge.entry;
      }
      EXPECT_EQ(sum, layers[l].sums[k]);
      EXPECT_EQ(plain, layers[l].sums[k]);
      EXPECT_EQ(node.output, layers[l].outputs[k]);
    }
  }
  EXPECT_EQ(explanation.outputs, reference_outputs(bundle.model, codes));
}

TEST(Explain, ContributionsAddUpExactlyForEveryInput) {
  for (const Bundle& bundle : {test::small_bundle(), with_histograms()}) {
    for (std::uint16_t code = 0; code < 16; ++code)
      expect_exact(bundle, {static_cast<std::uint16_t>(code % 4), static_cast<std::uint16_t>(code / 4)});
  }
}

TEST(Explain, ContributionsAddUpExactlyForTheJetsBundle) {
  const auto bundle = load_bundle(kJets);
  ASSERT_TRUE(bundle) << bundle.error().message;
  const std::size_t inputs = bundle->model.input_count();
  for (std::uint32_t v = 0; v < std::min(bundle->golden.count, 64U); ++v) {
    const auto first = bundle->golden.inputs.begin() + static_cast<std::ptrdiff_t>(v * inputs);
    expect_exact(*bundle, {first, first + static_cast<std::ptrdiff_t>(inputs)});
  }
}

TEST(Explain, ComparesFirstLayerEdgesWithTheMeanEntryInTraining) {
  const Explanation explanation = explain(with_histograms(), std::vector<std::uint16_t>{3, 0});
  // Table {-9, -2, 3, 300} over counts {6, 1, 1, 2}: 547 / 10, to the nearest integer.
  EXPECT_EQ(explanation.layers[0][0].edges[0].entry, 300);
  EXPECT_EQ(explanation.layers[0][0].edges[0].reference, 55);
  // Table {5, 4, -4, -5} over counts {1, 1, 4, 4} (two codes a bin): (9 - 36) / 10.
  EXPECT_EQ(explanation.layers[0][0].edges[1].reference, -3);
}

TEST(Explain, PlacesFeaturesAmongTheTrainingEvents) {
  const Explanation explanation = explain(with_histograms(), std::vector<std::uint16_t>{1, 3});
  EXPECT_TRUE(explanation.has_reference);
  EXPECT_EQ(explanation.features[0].median, 0);
  EXPECT_DOUBLE_EQ(explanation.features[0].share_below, 0.65);  // 6 below, half of 1
  EXPECT_EQ(explanation.features[1].median, 2);
  EXPECT_DOUBLE_EQ(explanation.features[1].share_below, 0.8);
}

TEST(Explain, AnEffectIsTheOutputLessTheOutputWithTheFeatureAtItsMedian) {
  const Bundle bundle = with_histograms();
  const std::vector<std::uint16_t> codes{2, 1};
  const Explanation explanation = explain(bundle, codes);
  const std::vector<std::vector<std::uint16_t>> without{{0, 1}, {2, 2}};  // medians 0 and 2
  for (std::size_t j = 0; j < 2; ++j) {
    const auto outputs = reference_outputs(bundle.model, without[j]);
    for (std::size_t k = 0; k < outputs.size(); ++k)
      EXPECT_EQ(explanation.features[j].effects[k], explanation.outputs[k] - outputs[k]);
  }
  EXPECT_EQ(explanation.median_outputs, reference_outputs(bundle.model, std::vector<std::uint16_t>{0, 2}));
}

TEST(Explain, MarksWhatTheClampChanged) {
  const Explanation explanation = explain(test::small_bundle(), std::vector<std::uint16_t>{3, 3});
  EXPECT_EQ(explanation.layers[0][0].saturation, Saturation::kHigh);  // 296, clamped to 3
  EXPECT_EQ(explanation.layers[0][1].saturation, Saturation::kHigh);  // 7, clamped to 2
  const Explanation calm = explain(test::small_bundle(), std::vector<std::uint16_t>{1, 1});
  EXPECT_EQ(calm.layers[0][0].saturation, Saturation::kNone);
}

TEST(Explain, DistancesOfAnAutoencoderAddUpToItsScore) {
  const Bundle bundle = test::small_autoencoder_bundle();
  for (std::uint16_t code = 0; code < 16; ++code) {
    const std::vector<std::uint16_t> codes{static_cast<std::uint16_t>(code % 4),
                                           static_cast<std::uint16_t>(code / 4)};
    expect_exact(bundle, codes);
    const Explanation explanation = explain(bundle, codes);
    ASSERT_EQ(explanation.distances.size(), 2U);
    EXPECT_EQ(explanation.distances[0].distance + explanation.distances[1].distance,
              explanation.distance_sum);
    EXPECT_EQ(explanation.distance_sum, explanation.outputs[0]);  // shift 0
    EXPECT_EQ(explanation.event_class, explanation.outputs[0] > 4 ? 1 : 0);
  }
  const Explanation one = explain(bundle, std::vector<std::uint16_t>{3, 1});
  EXPECT_EQ(one.distances[0].distance, 1);  // 4 for 3
  EXPECT_EQ(one.distances[1].distance, 6);  // 8 for 2
}

TEST(Explain, TakesUniformCodesWithoutHistograms) {
  Bundle bundle = test::small_bundle();
  bundle.reference = {};
  const Explanation explanation = explain(bundle, std::vector<std::uint16_t>{0, 0});
  EXPECT_FALSE(explanation.has_reference);
  EXPECT_EQ(explanation.features[0].median, 1);
  EXPECT_EQ(explanation.layers[0][0].edges[0].reference, 73);  // (-9 - 2 + 3 + 300) / 4
}

TEST(Explain, OfAnAutoencoderTellsWhatEachFeatureDoesToTheScore) {
  const Bundle bundle = test::small_autoencoder_bundle();
  expect_exact(bundle, {1, 3});
  const Explanation explanation = explain(bundle, std::vector<std::uint16_t>{1, 3});
  EXPECT_EQ(explanation.outputs, std::vector<std::int16_t>{5});
  EXPECT_EQ(explanation.event_class, 1) << "above the threshold of the stage, 4";
  ASSERT_EQ(explanation.features[1].effects.size(), 1U);
  const std::vector<std::uint16_t> without{1, explanation.features[1].median};
  EXPECT_EQ(explanation.features[1].effects[0], 5 - reference_outputs(bundle.model, without)[0]);
}

}  // namespace
}  // namespace kantrig::kan
