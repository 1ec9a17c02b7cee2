// B-splines on a uniform grid with extended knots: the basis in which an edge's function is learned.
#pragma once

#include <array>
#include <cstdint>

namespace kantrig::learned {

inline constexpr std::uint32_t kSplineOrderMax = 10;
inline constexpr std::uint32_t kGridSizeMax = 256;

/// `size` cells over [low, high], knots t_i = low + (i - order) step for i = 0 .. size + 2 order, so size +
/// order basis functions. Inside [low, high) they sum to 1; outside their support thins out and beyond the
/// knots there is none.
struct SplineGrid {
  double low = -2.0;
  double high = 2.0;
  std::uint32_t size = 8;   // 1..kGridSizeMax
  std::uint32_t order = 3;  // 1..kSplineOrderMax; 3 is cubic

  [[nodiscard]] std::uint32_t basis_count() const noexcept { return size + order; }
  [[nodiscard]] double step() const noexcept { return (high - low) / size; }
};

/// The basis functions that are not 0 at one point: number `first` and the `count - 1` after it.
struct BasisRow {
  std::uint32_t first = 0;
  std::uint32_t count = 0;  // 0..order + 1
  std::array<double, kSplineOrderMax + 1> values{};
  std::array<double, kSplineOrderMax + 1> slopes{};  // d/dx of the values
};

/// Cox and de Boor (de Boor, A Practical Guide to Splines, ch. X), cells half open: t_i <= x < t_(i+1).
[[nodiscard]] BasisRow basis_at(const SplineGrid& grid, double x) noexcept;

}  // namespace kantrig::learned
