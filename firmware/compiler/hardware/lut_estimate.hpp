// The LUTs that a model takes in the target `fixed`, estimated without making a netlist: microseconds an
// edge, so that a training can ask for it at every step. README.md says how far it is from Yosys's count.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kan/model.hpp"

namespace kantrig::compiler {

/// One edge's share: its least entry belongs to the node's constant, so only what varies costs anything. A
/// table that is the same everywhere has width 0 and costs nothing.
struct EdgeLuts {
  double table = 0.0;       // for its bits, two functions of five inputs in one
  std::uint32_t width = 0;  // bits that vary: what the adders see
  std::uint32_t range = 0;  // greatest entry less the least
  std::uint32_t code_bits = 0;
};

/// `entries` has one entry for each code of the edge's input, as in kan::Layer::tables. Precondition: 1 to
/// kan::kTableEntriesMax of them.
[[nodiscard]] EdgeLuts edge_luts(std::span<const std::int16_t> entries);

/// What adding up a node's tables takes, less what is saved where tables of one- and two-bit codes are
/// joined. Clamping is in the weights: it costs next to nothing.
[[nodiscard]] double adder_luts(std::span<const EdgeLuts> edges);

struct LayerLuts {
  std::vector<EdgeLuts> edges;  // in the order of kan::Layer::edges
  std::vector<double> adders;   // of each node
};

struct LutEstimate {
  std::vector<LayerLuts> layers;
  double tables = 0.0;
  double adders = 0.0;
  [[nodiscard]] double total() const noexcept { return tables + adders; }
};

/// Precondition: kan::check(model). Depends on nothing but the model.
[[nodiscard]] LutEstimate estimate_luts(const kan::Model& model);

}  // namespace kantrig::compiler
