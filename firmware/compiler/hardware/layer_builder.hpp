// From SumIr to one netlist a layer: stages, plans and cells.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "compiler/hardware/netlist.hpp"
#include "compiler/hardware/node_builder.hpp"
#include "compiler/hardware/sum_ir.hpp"

namespace kantrig::compiler {

/// One layer's netlist and where its nodes' nets stand among the outputs.
struct BuiltLayer {
  Netlist netlist;
  std::vector<std::uint32_t> output_widths;
};

/// Adder stages that the published structure has for nodes of `terms`: depth of a tree of 4-input adders.
[[nodiscard]] std::uint32_t published_add_stages(std::size_t terms);

/// Builds every layer. Where latency is the goal, tables may follow the requantiser of the layer before
/// within a stage. The error names layer and node when a node cannot be summed, and the levels that a stage
/// would need.
[[nodiscard]] Result<std::vector<BuiltLayer>> build_layers(const SumIr& ir, const BuildGoal& goal);

/// Runs `events` through all layers and compares with execute(): the netlists say what the sums say.
/// `codes` holds events x inputs. The error names event and output.
[[nodiscard]] Result<void> check_against(const SumIr& ir, const std::vector<BuiltLayer>& layers,
                                         std::span<const std::uint16_t> codes);

}  // namespace kantrig::compiler
