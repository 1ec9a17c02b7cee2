#include "compiler/train/pruning.hpp"

#include <algorithm>
#include <cmath>

#include "base/assert.hpp"
#include "compiler/learned/tabulate.hpp"
#include "kan/trace.hpp"

namespace kantrig::train {
namespace {

Occupancy empty_counts(const kan::Model& model) {
  Occupancy counts;
  for (const kan::Layer& layer : model.layers) {
    counts.emplace_back();
    for (const std::uint32_t codes : layer.input_codes) counts.back().emplace_back(codes, 0.0);
  }
  return counts;
}

/// KANELE's importance (arXiv 2512.12850 and its code): l2 norm of the spline alone over all codes.
double spline_norm(const learned::LearnedKan& kan, std::size_t index, std::uint32_t input,
                   std::uint32_t node) {
  const learned::Layer& layer = kan.layers[index];
  double squares = 0.0;
  for (const double x : learned::input_points(kan, index, input)) {
    double value = learned::edge_value(layer, input, node, x);
    if (layer.kind == learned::EdgeKind::kSpline)
      value -= layer.weights[layer.edge_index(input, node)] * learned::base_function_at(layer.base, x).value;
    squares += value * value;
  }
  return std::sqrt(squares);
}

bool is_read(const learned::Layer& reader, std::uint32_t input) {
  for (std::uint32_t k = 0; k < reader.nodes; ++k) {
    if (reader.is_active(input, k)) return true;
  }
  return false;
}

}  // namespace

Occupancy count_codes(const learned::LearnedKan& kan, const Samples& samples,
                      std::span<const std::uint32_t> rows) {
  const auto model = learned::tabulate(kan);
  KANTRIG_ASSERT(model.has_value());
  Occupancy counts = empty_counts(*model);
  const std::size_t taken = std::min(rows.size(), kOccupancyRows);
  for (std::size_t n = 0; n < taken; ++n) {
    const auto event =
        std::span(samples.codes)
            .subspan(std::size_t{rows[n * rows.size() / taken]} * samples.inputs, samples.inputs);
    const std::vector<kan::LayerTrace> layers = kan::trace(*model, event);
    for (std::size_t l = 0; l < layers.size(); ++l) {
      for (std::size_t j = 0; j < layers[l].codes.size(); ++j) counts[l][j][layers[l].codes[j]] += 1.0;
    }
  }
  for (auto& layer : counts) {
    for (auto& input : layer) {
      for (double& count : input) count /= static_cast<double>(taken);
    }
  }
  return counts;
}

Spread spread_of(const learned::LearnedKan& kan, std::size_t layer, std::uint32_t input, std::uint32_t node,
                 std::span<const double> occupancy) {
  const learned::Layer& source = kan.layers[layer];
  const std::vector<double> points = learned::input_points(kan, layer, input);
  const double unit = 1.0 / (1U << source.guard_bits);
  double sum = 0.0;
  double squares = 0.0;
  for (std::size_t c = 0; c < points.size(); ++c) {
    if (occupancy[c] == 0.0) continue;
    const double entry =
        unit * learned::entry_of(source, input, node, learned::edge_value(source, input, node, points[c]));
    sum += occupancy[c] * entry;
    squares += occupancy[c] * entry * entry;
  }
  return {.mean = sum, .deviation = std::sqrt(std::max(squares - sum * sum, 0.0))};
}

void prune_edge(learned::LearnedKan& kan, std::size_t layer, std::uint32_t input, std::uint32_t node,
                std::span<const double> occupancy) {
  learned::Layer& source = kan.layers[layer];
  const Spread spread = spread_of(kan, layer, input, node, occupancy);
  source.active[source.edge_index(input, node)] = 0;
  source.biases[node] += spread.mean * source.quantizers[node].scale();
}

bool prune_unread(learned::LearnedKan& kan) {
  bool any = false;
  for (std::size_t l = kan.layers.size() - 1; l-- > 0;) {
    learned::Layer& layer = kan.layers[l];
    for (std::uint32_t k = 0; k < layer.nodes; ++k) {
      if (is_read(kan.layers[l + 1], k)) continue;
      for (std::uint32_t j = 0; j < layer.inputs; ++j) {
        any = any || layer.is_active(j, k);
        layer.active[layer.edge_index(j, k)] = 0;
      }
    }
  }
  return any;
}

bool prune(learned::LearnedKan& kan, const Occupancy& occupancy, PruningRule rule, double threshold) {
  bool any = false;
  for (std::size_t l = 0; l < kan.layers.size(); ++l) {
    for (std::uint32_t j = 0; j < kan.layers[l].inputs; ++j) {
      for (std::uint32_t k = 0; k < kan.layers[l].nodes; ++k) {
        if (!kan.layers[l].is_active(j, k)) continue;
        const double importance = rule == PruningRule::kNorm
                                      ? spline_norm(kan, l, j, k)
                                      : spread_of(kan, l, j, k, occupancy[l][j]).deviation;
        if (importance >= threshold) continue;
        if (rule == PruningRule::kNorm) {  // as published: what it gave is gone
          kan.layers[l].active[kan.layers[l].edge_index(j, k)] = 0;
        } else {
          prune_edge(kan, l, j, k, occupancy[l][j]);
        }
        any = true;
      }
    }
  }
  return prune_unread(kan) || any;
}

}  // namespace kantrig::train
