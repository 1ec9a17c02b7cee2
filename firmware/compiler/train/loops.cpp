// Built for several instruction sets by target_clones; every set gives the same bits (lanes.hpp).
#include "compiler/train/loops.hpp"

#include "compiler/train/lanes.hpp"

namespace kantrig::train::loops {
namespace {

using lanes::all;
using lanes::Float8;
using lanes::Int8;
using lanes::load;
using lanes::store;

constexpr std::size_t kTermsMax = learned::kSplineOrderMax + 1;

/// Raises the order of eight points' values at u, the place inside the cell in steps.
KANTRIG_LANES_INLINE void raise_order(Float8* values, std::size_t order, Float8 u) noexcept {
  const Float8 share = all(1.0F / static_cast<float>(order));
  Float8 carried = all(0.0F);
  for (std::size_t m = 0; m < order; ++m) {
    const Float8 part = values[m] * share;
    values[m] = carried + (all(static_cast<float>(m + 1)) - u) * part;
    carried = (all(static_cast<float>(order - 1 - m)) + u) * part;
  }
  values[order] = carried;
}

}  // namespace

KANTRIG_LANES_CLONES
void spline_points(const learned::SplineGrid& grid, const float* x, std::size_t count, std::size_t stride,
                   std::int32_t* rows, float* basis, float* slopes) noexcept {
  const auto order = static_cast<std::size_t>(grid.order);
  const Float8 low = all(static_cast<float>(grid.low));
  const Float8 per_step = all(static_cast<float>(1.0 / grid.step()));
  const Float8 before = all(static_cast<float>(order));
  const float last = static_cast<float>(grid.size + 2 * order - 1);
  for (std::size_t begin = 0; begin < count; begin += lanes::kWidth) {
    Float8 place = (load(x + begin) - low) * per_step + before;  // in steps from the first knot
    const Int8 outside = (place < 0.0F) | (place >= last + 1.0F) | (place != place);
    place = outside ? all(0.0F) : place;
    const Float8 cell = lanes::smaller(lanes::floor(place), all(last));
    const Float8 u = place - cell;
    Float8 values[kTermsMax];
    values[0] = outside ? all(0.0F) : all(1.0F);
    for (std::size_t raised = 1; raised < order; ++raised) raise_order(values, raised, u);
    if (slopes != nullptr) {  // of a uniform spline: the difference of two of one order less, over the step
      for (std::size_t m = 0; m <= order; ++m) {
        const Float8 left = m == 0 ? all(0.0F) : values[m - 1];
        const Float8 right = m == order ? all(0.0F) : values[m];
        store(slopes + m * stride + begin, (left - right) * per_step);
      }
    }
    raise_order(values, order, u);
    for (std::size_t m = 0; m <= order; ++m) store(basis + m * stride + begin, values[m]);
    const Int8 row = __builtin_convertvector(cell, Int8);
    for (std::size_t i = 0; i < lanes::kWidth; ++i) rows[begin + i] = row[i];
  }
}

KANTRIG_LANES_CLONES
void silu_points(const float* x, std::size_t count, float* value, float* slope) noexcept {
  for (std::size_t begin = 0; begin < count; begin += lanes::kWidth) {
    const Float8 v = load(x + begin);
    const Float8 sigmoid = all(1.0F) / (all(1.0F) + lanes::exponential(-v));
    store(value + begin, v * sigmoid);
    if (slope != nullptr) store(slope + begin, sigmoid * (all(1.0F) + v * (all(1.0F) - sigmoid)));
  }
}

KANTRIG_LANES_CLONES
void add_edges(const PointsView& points, const EdgesView& edges, float* out,
               std::size_t out_stride) noexcept {
  for (std::size_t p = 0; p < points.count; ++p) {
    const float* const first =
        edges.terms == 0 ? nullptr
                         : edges.coefficients + static_cast<std::size_t>(points.rows[p]) * edges.width;
    const float* const basis = points.basis + p;
    const Float8 base = all(points.base[p]);
    for (std::size_t k = 0; k < edges.width; k += lanes::kWidth) {
      Float8 value = load(out + p * out_stride + k) + load(edges.weights + k) * base;
      const float* coefficient = first + k;
      for (std::size_t m = 0; m < edges.terms; ++m, coefficient += edges.width)
        value += load(coefficient) * all(basis[m * points.stride]);
      store(out + p * out_stride + k, value);
    }
  }
}

KANTRIG_LANES_CLONES
void edge_slopes(const PointsView& points, const EdgesView& edges, float* out,
                 std::size_t out_stride) noexcept {
  for (std::size_t p = 0; p < points.count; ++p) {
    const float* const first =
        edges.terms == 0 ? nullptr
                         : edges.coefficients + static_cast<std::size_t>(points.rows[p]) * edges.width;
    const Float8 base = all(points.base_slope[p]);
    for (std::size_t k = 0; k < edges.width; k += lanes::kWidth) {
      Float8 value = load(edges.weights + k) * base;
      const float* coefficient = first + k;
      for (std::size_t m = 0; m < edges.terms; ++m, coefficient += edges.width)
        value += load(coefficient) * all(points.slopes[m * points.stride + p]);
      store(out + p * out_stride + k, value);
    }
  }
}

KANTRIG_LANES_CLONES
void input_gradients(const PointsView& points, const EdgesView& edges, const float* gradient,
                     std::size_t gradient_stride, float* out) noexcept {
  for (std::size_t p = 0; p < points.count; ++p) {
    const float* const first =
        edges.terms == 0 ? nullptr
                         : edges.coefficients + static_cast<std::size_t>(points.rows[p]) * edges.width;
    const Float8 base = all(points.base_slope[p]);
    Float8 total = all(0.0F);
    for (std::size_t k = 0; k < edges.width; k += lanes::kWidth) {
      Float8 slope = load(edges.weights + k) * base;
      const float* coefficient = first + k;
      for (std::size_t m = 0; m < edges.terms; ++m, coefficient += edges.width)
        slope += load(coefficient) * all(points.slopes[m * points.stride + p]);
      total += slope * load(gradient + p * gradient_stride + k);
    }
    out[p] = lanes::sum(total);
  }
}

KANTRIG_LANES_CLONES
void gather_gradients(const PointsView& points, const EdgesView& edges, const float* gradient,
                      std::size_t gradient_stride, float* by_coefficients, float* by_weights) noexcept {
  for (std::size_t p = 0; p < points.count; ++p) {
    const std::size_t first = edges.terms == 0 ? 0 : static_cast<std::size_t>(points.rows[p]) * edges.width;
    const Float8 base = all(points.base[p]);
    for (std::size_t k = 0; k < edges.width; k += lanes::kWidth) {
      const Float8 by_output = load(gradient + p * gradient_stride + k);
      store(by_weights + k, load(by_weights + k) + by_output * base);
      float* to = by_coefficients + first + k;
      for (std::size_t m = 0; m < edges.terms; ++m, to += edges.width)
        store(to, load(to) + by_output * all(points.basis[m * points.stride + p]));
    }
  }
}

KANTRIG_LANES_CLONES
void look_up(const TablesView& tables, const std::uint16_t* codes, std::size_t codes_stride, std::size_t rows,
             const float* start, float* sums) noexcept {
  for (std::size_t r = 0; r < rows; ++r, codes += codes_stride) {
    for (std::size_t k = 0; k < tables.width; k += lanes::kWidth) {
      Float8 sum = load(start + k);
      const float* const entries = tables.entries + k;
      for (std::size_t j = 0; j < tables.inputs; ++j)
        sum += load(entries + (std::size_t{tables.offsets[j]} + codes[j]) * tables.width);
      store(sums + r * tables.width + k, sum);
    }
  }
}

KANTRIG_LANES_CLONES
void scatter(const TablesView& slopes, const std::uint16_t* codes, std::size_t codes_stride, std::size_t rows,
             const float* gradient, float* gathered, float* by_inputs) noexcept {
  for (std::size_t r = 0; r < rows; ++r, codes += codes_stride) {
    const float* const by_sums = gradient + r * slopes.width;
    for (std::size_t j = 0; j < slopes.inputs; ++j) {
      const std::size_t row = (std::size_t{slopes.offsets[j]} + codes[j]) * slopes.width;
      Float8 total = all(0.0F);
      for (std::size_t k = 0; k < slopes.width; k += lanes::kWidth) {
        const Float8 by_sum = load(by_sums + k);
        store(gathered + row + k, load(gathered + row + k) + by_sum);
        if (by_inputs != nullptr) total += load(slopes.entries + row + k) * by_sum;
      }
      if (by_inputs != nullptr) by_inputs[r * slopes.inputs + j] = lanes::sum(total);
    }
  }
}

KANTRIG_LANES_CLONES
void clamp_sums(const ClampView& clamp, std::size_t rows, const float* sums, float* outputs) noexcept {
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t k = 0; k < clamp.width; k += lanes::kWidth) {
      const std::size_t at = r * clamp.width + k;
      Float8 value = load(sums + at) * all(clamp.inverse_unit);
      value = lanes::larger(lanes::smaller(value, load(clamp.high + k)), load(clamp.low + k));
      if (clamp.inverse_unit != 1.0F) value = lanes::floor(value + all(0.5F));
      store(outputs + at, lanes::smaller(value, load(clamp.high + k)));
    }
  }
}

KANTRIG_LANES_CLONES
void unclamp_gradients(const ClampView& clamp, std::size_t rows, const float* sums, float* gradient,
                       float* by_range, float* by_bias) noexcept {
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t k = 0; k < clamp.width; k += lanes::kWidth) {
      const std::size_t at = r * clamp.width + k;
      const Float8 value = load(sums + at) * all(clamp.inverse_unit);
      const Float8 low = load(clamp.low + k);
      const Float8 high = load(clamp.high + k);
      const Float8 by_output = load(gradient + at);
      const Float8 end = value < low ? low : (value > high ? high : all(0.0F));
      const Int8 outside = (value < low) | (value > high);
      const Float8 passed = outside ? all(0.0F) : by_output;
      store(by_range + k, load(by_range + k) + by_output * end);
      store(by_bias + k, load(by_bias + k) + passed);
      store(gradient + at, passed);
    }
  }
}

KANTRIG_LANES_CLONES
void quantise_entries(const EntriesView& view, std::size_t points, const float* values, float* entries,
                      float* passes, float* slopes) noexcept {
  for (std::size_t p = 0; p < points; ++p) {
    for (std::size_t k = 0; k < view.width; k += lanes::kWidth) {
      const std::size_t at = p * view.width + k;
      const Float8 in_multiples = lanes::larger(
          lanes::smaller(load(values + at) * load(view.inverse_unit + k) * load(view.inverse_multiple + k),
                         all(0x1.0p21F)),
          all(-0x1.0p21F));
      const Float8 wanted = lanes::round(in_multiples) * load(view.multiple + k);
      const Float8 low = load(view.low + k);
      const Float8 high = load(view.high + k);
      const Float8 active = load(view.active + k);
      const Int8 outside = (wanted < low) | (wanted > high);
      const Float8 pass = outside ? all(0.0F) : active;
      store(entries + at, lanes::larger(lanes::smaller(wanted, high), low) * active);
      store(passes + at, pass);
      store(slopes + at, load(slopes + at) * pass);
    }
  }
}

}  // namespace kantrig::train::loops
