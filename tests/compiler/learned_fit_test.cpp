// Least squares of spline coefficients: what a spline can be is found again, what is not sampled stays calm.
#include "compiler/learned/fit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "compiler/learned/random.hpp"

namespace kantrig::learned {
namespace {

std::vector<double> spread(double low, double high, std::size_t count) {
  std::vector<double> xs;
  for (std::size_t i = 0; i < count; ++i)
    xs.push_back(low + (high - low) * (static_cast<double>(i) + 0.5) / static_cast<double>(count));
  return xs;
}

double value_at(const SplineGrid& grid, const std::vector<double>& coefficients, double x) {
  const BasisRow row = basis_at(grid, x);
  double sum = 0.0;
  for (std::size_t a = 0; a < row.count; ++a) sum += coefficients[row.first + a] * row.values[a];
  return sum;
}

TEST(FitSpline, FindsTheCoefficientsThatMadeTheSamples) {
  Random random(7);
  for (const std::uint32_t order : {1U, 3U, 5U}) {
    const SplineGrid grid{.low = -2.0, .high = 2.0, .size = 12, .order = order};
    std::vector<double> made(grid.basis_count());
    for (double& value : made) value = random.uniform(-1.0, 1.0);
    const auto xs = spread(-2.0, 2.0, 600);
    std::vector<double> ys;
    for (const double x : xs) ys.push_back(value_at(grid, made, x));
    const auto fit = fit_spline(grid, xs, ys);
    ASSERT_TRUE(fit) << fit.error().message;
    EXPECT_LT(fit->residual, 1e-7);
    for (const double x : xs)
      EXPECT_NEAR(value_at(grid, fit->coefficients, x), value_at(grid, made, x), 1e-6);
  }
}

TEST(FitSpline, FollowsASineAsCloselyAsItsStepAllows) {
  const auto xs = spread(-2.0, 2.0, 400);
  std::vector<double> ys;
  for (const double x : xs) ys.push_back(std::sin(2.0 * x));
  double before = 1.0;
  for (const std::uint32_t size : {5U, 10U, 20U, 40U}) {
    const auto fit = fit_spline({.low = -2.0, .high = 2.0, .size = size, .order = 3}, xs, ys);
    ASSERT_TRUE(fit);
    EXPECT_LT(fit->residual, before / 8.0);  // a cubic's error falls with the fourth power of the step
    before = fit->residual;
  }
}

TEST(FitSpline, StaysLevelWhereThereAreNoSamples) {
  const SplineGrid grid{.low = -2.0, .high = 2.0, .size = 40, .order = 3};
  std::vector<double> xs = spread(-2.0, -1.0, 100);
  std::vector<double> ys;
  for (const double x : xs) ys.push_back(3.0 + std::cos(9.0 * x));
  const auto fit = fit_spline(grid, xs, ys);
  ASSERT_TRUE(fit);
  EXPECT_LT(fit->residual, 1e-3);
  for (const double coefficient : fit->coefficients) EXPECT_LT(std::abs(coefficient), 10.0);
  EXPECT_NEAR(fit->coefficients.back(), fit->coefficients[fit->coefficients.size() - 5], 1e-3);
}

TEST(FitSpline, CountsSamplesByTheirWeights) {
  const SplineGrid grid{.low = 0.0, .high = 1.0, .size = 1, .order = 1};
  const std::vector<double> xs{0.5, 0.5};
  const std::vector<double> ys{1.0, 5.0};
  const auto fit = fit_spline(grid, xs, ys, std::vector<double>{3.0, 1.0});
  ASSERT_TRUE(fit);
  EXPECT_NEAR(value_at(grid, fit->coefficients, 0.5), 2.0, 1e-6);
}

TEST(FitSpline, GivesTheSameBitsAgain) {
  Random random(3);
  std::vector<double> xs;
  std::vector<double> ys;
  for (int i = 0; i < 300; ++i) {
    xs.push_back(random.uniform(-3.0, 3.0));
    ys.push_back(random.uniform(-3.0, 3.0));
  }
  const SplineGrid grid{.size = 64, .order = 10};
  EXPECT_EQ(fit_spline(grid, xs, ys)->coefficients, fit_spline(grid, xs, ys)->coefficients);
}

TEST(FitSpline, SaysWhichSampleIsWrongAndWhenNoneCounts) {
  const SplineGrid grid{};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto broken = fit_spline(grid, std::vector<double>{0.0, 1.0}, std::vector<double>{0.0, nan});
  ASSERT_FALSE(broken);
  EXPECT_THAT(broken.error().message, testing::HasSubstr("sample 1"));
  const auto outside = fit_spline(grid, std::vector<double>{99.0}, std::vector<double>{1.0});
  ASSERT_FALSE(outside);
  EXPECT_THAT(outside.error().message, testing::HasSubstr("none of 1 samples"));
}

}  // namespace
}  // namespace kantrig::learned
