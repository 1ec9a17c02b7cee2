#include "compiler/train/extract.hpp"

#include <algorithm>

namespace kantrig::train {

using namespace learned;
namespace {

std::vector<std::int16_t> table_of(const SplineLayer& layer, std::uint32_t input, std::uint32_t node) {
  std::vector<std::int16_t> table;
  table.reserve(layer.shape().input_codes);
  for (std::uint32_t c = 0; c < layer.shape().input_codes; ++c) table.push_back(layer.entry(input, c, node));
  return table;
}

bool constant(const std::vector<std::int16_t>& table) {
  return std::all_of(table.begin(), table.end(), [&](std::int16_t entry) { return entry == table.front(); });
}

kan::Layer extract_layer(const SplineLayer& source) {
  kan::Layer layer;
  layer.input_codes.assign(source.shape().inputs, source.shape().input_codes);
  for (std::uint32_t k = 0; k < source.shape().nodes; ++k) {
    kan::Node node;
    node.bias = source.bias(k);
    node.low = source.low();
    node.high = source.high();
    node.edge_begin = static_cast<std::uint32_t>(layer.edges.size());
    for (std::uint32_t j = 0; j < source.shape().inputs; ++j) {
      if (!source.active(j, k)) continue;
      const std::vector<std::int16_t> table = table_of(source, j, k);
      if (constant(table)) {
        node.bias += table.front();
        continue;
      }
      layer.edges.push_back({.input = j, .table_offset = static_cast<std::uint32_t>(layer.tables.size())});
      layer.tables.insert(layer.tables.end(), table.begin(), table.end());
    }
    node.edge_end = static_cast<std::uint32_t>(layer.edges.size());
    layer.nodes.push_back(node);
  }
  return layer;
}

}  // namespace

kan::Model extract(const SplineKan& kan, const std::vector<kan::InputFeature>& inputs) {
  kan::Model model;
  model.inputs = inputs;
  for (const SplineLayer& layer : kan.layers()) model.layers.push_back(extract_layer(layer));
  model.output_scales.assign(kan.layers().back().shape().nodes, kan.layers().back().scale());
  return model;
}

}  // namespace kantrig::train
