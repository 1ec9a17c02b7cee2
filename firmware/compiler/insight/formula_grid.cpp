#include "compiler/insight/formula_grid.hpp"

#include <cmath>
#include <numbers>

#include "compiler/learned/elementary.hpp"

namespace kantrig::insight {
namespace {

using learned::Function;

constexpr double kFarthest = 2.5;      // a vertex may lie this far from the middle
constexpr double kPoleNearest = 0.52;  // and a pole this near
constexpr double kPoleFarthest = 8.0;
constexpr double kSlopeMost = 80.0;
constexpr double kTangentEnd = 1.5;  // a tangent's argument, before its pole at pi / 2

std::vector<double> even(double low, double high, int count) {
  std::vector<double> values;
  for (int i = 0; i < count; ++i) values.push_back(low + (high - low) * i / (count - 1));
  return values;
}

/// Powers from `low` to `high`, of both signs or of one.
std::vector<double> powers(double low, double high, int count, bool both_signs) {
  std::vector<double> values;
  const double step = learned::logarithm(high / low) / (count - 1);
  for (int i = 0; i < count; ++i) {
    const double value = low * learned::exponential(step * i);
    values.push_back(value);
    if (both_signs) values.push_back(-value);
  }
  return values;
}

std::vector<Inner> product(const std::vector<double>& slopes, const std::vector<double>& places) {
  std::vector<Inner> grid;
  for (const double slope : slopes) {
    for (const double place : places) grid.push_back({slope, place});
  }
  return grid;
}

}  // namespace

Family family_of(Function function) noexcept {
  switch (function) {
    case Function::kZero:
    case Function::kIdentity:
      return Family::kLine;
    case Function::kSquare:
    case Function::kCube:
    case Function::kFourth:
    case Function::kAbs:
      return Family::kPlace;
    case Function::kReciprocal:
    case Function::kReciprocalSquare:
    case Function::kSquareRoot:
    case Function::kReciprocalRoot:
    case Function::kLog:
      return Family::kPole;
    case Function::kExp:
      return Family::kSlope;
    case Function::kSin:
    case Function::kCos:
      return Family::kWave;
    case Function::kTan:
      return Family::kTangent;
    default:
      return Family::kBoth;
  }
}

std::uint32_t fitted_numbers(Family family) noexcept {
  switch (family) {
    case Family::kLine:
      return 0;
    case Family::kPlace:
    case Family::kPole:
    case Family::kSlope:
      return 1;
    default:
      return 2;
  }
}

bool allowed(Family family, const Inner& inner) noexcept {
  const double slope = std::abs(inner.slope);
  switch (family) {
    case Family::kPlace:
      return std::abs(inner.place) <= 2.0 * kFarthest;
    case Family::kPole:
      return std::abs(inner.place) >= 0.5 && std::abs(inner.place) <= 2.0 * kPoleFarthest;
    case Family::kTangent:
      return slope * (std::abs(inner.place) + 0.5) <= kTangentEnd && slope >= 0.1 * kSlopeLeast;
    case Family::kWave:
      return slope <= 4.0 * std::numbers::pi * kPeriodsMost && slope >= 0.1 * kSlopeLeast;
    default:
      return slope <= 4.0 * kSlopeMost && slope >= 0.02 * kSlopeLeast && std::abs(inner.place) <= 20.0;
  }
}

std::vector<Inner> first_grid(Function function, Family family) {
  switch (family) {
    case Family::kPlace:
      return product({1.0}, even(-kFarthest, kFarthest, 61));
    case Family::kPole: {
      std::vector<double> places;
      for (const double beyond : powers(kPoleNearest - 0.5, kPoleFarthest, 30, false)) {
        places.push_back(0.5 + beyond);
        places.push_back(-0.5 - beyond);
      }
      places.insert(places.end(), {0.5, -0.5});
      return product({1.0}, places);
    }
    case Family::kSlope:
      return product(powers(0.1, 30.0, 40, true), {0.0});
    case Family::kTangent:
      return product(powers(kSlopeLeast, 2.9, 12, false), even(-1.0, 1.0, 41));
    case Family::kBoth:
      return product(powers(kSlopeLeast, kSlopeMost, 28, function == Function::kSilu), even(-1.2, 1.2, 37));
    default:
      return {{}};
  }
}

std::vector<Inner> zoomed_grid(Family family, const Inner& best, double slope_ratio, double place_step) {
  std::vector<double> slopes{best.slope};
  std::vector<double> places{best.place};
  const bool by_slope = family == Family::kSlope || family == Family::kTangent || family == Family::kBoth;
  if (by_slope) slopes = powers(best.slope / slope_ratio, best.slope * slope_ratio, 7, false);
  if (family != Family::kSlope) places = even(best.place - place_step, best.place + place_step, 7);
  return product(slopes, places);
}

}  // namespace kantrig::insight
