#include "compiler/train/report.hpp"

#include <algorithm>
#include <iterator>

namespace kantrig::train {
namespace {

/// What the tables of a layer take: edges, entries, the widest table (largest less smallest entry), and the
/// largest sum of such ranges in one node, which says how narrow its additions can be.
struct LayerCost {
  std::size_t edges = 0;
  std::size_t edges_possible = 0;
  std::size_t table_bytes = 0;
  std::int32_t entry_range_max = 0;
  std::int32_t node_range_max = 0;
};

LayerCost cost_of(const kan::Layer& layer) {
  LayerCost cost;
  cost.edges = layer.edges.size();
  cost.edges_possible = layer.input_codes.size() * layer.nodes.size();
  cost.table_bytes = layer.tables.size() * sizeof(std::int16_t);
  for (const kan::Node& node : layer.nodes) {
    std::int32_t node_range = 0;
    for (std::uint32_t e = node.edge_begin; e < node.edge_end; ++e) {
      const kan::Edge& edge = layer.edges[e];
      const auto begin = layer.tables.begin() + edge.table_offset;
      const auto [low, high] = std::minmax_element(begin, begin + layer.input_codes[edge.input]);
      cost.entry_range_max = std::max(cost.entry_range_max, *high - *low);
      node_range += *high - *low;
    }
    cost.node_range_max = std::max(cost.node_range_max, node_range);
  }
  return cost;
}

}  // namespace

std::string make_report(const kan::Bundle& bundle, const Training& training) {
  std::string text;
  const auto out = std::back_inserter(text);
  std::size_t edges = 0;
  std::size_t table_bytes = 0;
  for (const kan::Layer& layer : bundle.model.layers) {
    edges += layer.edges.size();
    table_bytes += layer.tables.size() * sizeof(std::int16_t);
  }
  fmt::format_to(out, "{{\n  \"bundle\": \"{}\",\n  \"rows_learned\": {},\n  \"rows_validation\": {},\n",
                 bundle.full_name(), training.learned.size(), training.validation.size());
  fmt::format_to(out, "  \"chosen_epoch\": {},\n  \"edges\": {},\n  \"table_bytes\": {},\n  \"layers\": [",
                 training.chosen_epoch, edges, table_bytes);
  for (std::size_t l = 0; l < bundle.model.layers.size(); ++l) {
    const LayerCost cost = cost_of(bundle.model.layers[l]);
    fmt::format_to(
        out,
        "{}\n    {{\"edges\": {}, \"edges_possible\": {}, \"table_bytes\": {}, \"entry_range_max\": {}, "
        "\"node_range_max\": {}, \"output_scale\": {:.9g}}}",
        l == 0 ? "" : ",", cost.edges, cost.edges_possible, cost.table_bytes, cost.entry_range_max,
        cost.node_range_max, training.kan.layers[l].quantizers.front().scale());
  }
  fmt::format_to(out, "\n  ],\n  \"epochs\": [");
  for (std::size_t e = 0; e < training.epochs.size(); ++e) {
    const EpochRecord& record = training.epochs[e];
    fmt::format_to(out,
                   "{}\n    {{\"epoch\": {}, \"loss\": {:.6f}, \"validation_loss\": {:.6f}, "
                   "\"validation_accuracy\": {:.6f}, "
                   "\"active_edges\": {}, \"luts\": {:.0f}}}",
                   e == 0 ? "" : ",", record.epoch, record.loss, record.validation.loss,
                   record.validation.accuracy, record.active_edges, record.luts);
  }
  fmt::format_to(out, "\n  ]\n}}\n");
  return text;
}

}  // namespace kantrig::train
