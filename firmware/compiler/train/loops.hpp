// The hot loops of training: one input of a layer at many points at once. Points are rows of a batch in float
// training, and the codes of the input in table training, so both engines share them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "compiler/learned/elementary.hpp"
#include "compiler/learned/spline.hpp"

namespace kantrig::train::loops {

inline constexpr std::size_t kLanes = 8;  // nodes are padded to this, and points

[[nodiscard]] constexpr std::size_t padded(std::size_t count) noexcept {
  return (count + kLanes - 1) / kLanes * kLanes;
}

/// How many rows of coefficients an input has: `order` rows of zeros stand before and after its basis
/// functions, so that a point anywhere finds order + 1 rows.
[[nodiscard]] constexpr std::size_t coefficient_rows(const learned::SplineGrid& grid) noexcept {
  return grid.size + std::size_t{3} * grid.order;
}

/// What an edge is made of at `count` points (padded to kLanes); arrays of one value a point, `basis` and
/// `slopes` of order + 1 such arrays, each `stride` after the other. slopes and base_slope may be null.
struct PointsView {
  std::size_t count = 0;
  std::size_t stride = 0;
  const std::int32_t* rows = nullptr;  // first coefficient row of each point
  const float* basis = nullptr;
  const float* slopes = nullptr;  // d basis / dx
  const float* base = nullptr;    // base function, x or max(x, 0)
  const float* base_slope = nullptr;
};

/// Fills rows, basis and, unless null, slopes for the points x. x, rows and the arrays hold padded(count)
/// values.
void spline_points(const learned::SplineGrid& grid, const float* x, std::size_t count, std::size_t stride,
                   std::int32_t* rows, float* basis, float* slopes) noexcept;

/// SiLU and its slope, unless that is null.
void silu_points(const float* x, std::size_t count, float* value, float* slope) noexcept;

/// One input's edges to all nodes: coefficients [row][node], weights [node], nodes padded.
struct EdgesView {
  const float* coefficients = nullptr;  // null: no spline
  const float* weights = nullptr;
  std::size_t width = 0;  // padded nodes
  std::size_t terms = 0;  // order + 1, or 0 without a spline
};

/// out[point][node] += edge(point); out_stride >= width.
void add_edges(const PointsView& points, const EdgesView& edges, float* out, std::size_t out_stride) noexcept;
/// out[point][node] = d edge / dx at the point.
void edge_slopes(const PointsView& points, const EdgesView& edges, float* out,
                 std::size_t out_stride) noexcept;
/// out[point] = sum over nodes of d edge / dx x gradient[point][node].
void input_gradients(const PointsView& points, const EdgesView& edges, const float* gradient,
                     std::size_t gradient_stride, float* out) noexcept;
/// Adds each point's gradient[point][node] to the gradients of the coefficients and weights it is made of.
void gather_gradients(const PointsView& points, const EdgesView& edges, const float* gradient,
                      std::size_t gradient_stride, float* by_coefficients, float* by_weights) noexcept;

/// Events through a layer of tables: sums[r][node] = start[node] + sum over inputs of entries[offsets[j] +
/// codes[r][j]][node].
struct TablesView {
  const float* entries = nullptr;          // [input and code][node]
  const std::uint32_t* offsets = nullptr;  // [input], in rows of entries
  std::size_t inputs = 0;
  std::size_t width = 0;
};
void look_up(const TablesView& tables, const std::uint16_t* codes, std::size_t codes_stride, std::size_t rows,
             const float* start, float* sums) noexcept;
/// The way back: gradient[r][node] is added to gathered at the same entries; unless by_inputs is null,
/// by_inputs[r][j] = sum over nodes of slopes at the entry x gradient.
void scatter(const TablesView& slopes, const std::uint16_t* codes, std::size_t codes_stride, std::size_t rows,
             const float* gradient, float* gathered, float* by_inputs) noexcept;

/// How the sums of a node become its code: y = clamp(floor(sum x inverse_unit + 1/2), low, high), or without
/// the half where there are no guard bits (sums are integers then, so it is the same).
struct ClampView {
  const float* low = nullptr;   // [node]
  const float* high = nullptr;  // [node]
  float inverse_unit = 1.0F;    // 2^-guard_bits
  std::size_t width = 0;
};
/// In place: sums become clamped integers.
void clamp_sums(const ClampView& clamp, std::size_t rows, const float* sums, float* outputs) noexcept;
/// Gradients by the outputs become gradients by the sums: zero where the node was clamped. Adds what a
/// clamped node says about its range to by_range[node] (gradient x clamped integer), and all that passed to
/// by_bias[node].
void unclamp_gradients(const ClampView& clamp, std::size_t rows, const float* sums, float* gradient,
                       float* by_range, float* by_bias) noexcept;

/// Entries of a table row from real values: round(value x inverse_unit / multiple) x multiple within +-limit,
/// times active; slopes are multiplied by active, and by 0 where the entry was clamped.
struct EntriesView {
  const float* inverse_unit = nullptr;  // [node]
  const float* multiple = nullptr;      // [node]
  const float* inverse_multiple = nullptr;
  const float* low = nullptr;  // [node], multiples of `multiple`, as `high`
  const float* high = nullptr;
  const float* active = nullptr;  // [node], 1 or 0
  std::size_t width = 0;
};
void quantise_entries(const EntriesView& view, std::size_t points, const float* values, float* entries,
                      float* passes, float* slopes) noexcept;

}  // namespace kantrig::train::loops
