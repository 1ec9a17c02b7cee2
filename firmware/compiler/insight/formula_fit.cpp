#include "compiler/insight/formula_fit.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "compiler/insight/formula_grid.hpp"
#include "compiler/learned/elementary.hpp"

namespace kantrig::insight {
namespace {

using learned::Formula;
using learned::Function;

// Everything below runs in z = (x - middle) / width, so in [-1/2, 1/2], and f is put at (z - place) slope.
constexpr int kZooms = 3;
constexpr int kRefinements = 40;

/// Samples in z, with weights whose sum is 1.
struct Scaled {
  double middle = 0.0;
  double width = 1.0;
  std::vector<double> z;
  std::vector<double> y;
  std::vector<double> weights;
  double mean = 0.0;
  double variance = 0.0;
};

Scaled scale(const Samples& samples) {
  Scaled scaled;
  const auto [low, high] = std::minmax_element(samples.x.begin(), samples.x.end());
  scaled.middle = 0.5 * (*low + *high);
  scaled.width = *high - *low;
  double sum = 0.0;
  for (const double weight : samples.weights) sum += weight;
  for (std::size_t i = 0; i < samples.x.size(); ++i) {
    if (!(samples.weights[i] > 0.0)) continue;
    scaled.z.push_back((samples.x[i] - scaled.middle) / scaled.width);
    scaled.y.push_back(samples.y[i]);
    scaled.weights.push_back(samples.weights[i] / sum);
    scaled.mean += scaled.weights.back() * samples.y[i];
  }
  for (std::size_t i = 0; i < scaled.y.size(); ++i) {
    const double from_mean = scaled.y[i] - scaled.mean;
    scaled.variance += scaled.weights[i] * from_mean * from_mean;
  }
  return scaled;
}

/// The best outer_scale and outer_offset for inner values that the function has been put to.
struct Outer {
  double scale = 0.0;
  double offset = 0.0;
  double r2 = -1.0;
};

Outer solve_outer(const std::vector<double>& values, const Scaled& data) {
  double mean = 0.0;
  for (std::size_t i = 0; i < values.size(); ++i) mean += data.weights[i] * values[i];
  double variance = 0.0;
  double together = 0.0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double from_mean = values[i] - mean;
    variance += data.weights[i] * from_mean * from_mean;
    together += data.weights[i] * from_mean * (data.y[i] - data.mean);
  }
  if (!(variance > 1e-18 * (mean * mean + 1e-280)) || !(data.variance > 0.0)) return {};
  const double factor = together / variance;
  return {factor, data.mean - factor * mean, together * together / (variance * data.variance)};
}

std::vector<double> values_at(Function function, const Inner& inner, const Scaled& data) {
  std::vector<double> values;
  values.reserve(data.z.size());
  for (const double z : data.z)
    values.push_back(learned::value_of(function, inner.slope * (z - inner.place)));
  return values;
}

struct Found {
  Inner inner;
  Outer outer;
};

void take_best(Function function, Family family, const std::vector<Inner>& grid, const Scaled& data,
               Found& best) {
  for (const Inner& inner : grid) {
    if (!allowed(family, inner)) continue;
    const Outer outer = solve_outer(values_at(function, inner, data), data);
    if (outer.r2 > best.outer.r2) best = {inner, outer};
  }
}

Found search(Function function, Family family, const Scaled& data) {
  Found best;
  take_best(function, family, first_grid(function, family), data, best);
  double ratio = 1.25;
  double step = 0.09;
  for (int zoom = 0; zoom < kZooms && family != Family::kLine && best.outer.r2 > 0.0; ++zoom) {
    // powers() needs a positive beginning; a negative slope is mirrored.
    Inner centre = best.inner;
    const bool mirrored = centre.slope < 0.0;
    centre.slope = std::abs(centre.slope);
    std::vector<Inner> grid = zoomed_grid(family, centre, ratio, step);
    if (mirrored) {
      for (Inner& inner : grid) inner.slope = -inner.slope;
    }
    take_best(function, family, grid, data, best);
    ratio = 1.0 + (ratio - 1.0) / 3.0;
    step /= 3.0;
  }
  return best;
}

/// Amplitude and phase of a wave of given frequency are linear: sine and cosine side by side.
Found search_wave(const Scaled& data) {
  Found best;
  const auto at = [&](double frequency) {
    Eigen::Matrix3d normal = Eigen::Matrix3d::Zero();
    Eigen::Vector3d right = Eigen::Vector3d::Zero();
    for (std::size_t i = 0; i < data.z.size(); ++i) {
      const Eigen::Vector3d row(learned::sine(frequency * data.z[i]), learned::cosine(frequency * data.z[i]),
                                1.0);
      normal += data.weights[i] * row * row.transpose();
      right += data.weights[i] * data.y[i] * row;
    }
    const Eigen::Vector3d solution = normal.ldlt().solve(right);
    if (!solution.allFinite() || (solution(0) == 0.0 && solution(1) == 0.0)) return;
    // s sin(u) + c cos(u) = r sin(u + phase), phase within a quarter turn of 0 and a sign for r.
    const double phase =
        solution(0) != 0.0 ? learned::arctangent(solution(1) / solution(0)) : std::numbers::pi / 2.0;
    const Inner inner{frequency, -phase / frequency};
    const Outer outer = solve_outer(values_at(Function::kSin, inner, data), data);
    if (outer.r2 > best.outer.r2) best = {inner, outer};
  };
  constexpr double kStep = 0.3;
  for (double frequency = kSlopeLeast; frequency <= 2.0 * std::numbers::pi * kPeriodsMost; frequency += kStep)
    at(frequency);
  double step = kStep / 3.0;
  for (int zoom = 0; zoom < kZooms && best.outer.r2 > 0.0; ++zoom, step /= 4.0) {
    const double centre = best.inner.slope;
    for (int i = -4; i <= 4; ++i) {
      if (centre + step * i > 0.1 * kSlopeLeast) at(centre + step * i);
    }
  }
  return best;
}

/// Residuals with the outer numbers at their best (variable projection: Golub and Pereyra 1973).
Eigen::VectorXd residuals(Function function, const Inner& inner, const Scaled& data, Outer& outer) {
  const std::vector<double> values = values_at(function, inner, data);
  outer = solve_outer(values, data);
  Eigen::VectorXd left(static_cast<Eigen::Index>(values.size()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double fitted = outer.scale * values[i] + outer.offset;
    left(static_cast<Eigen::Index>(i)) = std::sqrt(data.weights[i]) * (data.y[i] - fitted);
  }
  return left;
}

/// Gauss and Newton, damped after Levenberg and Marquardt, over those of slope and place that are free.
void refine(Function function, Family family, const Scaled& data, Found& found) {
  const bool by_slope = family != Family::kPlace && family != Family::kPole;
  const bool by_place = family != Family::kSlope;
  const Eigen::Index free = (by_slope ? 1 : 0) + (by_place ? 1 : 0);
  const auto moved = [&](const Inner& from, const Eigen::VectorXd& step) {
    Inner to = from;
    Eigen::Index at = 0;
    if (by_slope) to.slope += step(at++);
    if (by_place) to.place += step(at);
    return to;
  };
  double damping = 1e-3;
  for (int round = 0; round < kRefinements; ++round) {
    const Eigen::VectorXd now = residuals(function, found.inner, data, found.outer);
    Eigen::MatrixXd slopes(now.size(), free);
    Outer unused;
    for (Eigen::Index p = 0; p < free; ++p) {
      Eigen::VectorXd step = Eigen::VectorXd::Zero(free);
      step(p) = 1e-6 * (by_slope && p == 0 ? std::abs(found.inner.slope) : 1.0);
      slopes.col(p) = (residuals(function, moved(found.inner, step), data, unused) -
                       residuals(function, moved(found.inner, -step), data, unused)) /
                      (2.0 * step(p));
    }
    Eigen::MatrixXd normal = slopes.transpose() * slopes;
    normal.diagonal() *= 1.0 + damping;
    const Eigen::VectorXd step = normal.ldlt().solve(-slopes.transpose() * now);
    if (!step.allFinite()) return;
    const Inner next = moved(found.inner, step);
    Outer outer;
    const bool better =
        allowed(family, next) && residuals(function, next, data, outer).squaredNorm() < now.squaredNorm();
    if (better) found = {next, outer};
    damping = better ? damping / 10.0 : damping * 10.0;
    if (damping > 1e8) return;
  }
}

/// From z back to x, in the form that reads best: a slope of 1 where the function is homogeneous.
Formula in_x(Function function, Family family, const Inner& inner, const Scaled& data) {
  Formula formula{.function = function};
  const double place = data.middle + inner.place * data.width;
  switch (family) {
    case Family::kLine:
      break;
    case Family::kPlace:
      formula.inner_offset = -place;
      break;
    case Family::kPole:  // the argument is positive over the range
      formula.inner_scale = inner.place > 0.0 ? -1.0 : 1.0;
      formula.inner_offset = -formula.inner_scale * place;
      break;
    case Family::kSlope:
      formula.inner_scale = inner.slope / data.width;
      if (std::abs(formula.inner_scale * data.middle) > 20.0)
        formula.inner_offset = -formula.inner_scale * data.middle;
      break;
    default:
      formula.inner_scale = inner.slope / data.width;
      formula.inner_offset = -formula.inner_scale * place;
  }
  return formula;
}

/// The phase of a sine, and whether a cosine has a smaller one.
void normalise_wave(Formula& formula) {
  constexpr double kHalfTurn = std::numbers::pi;
  const double turns = learned::round_half_even(formula.inner_offset / kHalfTurn);
  formula.inner_offset -= turns * kHalfTurn;  // within a quarter turn; the sign goes into the outer scale
  if (std::abs(formula.inner_offset) <= kHalfTurn / 4.0) return;
  formula.function = Function::kCos;
  formula.inner_offset -= std::copysign(kHalfTurn / 2.0, formula.inner_offset);
}

}  // namespace

std::optional<FunctionFit> fit_function(Function function, const Samples& samples) {
  if (function == Function::kZero) return std::nullopt;
  const Scaled data = scale(samples);
  if (data.z.size() < 4 || !(data.variance > 0.0) || !(data.width > 0.0)) return std::nullopt;
  const Family family = family_of(function);
  const Function fitted = family == Family::kWave ? Function::kSin : function;
  Found found = family == Family::kWave ? search_wave(data) : search(fitted, family, data);
  if (!(found.outer.r2 > 0.0)) return std::nullopt;
  if (family != Family::kLine) refine(fitted, family, data, found);

  FunctionFit fit{.formula = in_x(fitted, family, found.inner, data), .inner = fitted_numbers(family)};
  if (family == Family::kWave) normalise_wave(fit.formula);
  if (fit.formula.function != function) return std::nullopt;
  std::vector<double> values;
  for (const double z : data.z) {
    const double x = data.middle + z * data.width;
    values.push_back(learned::value_of(function, fit.formula.inner_scale * x + fit.formula.inner_offset));
  }
  const Outer outer = solve_outer(values, data);
  if (!(outer.r2 > 0.0)) return std::nullopt;
  fit.formula.outer_scale = outer.scale;
  fit.formula.outer_offset = outer.offset;
  double squares = 0.0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double left = data.y[i] - outer.scale * values[i] - outer.offset;
    squares += data.weights[i] * left * left;
  }
  fit.r2 = 1.0 - squares / data.variance;
  return fit;
}

}  // namespace kantrig::insight
