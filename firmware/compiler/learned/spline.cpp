#include "compiler/learned/spline.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <cmath>

namespace kantrig::learned {
namespace {

using Values = std::array<double, kSplineOrderMax + 1>;

/// Raises the order of the values at `u`, the place inside the cell in steps, from `order - 1` to `order`.
/// values[m] belongs to the basis function whose support starts order - m cells before the cell.
void raise_order(Values& values, std::uint32_t order, double u) noexcept {
  double carried = 0.0;
  for (std::uint32_t m = 0; m < order; ++m) {
    const double right = static_cast<double>(m) + 1.0 - u;
    const double left = static_cast<double>(order - 1 - m) + u;
    const double share = values[m] / static_cast<double>(order);
    values[m] = carried + right * share;
    carried = left * share;
  }
  values[order] = carried;
}

}  // namespace

BasisRow basis_at(const SplineGrid& grid, double x) noexcept {
  KANTRIG_ASSERT(grid.order >= 1 && grid.order <= kSplineOrderMax && grid.size >= 1);
  BasisRow row;
  const double place = (x - grid.low) / grid.step() + grid.order;  // in steps from the first knot
  const double cells = grid.size + 2.0 * grid.order;
  if (!(place >= 0.0 && place < cells)) return row;
  const auto cell = static_cast<std::int64_t>(place);
  const double u = place - static_cast<double>(cell);

  Values values{};
  values[0] = 1.0;
  for (std::uint32_t order = 1; order < grid.order; ++order) raise_order(values, order, u);
  Values slopes{};  // of a uniform spline: the difference of two of one order less, over the step
  for (std::uint32_t m = 0; m <= grid.order; ++m) {
    const double before = m == 0 ? 0.0 : values[m - 1];
    const double after = m == grid.order ? 0.0 : values[m];
    slopes[m] = (before - after) / grid.step();
  }
  raise_order(values, grid.order, u);

  // Functions cell - order .. cell, of which those outside 0 .. basis_count - 1 are not there.
  const std::int64_t lowest = cell - grid.order;
  const std::int64_t begin = std::max<std::int64_t>(lowest, 0);
  const std::int64_t end = std::min<std::int64_t>(cell + 1, grid.basis_count());
  row.first = static_cast<std::uint32_t>(begin);
  row.count = static_cast<std::uint32_t>(std::max<std::int64_t>(end - begin, 0));
  const auto skipped = static_cast<std::size_t>(begin - lowest);
  for (std::size_t m = 0; m < row.count; ++m) {
    row.values[m] = values[m + skipped];
    row.slopes[m] = slopes[m + skipped];
  }
  return row;
}

}  // namespace kantrig::learned
