// Bundles as ONNX lookups, executed operator by operator, against the reference evaluator: equal bit for bit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <iostream>
#include <limits>

#include "compiler/exchange/onnx_execution.hpp"
#include "compiler/exchange/onnx_export.hpp"
#include "compiler/learned/random.hpp"
#include "support/temporary_folder.hpp"
#include "unit/kan/small_autoencoder.hpp"
#include "unit/kan/small_bundle.hpp"

namespace kantrig::exchange {
namespace {

constexpr std::uint64_t kSeed = 5;

/// Two layers with random widths, tables, biases and shifts; some nodes have no edge at all.
kan::Model random_model(learned::Random& random, std::uint32_t outputs) {
  kan::Model model;
  std::vector<std::uint32_t> codes;
  for (std::uint32_t j = 0; j < 5; ++j) {
    const std::uint32_t bits = 1 + random.below(6);
    model.inputs.push_back({.bits = bits,
                            .scale = static_cast<float>(random.uniform(-4.0, 4.0)),
                            .offset = static_cast<float>(random.uniform(-8.0, 40.0))});
    codes.push_back(1U << bits);
  }
  for (const std::uint32_t nodes : {7U, outputs}) {
    kan::Layer layer;
    layer.input_codes = codes;
    codes.clear();
    for (std::uint32_t k = 0; k < nodes; ++k) {
      const auto low = -static_cast<std::int32_t>(random.below(60));
      kan::Node node{.bias = static_cast<std::int32_t>(random.below(4'000)) - 2'000,
                     .shift = random.below(9),
                     .low = low,
                     .high = low + static_cast<std::int32_t>(random.below(100)),
                     .edge_begin = static_cast<std::uint32_t>(layer.edges.size()),
                     .edge_end = 0};
      for (std::uint32_t j = 0; j < layer.input_codes.size(); ++j) {
        if (k == 3 || random.below(3) == 0) continue;
        layer.edges.push_back({.input = j, .table_offset = static_cast<std::uint32_t>(layer.tables.size())});
        for (std::uint32_t c = 0; c < layer.input_codes[j]; ++c)
          layer.tables.push_back(static_cast<std::int16_t>(random.below(3'000)) - 1'500);
      }
      node.edge_end = static_cast<std::uint32_t>(layer.edges.size());
      codes.push_back(static_cast<std::uint32_t>(node.high - node.low + 1));
      layer.nodes.push_back(node);
    }
    model.layers.push_back(std::move(layer));
  }
  model.output_scales.assign(outputs, 0.25);
  return model;
}

class OnnxLookup : public testing::Test {
 protected:
  /// Executes the model's ONNX file on `x`, events after one another, and compares codes, outputs and class.
  void expect_equal(const kan::Model& model, const std::vector<float>& x) {
    kan::Bundle bundle = test::small_bundle();
    bundle.model = model;
    const auto onnx = lookup_onnx(bundle, OnnxEntry::kFeatures);
    ASSERT_TRUE(onnx) << onnx.error().message;
    const auto path = [&](const char* name) { return folder_.path() / name; };
    ASSERT_TRUE(base::write_file_atomic(path("model.onnx"), *onnx));

    std::vector<std::int64_t> all_codes;
    std::vector<std::int32_t> all_outputs;
    std::vector<std::int64_t> classes;
    std::vector<std::uint16_t> codes(model.inputs.size());
    for (std::size_t event = 0; event < x.size() / codes.size(); ++event) {
      for (std::size_t j = 0; j < codes.size(); ++j) {
        codes[j] = kan::reference_code(model.inputs[j], x[event * codes.size() + j]).value();
        all_codes.push_back(codes[j]);
      }
      const auto outputs = kan::reference_outputs(model, codes);
      all_outputs.insert(all_outputs.end(), outputs.begin(), outputs.end());
      classes.push_back(kan::reference_class(model, outputs));
    }
    const auto run =
        test::run_onnx(path("model.onnx").string() + " --input x=" + test::raw_file(path("x.f32"), x) +
                       " --expect codes=" + test::raw_file(path("codes.i64"), all_codes) +
                       " --expect outputs=" + test::raw_file(path("outputs.i32"), all_outputs) +
                       " --expect class=" + test::raw_file(path("class.i64"), classes));
    EXPECT_EQ(run.exit_code, 0) << run.output;
  }

  test::TemporaryFolder folder_;
};

TEST_F(OnnxLookup, GivesEveryVectorOfASmallBundleAndClampsInfinities) {
  const float infinity = std::numeric_limits<float>::infinity();
  std::vector<float> x;
  for (float mass = -2.0F; mass < 3.0F; mass += 0.125F) {
    for (float count = -4.0F; count < 20.0F; count += 0.5F) x.insert(x.end(), {mass, count});
  }
  x.insert(x.end(), {infinity, -infinity, -infinity, infinity, 1e38F, -1e38F});
  expect_equal(test::small_model(), x);
}

TEST_F(OnnxLookup, GivesRandomModelsWithShiftsAndUnevenNodesBitForBit) {
  std::cout << "seed " << kSeed << "\n";
  learned::Random random(kSeed);
  for (const std::uint32_t outputs : {1U, 2U, 6U}) {
    const kan::Model model = random_model(random, outputs);
    ASSERT_TRUE(kan::check(model)) << kan::check(model).error().message;
    std::vector<float> x;
    for (std::size_t n = 0; n < 2'000 * model.inputs.size(); ++n)
      x.push_back(static_cast<float>(random.uniform(-20.0, 20.0)));
    expect_equal(model, x);
  }
}

TEST_F(OnnxLookup, GivesTheScoreOfAnAutoencoderBitForBit) {
  std::vector<float> x;
  for (float first = -1.0F; first < 4.0F; first += 0.25F) {
    for (float second = -1.0F; second < 4.0F; second += 0.25F) x.insert(x.end(), {first, second});
  }
  kan::Model model = test::small_autoencoder();
  expect_equal(model, x);
  model.output_stage->measure = kan::DistanceMeasure::kSquared;
  model.output_stage->shift = 2;
  model.output_stage->class_above = 3;
  expect_equal(model, x);
  model.output_stage->shift = 0;
  model.layers.back().tables = {0, -100, 100, 9, 4, 5, -6, 0, 2000, 400, 6000, 8, -1000, 12};
  model.layers.back().nodes[1].high = 6000;  // squares of it pass the largest score
  ASSERT_TRUE(kan::check(model)) << kan::check(model).error().message;
  expect_equal(model, x);
}

TEST_F(OnnxLookup, RoundsSharedTiesOfTheInputStageToEven) {
  learned::Random random(kSeed);
  kan::Model model = random_model(random, 2);
  for (kan::InputFeature& input : model.inputs) {
    input.scale = 0.5F;
    input.offset = 2.0F;
  }
  std::vector<float> x;
  for (int n = -20; n < 200; ++n) x.insert(x.end(), model.inputs.size(), static_cast<float>(n));
  expect_equal(model, x);
}

TEST_F(OnnxLookup, BeginsAtCodesForABundleThatTakesCodesOnly) {
  kan::Bundle bundle = test::small_bundle();
  bundle.model.codes_only = true;
  const auto from_features = lookup_onnx(bundle, OnnxEntry::kFeatures);
  const auto from_codes = lookup_onnx(bundle, OnnxEntry::kCodes);
  ASSERT_TRUE(from_features && from_codes);
  EXPECT_EQ(*from_features, *from_codes);
  ASSERT_TRUE(base::write_file_atomic(folder_.path() / "model.onnx", *from_codes));
  const std::vector<std::int64_t> codes(bundle.golden.inputs.begin(), bundle.golden.inputs.end());
  const std::vector<std::int32_t> outputs(bundle.golden.outputs.begin(), bundle.golden.outputs.end());
  const auto run =
      test::run_onnx((folder_.path() / "model.onnx").string() +
                     " --input codes=" + test::raw_file(folder_.path() / "codes.i64", codes) +
                     " --expect outputs=" + test::raw_file(folder_.path() / "outputs.i32", outputs));
  EXPECT_EQ(run.exit_code, 0) << run.output;
}

TEST_F(OnnxLookup, AWrongOutputIsFound) {
  kan::Bundle bundle = test::small_bundle();
  const auto onnx = lookup_onnx(bundle, OnnxEntry::kCodes);
  ASSERT_TRUE(onnx);
  ASSERT_TRUE(base::write_file_atomic(folder_.path() / "model.onnx", *onnx));
  const std::vector<std::int64_t> codes(bundle.golden.inputs.begin(), bundle.golden.inputs.end());
  std::vector<std::int32_t> outputs(bundle.golden.outputs.begin(), bundle.golden.outputs.end());
  ++outputs[7];
  const auto run =
      test::run_onnx((folder_.path() / "model.onnx").string() +
                     " --input codes=" + test::raw_file(folder_.path() / "codes.i64", codes) +
                     " --expect outputs=" + test::raw_file(folder_.path() / "outputs.i32", outputs));
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.output, testing::HasSubstr("outputs[2, 1]"));
}

TEST_F(OnnxLookup, TheSameBundleGivesTheSameBytes) {
  EXPECT_EQ(lookup_onnx(test::small_bundle(), OnnxEntry::kFeatures).value(),
            lookup_onnx(test::small_bundle(), OnnxEntry::kFeatures).value());
}

}  // namespace
}  // namespace kantrig::exchange
