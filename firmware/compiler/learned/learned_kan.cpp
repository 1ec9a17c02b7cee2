#include "compiler/learned/learned_kan.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/assert.hpp"

namespace kantrig::learned {
namespace {

double rounded_basis(const Layer& layer, double value) noexcept {
  if (layer.basis_bits == 0) return value;
  const double steps = (1U << layer.basis_bits) - 1;
  return round_half_even(value * steps) / steps;
}

/// Cox and de Boor over any rising knots; the functions that are not 0 at x, at most order + 1.
double spline_value(const Layer& layer, std::uint32_t input, std::uint32_t node, double x) noexcept {
  const std::vector<double>& knots = layer.knots[input];
  if (!(x >= knots.front() && x < knots.back())) return 0.0;
  const std::uint32_t order = layer.grid.order;
  const auto cell =
      static_cast<std::size_t>(std::upper_bound(knots.begin(), knots.end(), x) - knots.begin() - 1);
  std::array<double, kSplineOrderMax + 2> values{};  // of the functions cell - order .. cell
  values[order] = 1.0;
  const auto over = [](double part, double whole) { return whole > 0.0 ? part / whole : 0.0; };
  const auto knot = [&](std::ptrdiff_t i) {
    return knots[static_cast<std::size_t>(
        std::clamp<std::ptrdiff_t>(i, 0, static_cast<std::ptrdiff_t>(knots.size()) - 1))];
  };
  for (std::uint32_t raised = 1; raised <= order; ++raised) {
    for (std::uint32_t m = order - raised; m <= order; ++m) {
      const std::ptrdiff_t i = static_cast<std::ptrdiff_t>(cell) - order + m;
      const double left = over(x - knot(i), knot(i + raised) - knot(i)) * values[m];
      const double right = over(knot(i + raised + 1) - x, knot(i + raised + 1) - knot(i + 1)) * values[m + 1];
      values[m] = left + right;
    }
  }
  double sum = 0.0;
  for (std::uint32_t m = 0; m <= order; ++m) {
    const std::ptrdiff_t k = static_cast<std::ptrdiff_t>(cell) - order + m;
    if (k < 0 || k >= static_cast<std::ptrdiff_t>(layer.basis_count())) continue;
    const auto basis = std::size_t{input} * layer.basis_count() + static_cast<std::size_t>(k);
    sum += layer.coefficients[basis * layer.nodes + node] * rounded_basis(layer, values[m]);
  }
  return sum;
}

double uniform_spline_value(const Layer& layer, std::uint32_t input, std::uint32_t node, double value,
                            double x) noexcept {
  const BasisRow row = basis_at(layer.grid, x);
  for (std::size_t m = 0; m < row.count; ++m) {
    const std::size_t basis = std::size_t{input} * layer.basis_count() + row.first + m;
    value += layer.coefficients[basis * layer.nodes + node] * rounded_basis(layer, row.values[m]);
  }
  return value;
}

double clamped(const NodeQuantizer& quantizer, double value) noexcept {
  return std::clamp(value, quantizer.low() * quantizer.scale(), quantizer.high() * quantizer.scale());
}

std::vector<double> run_layer(const Layer& layer, std::span<const double> values) {
  std::vector<double> outputs = layer.biases;
  for (std::uint32_t j = 0; j < layer.inputs; ++j) {
    for (std::uint32_t k = 0; k < layer.nodes; ++k) outputs[k] += edge_value(layer, j, k, values[j]);
  }
  if (layer.quantizers.empty()) return outputs;
  for (std::uint32_t k = 0; k < layer.nodes; ++k) outputs[k] = clamped(layer.quantizers[k], outputs[k]);
  return outputs;
}

Result<void> check_input(const Input& input, std::size_t index) {
  const bool finite = std::isfinite(input.gain) && std::isfinite(input.shift) && std::isfinite(input.first) &&
                      std::isfinite(input.step);
  if (!finite)
    return fail(ErrorCode::kInvalid, "input {}: gain, shift, first and step must be finite", index);
  if (input.bits > kCodeBitsMax) {
    return fail(ErrorCode::kInvalid, "input {}: has {} bits, expected 0 to {}", index, input.bits,
                kCodeBitsMax);
  }
  if (input.bits > 0 && !(input.step > 0.0)) {
    return fail(ErrorCode::kInvalid, "input {}: step is {}, expected above 0", index, input.step);
  }
  return {};
}

Result<void> check_sizes(const Layer& layer) {
  const std::size_t edges = std::size_t{layer.inputs} * layer.nodes;
  const auto size = [&](const char* key, std::size_t count, std::size_t wanted) -> Result<void> {
    if (count == wanted) return {};
    return fail(ErrorCode::kInvalid, "{}: has {} values, expected {}", key, count, wanted);
  };
  if (auto ok = size("coefficients", layer.coefficients.size(), edges * layer.basis_count()); !ok) return ok;
  if (auto ok = size("weights", layer.weights.size(), edges); !ok) return ok;
  if (auto ok = size("biases", layer.biases.size(), layer.nodes); !ok) return ok;
  if (auto ok = size("active", layer.active.size(), edges); !ok) return ok;
  if (!layer.quantizers.empty()) {
    if (auto ok = size("quantizers", layer.quantizers.size(), layer.nodes); !ok) return ok;
  }
  if (!layer.dropped_bits.empty()) {
    if (auto ok = size("dropped_bits", layer.dropped_bits.size(), edges); !ok) return ok;
  }
  if (layer.knots.empty()) return {};
  if (auto ok = size("knots", layer.knots.size(), layer.inputs); !ok) return ok;
  for (const std::vector<double>& knots : layer.knots) {
    if (auto ok =
            size("knots of an input", knots.size(), layer.grid.size + 2 * std::size_t{layer.grid.order} + 1);
        !ok)
      return ok;
    if (!std::is_sorted(knots.begin(), knots.end()))
      return fail(ErrorCode::kInvalid, "knots: expected rising values");
  }
  return {};
}

Result<void> check_values(const Layer& layer) {
  const auto finite = [](const std::vector<double>& values) {
    return std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
  };
  if (!finite(layer.coefficients) || !finite(layer.weights) || !finite(layer.biases) ||
      !std::all_of(layer.knots.begin(), layer.knots.end(), finite)) {
    return fail(ErrorCode::kInvalid, "coefficients, weights, biases and knots must be finite");
  }
  for (const NodeQuantizer& quantizer : layer.quantizers) {
    if (quantizer.bits < 1 || quantizer.bits > kCodeBitsMax)
      return fail(ErrorCode::kInvalid, "quantizers: {} bits, expected 1 to {}", quantizer.bits, kCodeBitsMax);
    if (!(quantizer.threshold > 0.0) || !std::isfinite(quantizer.threshold))
      return fail(ErrorCode::kInvalid, "quantizers: threshold is {}, expected above 0", quantizer.threshold);
  }
  const auto wide = [](std::uint8_t bits) { return bits > 15; };
  if (std::any_of(layer.dropped_bits.begin(), layer.dropped_bits.end(), wide))
    return fail(ErrorCode::kInvalid, "dropped_bits: expected 0 to 15");
  if (layer.basis_bits > 16 || layer.coefficient_bits > 16)
    return fail(ErrorCode::kInvalid, "basis_bits, coefficient_bits: expected 0 to 16");
  if (layer.guard_bits > kGuardBitsMax)
    return fail(ErrorCode::kInvalid, "guard_bits: is {}, expected 0 to {}", layer.guard_bits, kGuardBitsMax);
  for (const auto& [edge, formula] : layer.formulas) {
    const bool good = std::isfinite(formula.inner_scale) && std::isfinite(formula.inner_offset) &&
                      std::isfinite(formula.outer_scale) && std::isfinite(formula.outer_offset);
    if (edge >= layer.active.size() || !good)
      return fail(ErrorCode::kInvalid, "formulas: edge {} is not there, or its numbers are not finite", edge);
  }
  return {};
}

Result<void> check_layer(const Layer& layer) {
  if (layer.inputs < 1 || layer.inputs > kan::kInputsMax || layer.nodes < 1 || layer.nodes > kan::kNodesMax) {
    return fail(ErrorCode::kInvalid, "is {} by {}, expected 1 to {} inputs and 1 to {} nodes", layer.inputs,
                layer.nodes, kan::kInputsMax, kan::kNodesMax);
  }
  const SplineGrid& grid = layer.grid;
  if (layer.kind == EdgeKind::kSpline &&
      (grid.size < 1 || grid.size > kGridSizeMax || grid.order < 1 || grid.order > kSplineOrderMax ||
       !std::isfinite(grid.low) || !std::isfinite(grid.high) || !(grid.high > grid.low))) {
    return fail(ErrorCode::kInvalid,
                "grid: {} cells of order {} over [{}, {}], expected 1 to {} cells, order 1 to {}, low < high",
                grid.size, grid.order, grid.low, grid.high, kGridSizeMax, kSplineOrderMax);
  }
  if (auto ok = check_sizes(layer); !ok) return ok;
  return check_values(layer);
}

}  // namespace

std::uint32_t Layer::active_edges() const noexcept {
  return static_cast<std::uint32_t>(std::count(active.begin(), active.end(), std::uint8_t{1}));
}

bool LearnedKan::quantized() const noexcept {
  return std::all_of(inputs.begin(), inputs.end(), [](const Input& input) { return input.bits > 0; }) &&
         std::none_of(layers.begin(), layers.end(),
                      [](const Layer& layer) { return layer.quantizers.empty(); });
}

std::uint32_t LearnedKan::active_edges() const noexcept {
  std::uint32_t sum = 0;
  for (const Layer& layer : layers) sum += layer.active_edges();
  return sum;
}

Layer make_layer(EdgeKind kind, std::uint32_t inputs, std::uint32_t nodes, const SplineGrid& grid,
                 BaseFunction base) {
  Layer layer;
  layer.kind = kind;
  layer.inputs = inputs;
  layer.nodes = nodes;
  layer.grid = grid;
  layer.base = base;
  const std::size_t edges = std::size_t{inputs} * nodes;
  layer.coefficients.assign(edges * layer.basis_count(), 0.0);
  layer.weights.assign(edges, 0.0);
  layer.biases.assign(nodes, 0.0);
  layer.active.assign(edges, 1);
  return layer;
}

Result<void> check(const LearnedKan& kan) {
  if (kan.inputs.empty() || kan.layers.empty() || kan.layers.size() > kan::kLayersMax)
    return fail(ErrorCode::kInvalid,
                "has {} inputs and {} layers, expected at least one of each, and at most {} layers",
                kan.inputs.size(), kan.layers.size(), kan::kLayersMax);
  for (std::size_t j = 0; j < kan.inputs.size(); ++j) {
    if (auto ok = check_input(kan.inputs[j], j); !ok) return ok;
  }
  std::size_t width = kan.inputs.size();
  for (std::size_t l = 0; l < kan.layers.size(); ++l) {
    const Layer& layer = kan.layers[l];
    if (layer.inputs != width)
      return fail(ErrorCode::kInvalid, "layer {}: has {} inputs, but {} values enter it", l, layer.inputs,
                  width);
    if (auto ok = check_layer(layer); !ok)
      return tl::unexpected(ok.error().within("layer " + std::to_string(l)));
    width = layer.nodes;
  }
  return {};
}

double edge_value(const Layer& layer, std::uint32_t input, std::uint32_t node, double x) noexcept {
  const std::uint32_t edge = layer.edge_index(input, node);
  if (layer.active[edge] == 0) return 0.0;
  if (!layer.formulas.empty()) {
    const auto formula = layer.formulas.find(edge);
    if (formula != layer.formulas.end()) return formula->second.at(x);
  }
  const double weight = layer.weights[edge];
  if (layer.kind == EdgeKind::kLinear) return weight * x;
  if (layer.kind == EdgeKind::kRelu) return weight * std::max(x, 0.0);
  const double base = weight * base_function_at(layer.base, x).value;
  if (!layer.knots.empty()) return base + spline_value(layer, input, node, x);
  return uniform_spline_value(layer, input, node, base, x);
}

std::vector<double> layer_inputs(const LearnedKan& kan, std::size_t layer, std::span<const float> event) {
  KANTRIG_ASSERT(event.size() == kan.inputs.size() && layer <= kan.layers.size());
  std::vector<double> values(event.size());
  for (std::size_t j = 0; j < event.size(); ++j) {
    const Input& input = kan.inputs[j];
    values[j] = static_cast<double>(event[j]) * input.gain + input.shift;
    if (input.bits > 0) values[j] = std::clamp(values[j], input.first, input.point((1U << input.bits) - 1));
  }
  for (std::size_t l = 0; l < layer; ++l) values = run_layer(kan.layers[l], values);
  return values;
}

std::vector<double> evaluate(const LearnedKan& kan, std::span<const float> event) {
  return layer_inputs(kan, kan.layers.size(), event);
}

std::vector<double> input_points(const LearnedKan& kan, std::size_t layer, std::uint32_t input) {
  std::vector<double> points;
  if (layer == 0) {
    const Input& source = kan.inputs[input];
    for (std::uint32_t c = 0; c < (1U << source.bits); ++c) points.push_back(source.point(c));
    return points;
  }
  const NodeQuantizer& source = kan.layers[layer - 1].quantizers[input];
  for (std::int32_t y = source.low(); y <= source.high(); ++y) points.push_back(source.scale() * y);
  return points;
}

}  // namespace kantrig::learned
