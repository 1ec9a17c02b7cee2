// Real comparisons as integer thresholds, found by search so that they hold exactly at every integer.
#pragma once

#include <cstdint>

#include "menu/expression.hpp"

namespace kantrig::menu {

inline constexpr std::int32_t kCompared16Max =
    32767;  // thresholds on saturated 16-bit differences: +-this is exact

/// <= is the opposite of >, and < of >=.
[[nodiscard]] constexpr bool is_opposite(Comparison comparison) noexcept {
  return comparison == Comparison::kAtMost || comparison == Comparison::kBelow;
}

/// One side of a comparison, `quantity >= value` or `quantity > value`; or the opposite of that.
struct Bound {
  double value = 0.0;
  bool strict = false;
  bool opposite = false;
  [[nodiscard]] bool reached_by(double quantity) const noexcept {
    return strict ? quantity > value : quantity >= value;
  }
};

[[nodiscard]] inline Bound bound_of(const Expression& expression) noexcept {
  const Comparison comparison = expression.comparison;
  return {expression.value, comparison == Comparison::kAbove || comparison == Comparison::kAtMost,
          is_opposite(comparison)};
}

/// The least integer in [low, high] that fulfils `condition`, high + 1 when none does. Precondition: what
/// holds for an integer holds for every larger one.
template <typename Condition>
[[nodiscard]] std::int32_t least(std::int32_t low, std::int32_t high, const Condition& condition) {
  std::int32_t end = high + 1;
  while (low < end) {
    const std::int32_t middle = low + (end - low) / 2;
    if (condition(middle)) {
      end = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

}  // namespace kantrig::menu
