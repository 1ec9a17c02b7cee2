#include "compiler/learned/spline.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

namespace kantrig::learned {
namespace {

double sum_at(const SplineGrid& grid, double x) {
  const BasisRow row = basis_at(grid, x);
  return std::accumulate(row.values.begin(), row.values.begin() + row.count, 0.0);
}

/// The textbook recursion over the extended knots, for basis function k.
double cox_de_boor(const SplineGrid& grid, std::uint32_t k, std::uint32_t order, double x) {
  const auto knot = [&](std::uint32_t i) {
    return grid.low + (static_cast<double>(i) - static_cast<double>(grid.order)) * grid.step();
  };
  if (order == 0) return knot(k) <= x && x < knot(k + 1) ? 1.0 : 0.0;
  return (x - knot(k)) / (knot(k + order) - knot(k)) * cox_de_boor(grid, k, order - 1, x) +
         (knot(k + order + 1) - x) / (knot(k + order + 1) - knot(k + 1)) *
             cox_de_boor(grid, k + 1, order - 1, x);
}

TEST(Spline, BasisFunctionsSumToOneInsideTheGrid) {
  for (const std::uint32_t order : {1U, 2U, 3U, 5U, 10U}) {
    const SplineGrid grid{.low = -2.0, .high = 2.0, .size = 7, .order = order};
    for (double x = -2.0; x < 2.0; x += 0.0371)
      EXPECT_NEAR(sum_at(grid, x), 1.0, 1e-12) << "order " << order << " x " << x;
  }
}

TEST(Spline, CubicOnAKnotIsOneSixthTwoThirdsOneSixth) {
  const BasisRow row = basis_at({.low = 0.0, .high = 4.0, .size = 4, .order = 3}, 2.0);
  EXPECT_EQ(row.first, 2U);
  ASSERT_EQ(row.count, 4U);
  EXPECT_NEAR(row.values[0], 1.0 / 6.0, 1e-15);
  EXPECT_NEAR(row.values[1], 2.0 / 3.0, 1e-15);
  EXPECT_NEAR(row.values[2], 1.0 / 6.0, 1e-15);
  EXPECT_NEAR(row.values[3], 0.0, 1e-15);
  EXPECT_NEAR(row.slopes[0], -0.5, 1e-15);
  EXPECT_NEAR(row.slopes[1], 0.0, 1e-15);
  EXPECT_NEAR(row.slopes[2], 0.5, 1e-15);
}

TEST(Spline, AgreesWithTheTextbookRecursionInsideAndOutsideTheGrid) {
  const SplineGrid grid{.low = -1.5, .high = 2.5, .size = 6, .order = 3};
  for (double x = -4.0; x < 5.0; x += 0.0437) {
    const BasisRow row = basis_at(grid, x);
    for (std::uint32_t k = 0; k < grid.basis_count(); ++k) {
      const bool there = k >= row.first && k < row.first + row.count;
      EXPECT_NEAR(there ? row.values[k - row.first] : 0.0, cox_de_boor(grid, k, grid.order, x), 1e-12)
          << k << " at " << x;
    }
  }
}

TEST(Spline, SlopesAreTheDerivativesOfTheValues) {
  const SplineGrid grid{.low = -2.0, .high = 2.0, .size = 5, .order = 4};
  constexpr double kStep = 1e-6;
  for (double x = -3.9; x < 3.9; x += 0.0931) {
    const BasisRow row = basis_at(grid, x);
    for (std::uint32_t m = 0; m < row.count; ++m) {
      const std::uint32_t k = row.first + m;
      const double numeric =
          (cox_de_boor(grid, k, grid.order, x + kStep) - cox_de_boor(grid, k, grid.order, x - kStep)) /
          (2 * kStep);
      EXPECT_NEAR(row.slopes[m], numeric, 1e-7);
    }
  }
}

TEST(Spline, BeyondTheKnotsThereIsNoBasisFunction) {
  const SplineGrid grid{.low = 0.0, .high = 1.0, .size = 4, .order = 3};
  for (const double x : {-0.76, 1.75, 1e300, -1e300, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_EQ(basis_at(grid, x).count, 0U) << x;
  }
}

}  // namespace
}  // namespace kantrig::learned
