#include "kan/trace.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace kantrig::kan {

std::int32_t node_sum(const Layer& layer, const Node& node, std::span<const std::uint32_t> codes) {
  std::int32_t sum = node.bias;
  for (std::uint32_t e = node.edge_begin; e < node.edge_end; ++e) {
    const Edge& edge = layer.edges[e];
    sum += layer.tables[edge.table_offset + codes[edge.input]];
  }
  return sum;
}

std::int16_t node_output(const Node& node, std::int32_t sum) {
  const std::int32_t half = node.shift == 0 ? 0 : std::int32_t{1} << (node.shift - 1);
  return static_cast<std::int16_t>(std::clamp((sum + half) >> node.shift, node.low, node.high));
}

std::vector<LayerTrace> trace(const Model& model, std::span<const std::uint16_t> codes) {
  KANTRIG_ASSERT(codes.size() == model.input_count());
  std::vector<LayerTrace> layers;
  std::vector<std::uint32_t> current(codes.begin(), codes.end());
  for (const Layer& layer : model.layers) {
    LayerTrace& one = layers.emplace_back();
    one.codes = std::move(current);
    current.clear();
    for (const Node& node : layer.nodes) {
      one.sums.push_back(node_sum(layer, node, one.codes));
      one.outputs.push_back(node_output(node, one.sums.back()));
      current.push_back(static_cast<std::uint32_t>(one.outputs.back() - node.low));
    }
  }
  return layers;
}

}  // namespace kantrig::kan
