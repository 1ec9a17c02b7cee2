#include "compiler/quality.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "unit/kan/small_autoencoder.hpp"

namespace kantrig::compiler {
namespace {

using testing::HasSubstr;

TEST(RocAuc, IsTheShareOfPairsInTheRightOrder) {
  EXPECT_EQ(roc_auc(std::vector<double>{1, 2, 3, 4}, {false, false, true, true}), 1.0);
  EXPECT_EQ(roc_auc(std::vector<double>{4, 3, 2, 1}, {false, false, true, true}), 0.0);
  EXPECT_EQ(roc_auc(std::vector<double>{1, 2, 3, 4}, {false, true, false, true}), 0.75);
}

TEST(RocAuc, TiesCountHalf) {
  EXPECT_EQ(roc_auc(std::vector<double>{1, 1, 1}, {false, true, true}), 0.5);
  // members 2 and 3 against 1, 2 and 4: wins 1 + 0.5 and 2 of 6 pairs.
  EXPECT_DOUBLE_EQ(roc_auc(std::vector<double>{1, 2, 2, 3, 4}, {false, true, false, true, false}).value(),
                   3.5 / 6.0);
  EXPECT_EQ(roc_auc(std::vector<double>{1, 2, 2, 3}, {false, false, true, true}), 0.875);
}

TEST(RocAuc, IsNoneWhenOneSideIsEmpty) {
  EXPECT_FALSE(roc_auc(std::vector<double>{1, 2}, {true, true}));
  EXPECT_FALSE(roc_auc(std::vector<double>{}, {}));
}

/// All 16 events of the small model as codes, and the classes that the reference evaluator gives.
struct Events {
  base::FeatureTable table{16, 2, {}, {}};
  std::vector<std::uint32_t> classes;
};

Events every_event(const kan::Bundle& bundle) {
  Events events;
  events.table.values.assign(bundle.golden.inputs.begin(), bundle.golden.inputs.end());
  for (std::size_t i = 0; i < 16; ++i) {
    events.classes.push_back(
        kan::reference_class(bundle.model, std::span(bundle.golden.outputs).subspan(3 * i, 3)));
  }
  return events;
}

TEST(Quality, CodesGoThroughTheModelAndFillTheConfusionMatrix) {
  kan::Bundle bundle = test::small_bundle();
  bundle.model.codes_only = true;
  Events events = every_event(bundle);
  const std::uint32_t decided = events.classes[3];
  events.classes[3] = (decided + 1) % 3;  // one event whose truth is another
  const auto quality = measure_quality({bundle, events.table, events.classes, "x.npy", "scalar"});
  ASSERT_TRUE(quality) << quality.error().message;
  EXPECT_EQ(quality->events, 16U);
  EXPECT_EQ(quality->correct, 15U);
  EXPECT_EQ(quality->accuracy(), 15.0 / 16.0);
  EXPECT_EQ(quality->confusion[(decided + 1) % 3][decided], 1U);
  std::uint64_t sum = 0;
  for (const auto& row : quality->confusion) sum = std::accumulate(row.begin(), row.end(), sum);
  EXPECT_EQ(sum, 16U);
}

TEST(Quality, FloatsGoThroughTheInputStageAndNaNIsLeftOut) {
  const kan::Bundle bundle = test::small_bundle();
  // mass: code = x * 1.5 + 1; multiplicity: code = x * 0.25 - 1, so these are the codes (2, 1) and (3, 3),
  // clamped.
  base::FeatureTable table{3, 2, {0.7F, 8.0F, NAN, 8.0F, 100.0F, INFINITY}, {}};
  std::vector<std::uint32_t> labels;
  for (const std::vector<std::uint16_t>& codes : {std::vector<std::uint16_t>{2, 1}, {0, 0}, {3, 3}}) {
    labels.push_back(kan::reference_class(bundle.model, kan::reference_outputs(bundle.model, codes)));
  }
  const auto quality = measure_quality({bundle, table, labels, "x.npy", "scalar"});
  ASSERT_TRUE(quality) << quality.error().message;
  EXPECT_EQ(quality->malformed, 1U);
  EXPECT_EQ(quality->events, 2U);
  EXPECT_EQ(quality->correct, 2U);
}

TEST(Quality, WhatIsNoCodeIsRefusedWithItsPlace) {
  kan::Bundle bundle = test::small_bundle();
  bundle.model.codes_only = true;
  const std::vector<std::uint32_t> labels{0, 0};
  const auto message = [&](std::vector<float> values) {
    const base::FeatureTable table{2, 2, std::move(values), {}};
    const auto quality = measure_quality({bundle, table, labels, "x.npy", "scalar"});
    return quality ? "no error" : quality.error().message;
  };
  EXPECT_EQ(message({0, 1, 2, 4}),
            "x.npy row 2 feature 'multiplicity': found 4, expected a code from 0 to 3");
  EXPECT_THAT(message({0, 1, 0.5F, 3}), HasSubstr("row 2 feature 'mass': found 0.5"));
  EXPECT_THAT(message({-1, 1, 2, 3}), HasSubstr("row 1 feature 'mass': found -1"));
  EXPECT_THAT(message({NAN, 1, 2, 3}), HasSubstr("row 1 feature 'mass': found nan"));
}

TEST(Quality, RowsAndLabelsMustBeAsMany) {
  const kan::Bundle bundle = test::small_bundle();
  const base::FeatureTable table{1, 2, {1, 2}, {}};
  const auto quality = measure_quality({bundle, table, {}, "x.npy", "scalar"});
  ASSERT_FALSE(quality);
  EXPECT_EQ(quality.error().message, "x.npy: has 1 rows for 0 labels, expected as many of both");
}

TEST(Quality, AnAutoencoderDecidesByItsThresholdAndIsRankedByItsScore) {
  const kan::Bundle bundle = test::small_autoencoder_bundle();
  base::FeatureTable table{16, 2, {}, {}};
  std::vector<std::uint32_t> labels;
  std::uint64_t anomalies = 0;
  for (std::size_t i = 0; i < 16; ++i) {
    for (std::size_t j = 0; j < 2; ++j) table.values.push_back(bundle.golden.inputs[2 * i + j]);
    labels.push_back(bundle.golden.outputs[i] > bundle.model.output_stage->class_above ? 1 : 0);
    anomalies += labels.back();
  }
  ASSERT_GT(anomalies, 0U);
  const auto quality = measure_quality({bundle, table, labels, "x.npy", "scalar"});
  ASSERT_TRUE(quality) << quality.error().message;
  EXPECT_EQ(quality->correct, 16U);
  EXPECT_EQ(quality->confusion[1][1], anomalies);
  ASSERT_EQ(quality->auc.size(), 2U);
  EXPECT_EQ(quality->auc[1], 1.0);
}

}  // namespace
}  // namespace kantrig::compiler
