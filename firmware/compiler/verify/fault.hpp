// From the rows of a sweep that came out wrong to the table entry that is wrong.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/verify/edge_sweep.hpp"
#include "compiler/verify/unit_tester.hpp"

namespace kantrig::compiler {

inline constexpr std::size_t kFaultsPerNode = 8;

/// Where a design differs: at one code of one edge, or at a node as a whole.
struct Fault {
  std::uint32_t layer = 0;
  std::uint32_t node = 0;
  std::optional<std::uint32_t> input;  // of the edge; empty: the node as a whole
  std::optional<std::uint32_t> code;   // of that input
  std::string node_name;
  std::string input_name;
  std::uint64_t settings = 0;  // rows that have this code, or are of this node
  std::uint64_t differing = 0;
  Mismatch example;
};

/// "layer 0, edge pt -> h1_3 (input 0, node 3), code 17: ..."
[[nodiscard]] std::string to_string(const Fault& fault);

/// Runs the sweep of a node again and finds what its wrong rows have in common: the code that explains most
/// of them, then the next one, at most kFaultsPerNode. Names are the caller's to fill in.
[[nodiscard]] Result<std::vector<Fault>> locate_faults(UnitTester& tester, const EdgeSweep& sweep,
                                                       std::uint32_t layer, std::uint32_t node);

}  // namespace kantrig::compiler
