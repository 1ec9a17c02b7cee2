#include "compiler/learned/elementary.hpp"
#include "compiler/learned/random.hpp"
#include "compiler/train/adamw.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace kantrig::learned {
namespace {

TEST(Elementary, AgreesWithTheCLibrary) {
  for (double x = -30.0; x < 30.0; x += 0.0173) {
    EXPECT_NEAR(exponential(x) / std::exp(x), 1.0, 2e-15) << x;
    EXPECT_NEAR(error_function(x / 5.0), std::erf(x / 5.0), 1e-13) << x;
  }
  for (double x = 1e-9; x < 1e9; x *= 1.37)
    EXPECT_NEAR(logarithm(x), std::log(x), 1e-14 * std::max(1.0, std::abs(std::log(x))));
}

TEST(Elementary, RoundsTiesToEven) {
  EXPECT_EQ(round_half_even(2.5), 2.0);
  EXPECT_EQ(round_half_even(3.5), 4.0);
  EXPECT_EQ(round_half_even(-0.5), 0.0);
  EXPECT_EQ(round_half_even(-1.5), -2.0);
  EXPECT_EQ(round_half_even(-7.49), -7.0);
}

TEST(Elementary, BaseFunctionSlopesAreDerivatives) {
  constexpr double kStep = 1e-6;
  for (const BaseFunction function : {BaseFunction::kNone, BaseFunction::kSilu, BaseFunction::kGelu}) {
    for (double x = -4.0; x < 4.0; x += 0.217) {
      const double numeric =
          (base_function_at(function, x + kStep).value - base_function_at(function, x - kStep).value) /
          (2 * kStep);
      EXPECT_NEAR(base_function_at(function, x).slope, numeric, 1e-8);
    }
  }
  EXPECT_NEAR(base_function_at(BaseFunction::kSilu, 1.0).value, 0.7310585786300049, 1e-15);
  EXPECT_NEAR(base_function_at(BaseFunction::kGelu, 1.0).value, 0.8413447460685429, 1e-14);
}

TEST(AdamW, FirstStepsEqualTheOnesComputedByHand) {
  // learning rate 0.1, decay 0.5 on the first parameter only, betas 0.9 and 0.999, epsilon 1e-8.
  train::AdamW optimiser(2, {.weight_decay = 0.5});
  std::vector<double> parameters{1.0, 1.0};
  optimiser.step(parameters, std::vector<double>{0.2, 0.2}, 0.1, std::vector<double>{1.0, 0.0});
  // m = 0.02, v = 4e-5; m / (1 - 0.9) = 0.2, sqrt(v / (1 - 0.999)) = 0.2: a step of 0.1 (less epsilon).
  EXPECT_NEAR(parameters[0], 1.0 * (1.0 - 0.05) - 0.1, 1e-8);
  EXPECT_NEAR(parameters[1], 0.9, 1e-8);
  optimiser.step(parameters, std::vector<double>{-0.4, -0.4}, 0.1, std::vector<double>{1.0, 0.0});
  // m = 0.018 - 0.04 = -0.022, over 1 - 0.81: -0.11578947; v = 3.996e-5 + 1.6e-4 = 1.9996e-4, over 1 -
  // 0.998001: 0.10003002, root 0.31627523; the step is 0.1 x 0.36610350.
  EXPECT_NEAR(parameters[0], 0.85 * 0.95 + 0.036610350, 1e-7);
  EXPECT_NEAR(parameters[1], 0.9 + 0.036610350, 1e-7);
}

TEST(Random, GivesThePublishedSequence) {
  // xoshiro256** after splitmix64 from 0, whose first outputs are published with the generators.
  Random random(0);
  EXPECT_EQ(random.next(), 0x99EC5F36CB75F2B4U);
  EXPECT_EQ(random.next(), 0xBF6E1F784956452AU);
}

TEST(Random, ShuffleIsAPermutationAndBelowStaysBelow) {
  Random random(5);
  std::vector<std::uint32_t> values(1000);
  std::iota(values.begin(), values.end(), 0U);
  const std::vector<std::uint32_t> before = values;
  random.shuffle(values);
  EXPECT_NE(values, before);
  EXPECT_THAT(values, testing::UnorderedElementsAreArray(before));
  std::vector<int> seen(7, 0);
  for (int i = 0; i < 7000; ++i) ++seen[random.below(7)];
  for (const int count : seen) EXPECT_NEAR(count, 1000, 150);
}

}  // namespace
}  // namespace kantrig::learned
