#include "compiler/learned/fit.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include <algorithm>
#include <cmath>

#include "base/assert.hpp"

namespace kantrig::learned {
namespace {

double weight_of(std::span<const double> weights, std::size_t i) noexcept {
  return weights.empty() ? 1.0 : weights[i];
}

Result<void> check_samples(std::span<const double> xs, std::span<const double> ys,
                           std::span<const double> weights) {
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const double weight = weight_of(weights, i);
    if (std::isfinite(xs[i]) && std::isfinite(ys[i]) && std::isfinite(weight) && weight >= 0.0) continue;
    return fail(ErrorCode::kInvalid,
                "sample {}: x {}, y {}, weight {}; expected finite numbers and no negative weight", i, xs[i],
                ys[i], weight);
  }
  return {};
}

struct NormalEquations {
  Eigen::MatrixXd matrix;
  Eigen::VectorXd right;
};

NormalEquations gather(const SplineGrid& grid, std::span<const double> xs, std::span<const double> ys,
                       std::span<const double> weights) {
  const auto count = static_cast<Eigen::Index>(grid.basis_count());
  NormalEquations equations{Eigen::MatrixXd::Zero(count, count), Eigen::VectorXd::Zero(count)};
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const BasisRow row = basis_at(grid, xs[i]);
    const auto first = static_cast<Eigen::Index>(row.first);
    for (std::size_t a = 0; a < row.count; ++a) {
      const double weighted = weight_of(weights, i) * row.values[a];
      const auto at = first + static_cast<Eigen::Index>(a);
      equations.right(at) += weighted * ys[i];
      for (std::size_t b = 0; b < row.count; ++b)
        equations.matrix(at, first + static_cast<Eigen::Index>(b)) += weighted * row.values[b];
    }
  }
  return equations;
}

double value_at(const SplineGrid& grid, const std::vector<double>& coefficients, double x) {
  const BasisRow row = basis_at(grid, x);
  double sum = 0.0;
  for (std::size_t a = 0; a < row.count; ++a) sum += coefficients[row.first + a] * row.values[a];
  return sum;
}

double residual_of(const SplineGrid& grid, const std::vector<double>& coefficients,
                   std::span<const double> xs, std::span<const double> ys, std::span<const double> weights) {
  double squares = 0.0;
  double total = 0.0;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    if (basis_at(grid, xs[i]).count == 0) continue;
    const double left = ys[i] - value_at(grid, coefficients, xs[i]);
    squares += weight_of(weights, i) * left * left;
    total += weight_of(weights, i);
  }
  return std::sqrt(squares / total);
}

}  // namespace

Result<SplineFit> fit_spline(const SplineGrid& grid, std::span<const double> xs, std::span<const double> ys,
                             std::span<const double> weights, double ridge) {
  KANTRIG_ASSERT(xs.size() == ys.size() && (weights.empty() || weights.size() == xs.size()) && ridge > 0.0);
  if (auto ok = check_samples(xs, ys, weights); !ok) return tl::unexpected(ok.error());
  NormalEquations equations = gather(grid, xs, ys, weights);
  const Eigen::Index count = equations.matrix.rows();
  const double mean = equations.matrix.trace() / static_cast<double>(count);
  if (!(mean > 0.0)) {
    return fail(ErrorCode::kInvalid, "none of {} samples lies where the spline on [{}, {}] is not 0",
                xs.size(), grid.low, grid.high);
  }
  const double pull = ridge * mean;
  for (Eigen::Index k = 0; k + 1 < count; ++k) {
    equations.matrix(k, k) += pull;
    equations.matrix(k + 1, k + 1) += pull;
    equations.matrix(k, k + 1) -= pull;
    equations.matrix(k + 1, k) -= pull;
  }
  const Eigen::VectorXd solution = equations.matrix.ldlt().solve(equations.right);
  if (!solution.allFinite())
    return fail(ErrorCode::kInvalid, "the samples are too far apart in size for a spline");
  SplineFit fit;
  fit.coefficients.assign(solution.begin(), solution.end());
  fit.residual = residual_of(grid, fit.coefficients, xs, ys, weights);
  return fit;
}

}  // namespace kantrig::learned
