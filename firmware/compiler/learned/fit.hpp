// fit_spline(): the spline nearest to samples of a function, by least squares: to refine a grid, to start
// from a known function, to take over somebody else's edge.
#pragma once

#include <span>
#include <vector>

#include "base/result.hpp"
#include "compiler/learned/spline.hpp"

namespace kantrig::learned {

struct SplineFit {
  std::vector<double> coefficients;  // one for each basis function of the grid
  double residual = 0.0;             // r.m.s. of what is left, weighted as the samples
};

/// How strongly neighbouring coefficients are drawn together, relative to the mean of the normal matrix's
/// diagonal. Where there are samples it changes values by about this part; where there are none the spline
/// stays level.
inline constexpr double kSplineRidge = 1e-10;

/// Minimises sum of w (y - spline(x))^2 + ridge x sum of (c_(k+1) - c_k)^2. `weights` may be empty: 1 each.
/// Samples outside the grid's knots count for nothing. Fails without a sample that counts and on numbers that
/// are not finite. The same samples give the same bits.
[[nodiscard]] Result<SplineFit> fit_spline(const SplineGrid& grid, std::span<const double> xs,
                                           std::span<const double> ys, std::span<const double> weights = {},
                                           double ridge = kSplineRidge);

}  // namespace kantrig::learned
