#include <algorithm>

#include "kernels/program_storage.hpp"

namespace kantrig::kernels {
namespace {

constexpr std::size_t kRowEntriesMax = std::size_t{1} << 19;  // a megabyte: what a second cache holds

std::uint32_t lanes_of(const LayerSpec& layer) {
  return (static_cast<std::uint32_t>(layer.nodes.size()) + kRowLanes - 1) / kRowLanes * kRowLanes;
}

/// Where the rows of each input of a layer begin, counted from 0, and how many entries all of them have.
struct RowPlan {
  std::vector<std::uint32_t> inputs;  // those with edges, rising
  std::size_t entries = 0;
};

RowPlan plan(const LayerSpec& layer) {
  RowPlan plan;
  std::vector<const EdgeSpec*> edges;
  for (const EdgeSpec& edge : layer.edges) edges.push_back(&edge);
  std::stable_sort(edges.begin(), edges.end(),
                   [](const EdgeSpec* a, const EdgeSpec* b) { return a->input < b->input; });
  for (const EdgeSpec* edge : edges) {
    if (!plan.inputs.empty() && plan.inputs.back() == edge->input) continue;
    plan.inputs.push_back(edge->input);
    plan.entries += edge->table.size() * lanes_of(layer);
  }
  return plan;
}

void add_constants(const LayerSpec& layer, const std::vector<LutNode>& nodes, ProgramStorage& storage) {
  const std::uint32_t lanes = lanes_of(layer);
  const std::size_t first = storage.row_tables.size();
  storage.row_tables.resize(first + kRowConstants * lanes);
  const auto lane = [&](RowConstant which, std::size_t k) -> std::uint16_t& {
    return storage.row_tables[first + which * lanes + k];
  };
  for (std::size_t k = 0; k < lanes; ++k)
    lane(kRowLow, k) = 0x8000;  // a lane without a node is never the largest
  for (std::size_t k = 0; k < nodes.size(); ++k) {
    lane(kRowAdd, k) = nodes[k].add;
    lane(kRowSub, k) = nodes[k].sub;
    lane(kRowKeep, k) = static_cast<std::uint16_t>(nodes[k].shift == 0 ? 0xFFFF : 0);
    lane(kRowMultiply, k) = static_cast<std::uint16_t>(0x10000U >> nodes[k].shift);  // 0 for shift 0
    lane(kRowTop, k) = nodes[k].top;
    lane(kRowLow, k) = static_cast<std::uint16_t>(layer.nodes[k].low);
  }
}

void add_tables(const LayerSpec& layer, const RowPlan& rows, std::span<const Column> inputs,
                ProgramStorage& storage) {
  const std::uint32_t lanes = lanes_of(layer);
  const std::uint32_t input_begin = static_cast<std::uint32_t>(storage.row_inputs.size());
  for (const std::uint32_t input : rows.inputs) {
    const Column column = inputs.empty() ? Column{.offset = 2 * input, .width = 2} : inputs[input];
    storage.row_inputs.push_back({.column = column, .table = 0});
  }
  std::vector<std::uint32_t> table_of(rows.inputs.empty() ? 0 : rows.inputs.back() + 1);
  for (std::size_t k = 0; k < layer.nodes.size(); ++k) {
    for (std::uint32_t e = layer.nodes[k].edge_begin; e < layer.nodes[k].edge_end; ++e) {
      const EdgeSpec& edge = layer.edges[e];
      std::uint32_t& first = table_of[edge.input];
      if (first == 0) {  // never a table's place: the constants lie before all tables
        first = static_cast<std::uint32_t>(storage.row_tables.size());
        storage.row_tables.resize(first + edge.table.size() * lanes);
        const auto at =
            std::lower_bound(rows.inputs.begin(), rows.inputs.end(), edge.input) - rows.inputs.begin();
        storage.row_inputs[input_begin + static_cast<std::size_t>(at)].table = first;
      }
      const std::int16_t lowest = *std::min_element(edge.table.begin(), edge.table.end());
      for (std::size_t c = 0; c < edge.table.size(); ++c) {
        storage.row_tables[first + c * lanes + k] = static_cast<std::uint16_t>(edge.table[c] - lowest);
      }
    }
  }
}

/// The nodes' constants in 16-bit lanes; empty when one of them does not fit.
std::vector<LutNode> lane_nodes(const LayerSpec& layer) {
  std::vector<LutNode> nodes;
  for (const NodeSpec& spec : layer.nodes) {
    LutNode node;
    if (!fits_lanes(spec, node_range(layer, spec), node)) return {};
    nodes.push_back(node);
  }
  return nodes;
}

}  // namespace

void build_rows(const ProgramSpec& spec, std::span<const Column> inputs, ProgramStorage& storage) {
  std::size_t entries = 0;
  std::size_t row_loads = 0;
  std::size_t edges = 0;
  std::vector<RowPlan> plans;
  std::vector<std::vector<LutNode>> nodes;
  for (const LayerSpec& layer : spec.layers) {
    plans.push_back(plan(layer));
    entries += plans.back().entries + kRowConstants * lanes_of(layer);
    nodes.push_back(lane_nodes(layer));
    if (nodes.back().empty() || entries > kRowEntriesMax) return;
    row_loads += plans.back().inputs.size() * lanes_of(layer) / kRowLanes;
    edges += layer.edges.size();
  }
  if (row_loads > edges) return;  // so sparse that rows are mostly zeroes: slower than the tile
  for (std::size_t l = 0; l < spec.layers.size(); ++l) {
    RowLayer row{.input_begin = static_cast<std::uint32_t>(storage.row_inputs.size()),
                 .input_end = 0,
                 .lanes = lanes_of(spec.layers[l]),
                 .constants = static_cast<std::uint32_t>(storage.row_tables.size())};
    add_constants(spec.layers[l], nodes[l], storage);
    add_tables(spec.layers[l], plans[l], l == 0 ? inputs : std::span<const Column>{}, storage);
    row.input_end = static_cast<std::uint32_t>(storage.row_inputs.size());
    storage.row_layers.push_back(row);
    storage.lut.row_lanes_max = std::max(storage.lut.row_lanes_max, row.lanes);
  }
}

}  // namespace kantrig::kernels
