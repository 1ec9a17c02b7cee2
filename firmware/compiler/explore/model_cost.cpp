#include "compiler/explore/model_cost.hpp"

#include <algorithm>

#include "compiler/hardware/layer_builder.hpp"
#include "compiler/hardware/lut_estimate.hpp"

namespace kantrig::explore {

/// Cycles: a layer is as deep as its widest node, stages of adders and one for the clamped code; behind the
/// first layer one more for the look-up.
ModelCost cost_of(const kan::Model& model) {
  ModelCost cost;
  const compiler::LutEstimate estimate = compiler::estimate_luts(model);
  cost.luts = estimate.total();
  for (std::size_t l = 0; l < model.layers.size(); ++l) {
    const kan::Layer& layer = model.layers[l];
    std::size_t widest = 1;
    for (const kan::Node& node : layer.nodes) {
      std::size_t terms = 0;
      for (std::uint32_t e = node.edge_begin; e < node.edge_end; ++e) {
        const compiler::EdgeLuts& edge = estimate.layers[l].edges[e];
        if (edge.width == 0) continue;
        ++terms;
        const std::uint64_t entries = layer.input_codes[layer.edges[e].input];
        cost.table_entries += entries;
        cost.parameter_bits += entries * edge.width;
      }
      cost.edges += terms;
      widest = std::max(widest, terms);
    }
    cost.cycles += compiler::published_add_stages(widest) + 1 + (l > 0 ? 1 : 0);
  }
  return cost;
}

}  // namespace kantrig::explore
