// KANs whose edges are splines fitted to known functions.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compiler/learned/fit.hpp"
#include "compiler/learned/learned_kan.hpp"

namespace kantrig::test {

using RealFunction = std::function<double(double)>;

inline learned::Layer known_layer(std::uint32_t inputs, std::uint32_t nodes, double low, double high,
                                  std::uint32_t size = 30) {
  return learned::make_layer(learned::EdgeKind::kSpline, inputs, nodes,
                             {.low = low, .high = high, .size = size, .order = 3},
                             learned::BaseFunction::kNone);
}

/// Makes edge (input, node) the spline nearest to `function` over the layer's grid.
inline void set_edge(learned::Layer& layer, std::uint32_t input, std::uint32_t node,
                     const RealFunction& function) {
  std::vector<double> xs;
  std::vector<double> ys;
  constexpr int kSamples = 2'000;
  for (int i = 0; i < kSamples; ++i) {
    xs.push_back(layer.grid.low + (layer.grid.high - layer.grid.low) * (i + 0.5) / kSamples);
    ys.push_back(function(xs.back()));
  }
  const auto fit = learned::fit_spline(layer.grid, xs, ys);
  for (std::uint32_t b = 0; b < layer.basis_count(); ++b) {
    const std::size_t basis = std::size_t{input} * layer.basis_count() + b;
    layer.coefficients[basis * layer.nodes + node] = fit.value().coefficients[b];
  }
}

inline learned::LearnedKan known_kan(const std::vector<std::string>& features,
                                     std::vector<learned::Layer> layers) {
  learned::LearnedKan kan;
  kan.name = "known";
  for (const std::string& name : features) kan.inputs.push_back({.feature = {.name = name, .unit = ""}});
  kan.layers = std::move(layers);
  return kan;
}

}  // namespace kantrig::test
