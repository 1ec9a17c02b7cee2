#include "compiler/learned/refine.hpp"

#include "compiler/learned/checkpoint.hpp"
#include "compiler/learned/random.hpp"
#include "compiler/learned/tabulate.hpp"
#include "compiler/train/bit_operations.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace kantrig::learned {
namespace {

using testing::HasSubstr;

LearnedKan random_kan(std::uint32_t cells, std::uint32_t order) {
  Random random(7);
  LearnedKan kan;
  kan.inputs.resize(3);
  kan.layers = {make_layer(EdgeKind::kSpline, 3, 2, {.low = -1.0, .high = 2.0, .size = cells, .order = order},
                           BaseFunction::kSilu)};
  for (double& value : kan.layers[0].coefficients) value = random.uniform(-1.0, 1.0);
  for (double& value : kan.layers[0].weights) value = random.uniform(-1.0, 1.0);
  return kan;
}

TEST(Refine, AFinerGridSaysTheSameInsideTheOldOne) {
  for (const std::uint32_t order : {1U, 3U, 5U}) {
    const LearnedKan coarse = random_kan(6, order);
    const auto fine = with_grid(coarse, 12);
    ASSERT_TRUE(fine) << fine.error().message;
    EXPECT_LT(fine->residual_max, 1e-6);
    EXPECT_EQ(fine->kan.layers[0].grid.size, 12U);
    for (double x = -0.999; x < 1.999; x += 0.01)
      EXPECT_NEAR(edge_value(fine->kan.layers[0], 1, 1, x), edge_value(coarse.layers[0], 1, 1, x), 1e-6)
          << "order " << order;
  }
}

TEST(Refine, KnotsOfTheirOwnBecomeAUniformGrid) {
  LearnedKan kan = random_kan(6, 3);
  const double step = 0.5;
  for (int j = 0; j < 3; ++j) {  // the uniform knots themselves, then one set that is squeezed
    kan.layers[0].knots.emplace_back();
    for (int i = 0; i < 13; ++i) kan.layers[0].knots.back().push_back(-1.0 + (i - 3) * step);
  }
  const LearnedKan uniform = random_kan(6, 3);
  for (double x = -2.4; x < 3.4; x += 0.01)
    EXPECT_NEAR(edge_value(kan.layers[0], 2, 0, x), edge_value(uniform.layers[0], 2, 0, x), 1e-12);
  const auto fine = with_grid(kan, 24);
  ASSERT_TRUE(fine) << fine.error().message;
  EXPECT_TRUE(fine->kan.layers[0].knots.empty());
  EXPECT_LT(fine->residual_max, 1e-6);
}

TEST(Refine, FewBitsLeaveFewValues) {
  LearnedKan kan = random_kan(6, 3);
  use_low_bits(kan, {.basis_bits = 3, .coefficient_bits = 4});
  std::vector<double> values = kan.layers[0].coefficients;
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  EXPECT_LE(values.size(), 15U);
  const auto operations = train::count_bit_operations(kan);
  // 6 edges, inputs of 32 bits: the base 32 x 4; 4 functions of 3 x 4 bits; recursion 3 x 4 products of 32
  // x 3.
  EXPECT_EQ(operations.basis_tables, 6 * (32 * 4 + 4 * 12));
  EXPECT_EQ(operations.recursion, operations.basis_tables + 6 * 12 * 96);
  EXPECT_EQ(operations.edge_tables, 0.0);
}

TEST(Checkpoint, ComesBackAsItWas) {
  LearnedKan kan = random_kan(5, 2);
  kan.name = "mine";
  kan.classes = {"a", "b"};
  kan.inputs[1] = {.feature = {.name = "mass", .unit = "GeV"},
                   .gain = 0.1,
                   .shift = -3.0,
                   .bits = 6,
                   .first = -2.0,
                   .step = 0.1};
  kan.layers[0].active[3] = 0;
  kan.layers[0].quantizers = {{.bits = 7, .threshold = 1.5}, {.bits = 3, .threshold = 0.3}};
  kan.layers[0].dropped_bits = {0, 1, 2, 3, 0, 0};
  kan.layers[0].guard_bits = 2;
  kan.layers[0].entry_range = EntryRange::kOutput;
  kan.layers[0].formulas[4] = {.function = Function::kSin,
                               .inner_scale = 2.0,
                               .inner_offset = 0.5,
                               .outer_scale = 3.0,
                               .outer_offset = -1.0};
  const std::string bytes = encode_checkpoint(kan);
  const auto back = decode_checkpoint(bytes);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(encode_checkpoint(*back), bytes);
  EXPECT_EQ(back->layers[0].coefficients, kan.layers[0].coefficients);
  EXPECT_EQ(edge_value(back->layers[0], 2, 0, 0.7), edge_value(kan.layers[0], 2, 0, 0.7));
  EXPECT_NEAR(edge_value(kan.layers[0], 2, 0, 0.7), 3.0 * std::sin(1.9) - 1.0, 1e-12);
}

TEST(Checkpoint, RefusesWhatIsNoModelAndSaysWhy) {
  const auto error_of = [](std::string_view bytes) { return decode_checkpoint(bytes).error().message; };
  EXPECT_THAT(error_of("{\"formatVersion\": 2}"), HasSubstr("format_version: is 2, expected 1"));
  EXPECT_THAT(error_of("{\"formatVersion\": 1, \"nonsense\": 2}"), HasSubstr("nonsense"));
  EXPECT_THAT(error_of("{\"formatVersion\": 1}"), HasSubstr("0 inputs and 0 layers"));
  LearnedKan kan = random_kan(5, 2);
  kan.layers[0].coefficients.pop_back();
  EXPECT_THAT(error_of(encode_checkpoint(kan)),
              HasSubstr("layer 0: coefficients: has 41 values, expected 42"));
  kan = random_kan(5, 2);
  kan.layers[0].weights[0] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(error_of(encode_checkpoint(kan)), HasSubstr("must be finite"));
  const std::string whole = encode_checkpoint(random_kan(5, 2));
  for (std::size_t size = 1; size < whole.size(); size += 37)
    EXPECT_FALSE(decode_checkpoint(std::string_view(whole).substr(0, size)));
}

TEST(Tabulate, AsksForQuantisersByName) {
  EXPECT_THAT(tabulate(random_kan(5, 2)).error().message,
              HasSubstr("has no code width; quantise the model first"));
}

}  // namespace
}  // namespace kantrig::learned
