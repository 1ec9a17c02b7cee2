#include "compiler/hardware/layer_builder.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "compiler/hardware/requantise.hpp"

namespace kantrig::compiler {
namespace {

Result<BuiltLayer> build_layer(const SumIr& ir, std::size_t l, const AreaGoal& goal) {
  const SumLayer& layer = ir.layers[l];
  const bool last = l + 1 == ir.layers.size();
  BuiltLayer built;
  std::vector<std::vector<Net>> inputs;
  for (const SumInput& input : layer.inputs)
    inputs.push_back(built.netlist.add_input(std::string(kInputPrefix) + input.name, input.bits));
  std::size_t terms_max = 1;
  for (const SumNode& node : layer.nodes) terms_max = std::max(terms_max, node.terms.size());
  LayerStages stages{.lookup = l == 0 ? 0U : 1U, .add_stages = published_add_stages(terms_max)};
  std::vector<NodeBuilder> builders;
  std::vector<NodePlan> plans;
  // More stages than published only where its wide adders are beyond two levels of logic and a carry chain.
  for (bool fits = false; !fits;) {
    builders.clear();
    plans.clear();
    fits = true;
    for (const SumNode& node : layer.nodes) {
      builders.emplace_back(node, inputs, stages, goal);
      plans.push_back(builders.back().search());
      if (!builders.back().fits(plans.back())) {
        fits = false;
        if (++stages.add_stages > 8) {
          return fail(ErrorCode::kUnsupported, "layer {} node {}: {} tables cannot be added in {} stages", l,
                      &node - layer.nodes.data(), node.terms.size(), stages.add_stages);
        }
        break;
      }
    }
  }
  std::vector<Net> outputs;
  for (std::size_t k = 0; k < builders.size(); ++k) {
    const std::vector<Net> nets = builders[k].build(built.netlist, plans[k], fmt::format("n{}", k), last);
    built.output_widths.push_back(static_cast<std::uint32_t>(nets.size()));
    outputs.insert(outputs.end(), nets.begin(), nets.end());
  }
  built.netlist.set_outputs(std::move(outputs), stages.output());
  built.netlist.remove_dead_cells();
  return built;
}

}  // namespace

std::uint32_t published_add_stages(std::size_t terms) {
  std::uint32_t stages = 1;
  for (std::size_t reach = 4; reach < terms; reach *= 4) ++stages;
  return stages;
}

Result<std::vector<BuiltLayer>> build_layers(const SumIr& ir, const AreaGoal& goal) {
  std::vector<BuiltLayer> layers;
  for (std::size_t l = 0; l < ir.layers.size(); ++l) {
    auto built = build_layer(ir, l, goal);
    if (!built) return tl::unexpected(built.error());
    layers.push_back(std::move(*built));
  }
  return layers;
}

Result<void> check_against(const SumIr& ir, const std::vector<BuiltLayer>& layers,
                           std::span<const std::uint16_t> codes) {
  const std::size_t inputs = ir.layers.front().inputs.size();
  const std::size_t events = codes.size() / inputs;
  for (std::size_t first = 0; first < events; first += 64) {
    const std::size_t count = std::min<std::size_t>(64, events - first);
    std::vector<std::uint64_t> bits;
    for (std::size_t i = 0; i < inputs; ++i) {
      for (std::uint32_t b = 0; b < ir.layers.front().inputs[i].bits; ++b) {
        std::uint64_t word = 0;
        for (std::size_t e = 0; e < count; ++e) {
          word |= std::uint64_t{(codes[(first + e) * inputs + i] >> b) & 1U} << e;
        }
        bits.push_back(word);
      }
    }
    for (const BuiltLayer& layer : layers) bits = layer.netlist.execute(bits);
    for (std::size_t e = 0; e < count; ++e) {
      const auto expected = execute(ir, codes.subspan((first + e) * inputs, inputs));
      std::size_t at = 0;
      for (std::size_t k = 0; k < expected.size(); ++k) {
        const std::uint32_t width = layers.back().output_widths[k];
        for (std::uint32_t b = 0; b < width; ++b, ++at) {
          if (((bits[at] >> e) & 1U) == ((static_cast<std::uint32_t>(expected[k]) >> b) & 1U)) continue;
          return fail(ErrorCode::kCorrupt, "event {}: bit {} of output {} differs from the integer model, {}",
                      first + e, b, k, expected[k]);
        }
      }
    }
  }
  return {};
}

}  // namespace kantrig::compiler
