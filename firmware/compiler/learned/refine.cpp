#include "compiler/learned/refine.hpp"

#include <algorithm>
#include <cmath>

#include "compiler/learned/fit.hpp"

namespace kantrig::learned {
namespace {

constexpr std::uint32_t kSamplesPerCell = 8;

/// The range inside which the splines of a layer have their full support.
SplineGrid grid_of(const Layer& layer, std::uint32_t cells) {
  SplineGrid grid = layer.grid;
  grid.size = cells;
  if (layer.knots.empty()) return grid;
  grid.low = layer.knots.front()[layer.grid.order];
  grid.high = layer.knots.front()[layer.grid.order + layer.grid.size];
  for (const std::vector<double>& knots : layer.knots) {
    grid.low = std::min(grid.low, knots[layer.grid.order]);
    grid.high = std::max(grid.high, knots[layer.grid.order + layer.grid.size]);
  }
  return grid;
}

Result<double> refit_edge(const Layer& old, Layer& fresh, std::uint32_t input, std::uint32_t node,
                          const std::vector<double>& xs) {
  const std::uint32_t edge = old.edge_index(input, node);
  std::vector<double> ys;
  for (const double x : xs)
    ys.push_back(edge_value(old, input, node, x) - old.weights[edge] * base_function_at(old.base, x).value);
  const auto fit = fit_spline(fresh.grid, xs, ys);
  if (!fit) return tl::unexpected(fit.error());
  for (std::uint32_t m = 0; m < fresh.basis_count(); ++m)
    fresh.coefficients[(std::size_t{input} * fresh.basis_count() + m) * fresh.nodes + node] =
        fit->coefficients[m];
  return fit->residual;
}

double rounded_to(double value, double scale) noexcept {
  return scale == 0.0 ? 0.0 : round_half_even(value / scale) * scale;
}

void round_values(std::vector<double>& values, std::uint32_t bits) {
  double largest = 0.0;
  for (const double value : values) largest = std::max(largest, std::abs(value));
  const double scale = bits < 2 ? largest : largest / ((1U << (bits - 1)) - 1);
  for (double& value : values) value = rounded_to(value, scale);
}

}  // namespace

Result<Refined> with_grid(const LearnedKan& kan, std::uint32_t cells) {
  Refined result{.kan = kan, .residual_max = 0.0};
  for (Layer& layer : result.kan.layers) {
    if (layer.kind != EdgeKind::kSpline) continue;
    const Layer old = layer;
    layer.grid = grid_of(old, cells);
    layer.knots.clear();
    layer.coefficients.assign(std::size_t{layer.inputs} * layer.basis_count() * layer.nodes, 0.0);
    const std::uint32_t count = kSamplesPerCell * (std::max(cells, old.grid.size) + old.grid.order);
    std::vector<double> xs;
    for (std::uint32_t n = 0; n < count; ++n)
      xs.push_back(layer.grid.low + (layer.grid.high - layer.grid.low) * (n + 0.5) / count);
    for (std::uint32_t j = 0; j < layer.inputs; ++j) {
      for (std::uint32_t k = 0; k < layer.nodes; ++k) {
        if (!old.is_active(j, k) || old.formulas.contains(old.edge_index(j, k))) continue;
        const auto residual = refit_edge(old, layer, j, k, xs);
        if (!residual) return tl::unexpected(residual.error());
        result.residual_max = std::max(result.residual_max, *residual);
      }
    }
  }
  return result;
}

void use_low_bits(LearnedKan& kan, const LowBits& bits) {
  for (Layer& layer : kan.layers) {
    if (bits.basis_bits > 0) layer.basis_bits = bits.basis_bits;
    if (bits.coefficient_bits == 0) continue;
    layer.coefficient_bits = bits.coefficient_bits;
    round_values(layer.coefficients, bits.coefficient_bits);
    round_values(layer.weights, bits.coefficient_bits);
  }
}

}  // namespace kantrig::learned
