#include <algorithm>

#include "kernels/program_storage.hpp"

namespace kantrig::kernels {
namespace {

constexpr std::int64_t kByteMax = 255;
constexpr std::int64_t kHalfMax = 65'535;

/// Largest |node - target|.
std::int64_t reach(const NodeSpec& node, std::span<const std::int16_t> targets) {
  const auto [least, greatest] = std::minmax_element(targets.begin(), targets.end());
  return std::max<std::int64_t>(node.high - *least, *greatest - node.low);
}

/// Marks the terms behind which the narrow sums could no longer be exact; returns the largest sum of all.
std::int64_t place_widening(const ProgramSpec& spec, std::vector<DistanceTerm>& terms) {
  const std::int64_t narrow_max = spec.distance.squared ? kHalfMax : kByteMax;
  std::int64_t narrow = 0;
  std::int64_t total = 0;
  for (std::size_t k = 0; k < terms.size(); ++k) {
    const std::int64_t d = reach(spec.layers.back().nodes[k], spec.distance.targets[k].table);
    const std::int64_t most = spec.distance.squared ? d * d : d;
    if (k > 0 && narrow + most > narrow_max) {
      terms[k - 1].widen = true;
      narrow = 0;
    }
    narrow += most;
    total += most;
  }
  terms.back().widen = true;
  return total;
}

}  // namespace

LayerSpec target_layer(const ProgramSpec& spec) {
  LayerSpec layer;
  for (std::size_t k = 0; k < spec.distance.targets.size(); ++k) {
    const TargetSpec& target = spec.distance.targets[k];
    const auto [least, greatest] = std::minmax_element(target.table.begin(), target.table.end());
    const auto edge = static_cast<std::uint32_t>(k);
    // Counted from where the node counts from, so that two codes differ by what the values differ by.
    layer.nodes.push_back({.bias = 0,
                           .shift = 0,
                           .low = std::min<std::int32_t>(spec.layers.back().nodes[k].low, *least),
                           .high = std::max<std::int32_t>(spec.layers.back().nodes[k].low, *greatest),
                           .edge_begin = edge,
                           .edge_end = edge + 1});
    layer.edges.push_back({.input = target.input, .table = target.table});
  }
  return layer;
}

void build_distance(const ProgramSpec& spec, const DistanceColumns& columns, ProgramStorage& storage) {
  const LayerSpec targets = target_layer(spec);
  LutDistance& distance = storage.lut.distance;
  distance.in_bytes = true;
  for (std::size_t k = 0; k < targets.nodes.size(); ++k) {
    const NodeSpec& node = spec.layers.back().nodes[k];
    const auto table = spec.distance.targets[k].table;
    storage.terms.push_back({.node = columns.nodes[k],
                             .target = columns.targets[k],
                             .input = columns.inputs[spec.distance.targets[k].input],
                             .offset = node.low - targets.nodes[k].low,
                             .low = static_cast<std::int16_t>(node.low),
                             .table = static_cast<std::uint32_t>(storage.target_tables.size())});
    storage.target_tables.insert(storage.target_tables.end(), table.begin(), table.end());
    const DistanceTerm& term = storage.terms.back();
    distance.in_bytes =
        distance.in_bytes && term.node.width == 1 && term.target.width == 1 && term.offset == 0;
  }
  const std::int64_t total = place_widening(spec, storage.terms);
  distance.in_bytes = distance.in_bytes && (spec.distance.squared || total <= kHalfMax);
  distance.terms = storage.terms.data();
  distance.term_count = static_cast<std::uint32_t>(storage.terms.size());
  distance.squared = spec.distance.squared;
  distance.shift = spec.distance.shift;
  distance.class_above = static_cast<std::int16_t>(spec.distance.class_above);
  distance.tables = storage.target_tables.data();
}

}  // namespace kantrig::kernels
