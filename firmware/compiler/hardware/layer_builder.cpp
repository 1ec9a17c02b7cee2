#include "compiler/hardware/layer_builder.hpp"

#include <algorithm>
#include <optional>

#include <fmt/core.h>

#include "compiler/hardware/requantise.hpp"

namespace kantrig::compiler {
namespace {

constexpr std::uint32_t kAddStagesMax = 8;

/// The layer with these stages, or nothing when a node's sum does not fit into them.
std::optional<BuiltLayer> try_layer(const SumIr& ir, std::size_t l, const BuildGoal& goal,
                                    LayerStages stages) {
  const SumLayer& layer = ir.layers[l];
  BuiltLayer built;
  std::vector<std::vector<Net>> inputs;
  for (const SumInput& input : layer.inputs) {
    inputs.push_back(built.netlist.add_input(std::string(kInputPrefix) + input.name, input.bits,
                                             {.level = stages.input_levels}));
  }
  std::vector<Net> outputs;
  for (std::size_t k = 0; k < layer.nodes.size(); ++k) {
    const NodeBuilder builder(layer.nodes[k], inputs, stages, goal);
    const NodePlan plan = builder.search();
    if (!builder.fits(plan)) return std::nullopt;
    const std::vector<Net> nets = builder.build(built.netlist, plan, fmt::format("n{}", k));
    built.output_widths.push_back(static_cast<std::uint32_t>(nets.size()));
    outputs.insert(outputs.end(), nets.begin(), nets.end());
  }
  built.netlist.set_outputs(std::move(outputs), stages.output());
  built.netlist.remove_dead_cells();
  return built;
}

std::size_t widest_node(const SumLayer& layer) {
  std::size_t terms = 1;
  for (const SumNode& node : layer.nodes) terms = std::max(terms, node.terms.size());
  return terms;
}

/// The layer with the fewest add stages, from those of `stages` on, that hold it within the goal's levels.
std::optional<BuiltLayer> fewest_stages(const SumIr& ir, std::size_t l, const BuildGoal& goal,
                                        LayerStages stages) {
  for (; stages.add_stages <= kAddStagesMax; ++stages.add_stages) {
    for (const bool compare_stage : {false, true}) {
      stages.compare_stage = compare_stage;
      auto built = try_layer(ir, l, goal, stages);
      if (!built) break;
      if (built->netlist.levels_max() <= goal.levels_max && !built->netlist.has_chains_in_series())
        return built;
    }
  }
  return std::nullopt;
}

std::uint32_t output_level(const BuiltLayer& built) {
  std::uint32_t level = 0;
  for (const Net net : built.netlist.outputs()) {
    const Timing& timing = built.netlist.timing(net);
    if (timing.stage == built.netlist.output_stage()) level = std::max(level, timing.level);
  }
  return level;
}

/// `input_level`: LUTs before the layer's codes within its first stage, where its tables stand if they can.
Result<BuiltLayer> build_layer(const SumIr& ir, std::size_t l, const BuildGoal& goal,
                               std::uint32_t input_level) {
  LayerStages stages{.lookup = 0,
                     .add_stages = goal.latency ? 1 : published_add_stages(widest_node(ir.layers[l])),
                     .input_levels = input_level};
  if (l == 0 || goal.latency) {
    if (auto built = fewest_stages(ir, l, goal, stages)) return std::move(*built);
  }
  stages.lookup = 1;
  stages.input_levels = 0;
  if (l > 0) {
    if (auto built = fewest_stages(ir, l, goal, stages)) return std::move(*built);
  }
  return fail(
      ErrorCode::kUnsupported,
      "layer {}: a node of {} tables does not fit into stages of {} LUT levels, expected to: allow more with "
      "--levels {}",
      l, widest_node(ir.layers[l]), goal.levels_max, goal.levels_max + 1);
}

}  // namespace

std::uint32_t published_add_stages(std::size_t terms) {
  std::uint32_t stages = 1;
  for (std::size_t reach = 4; reach < terms; reach *= 4) ++stages;
  return stages;
}

Result<std::vector<BuiltLayer>> build_layers(const SumIr& ir, const BuildGoal& goal) {
  std::vector<BuiltLayer> layers;
  for (std::size_t l = 0; l < ir.layers.size(); ++l) {
    auto built = build_layer(ir, l, goal, layers.empty() ? 0 : output_level(layers.back()));
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
