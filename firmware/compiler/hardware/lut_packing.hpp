// Which two functions share one LUT: the 6-input LUT of Xilinx gives two functions of the same 5 inputs.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "compiler/hardware/netlist.hpp"

namespace kantrig::compiler {

/// Indices of LUT cells of a netlist. Both have the same stage and together at most 5 inputs.
struct LutPair {
  std::size_t first = 0;
  std::optional<std::size_t> second;
};

/// Every LUT cell once, pairs wherever a greedy search finds them, in the order of the first of each.
[[nodiscard]] std::vector<LutPair> pack_luts(const Netlist& netlist);

/// LUTs that the netlist takes with that packing: the compiler's own count of area.
[[nodiscard]] std::uint32_t lut_count(const Netlist& netlist);

}  // namespace kantrig::compiler
