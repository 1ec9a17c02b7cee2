// The end of a node: from its sum to the next layer's code or to a score, by comparison of the top bits.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/hardware/adder_tree.hpp"
#include "compiler/hardware/netlist.hpp"
#include "compiler/hardware/sum_ir.hpp"

namespace kantrig::compiler {

/// How a node's constant is dealt with. Values are seen from `base`, the node's low for a code and the least
/// number of that many bits for a score: q = constant + terms - (base << shift). What is added to the terms
/// is the constant modulo 2^(value bits + shift), so that the value's bits stand in their columns; the rest
/// of it is a number of whole wraps, which only the comparison of the top bits must know.
struct ConstantPlan {
  std::int64_t base = 0;
  std::uint64_t added = 0;       // to the sum of terms
  std::int64_t wraps = 0;        // q = sum + added + wraps * 2^(value bits + shift)
  std::uint32_t value_bits = 0;  // of high - base
};
[[nodiscard]] ConstantPlan plan_constant(const SumNode& node);

/// Whether clamping this node takes more than a look at a few top bits: comparisons, which may have a stage
/// of their own.
[[nodiscard]] bool needs_comparison(const SumNode& node, std::uint64_t sum_max);

/// The stages of a requantiser: comparisons, then the clamping LUTs.
struct RequantiseStages {
  std::uint32_t compare = 0;
  std::uint32_t clamp = 0;
};

/// The nets of the code, or for the last layer of the score in two's complement, for the finished `sum`.
[[nodiscard]] std::vector<Net> requantise(Netlist& netlist, RequantiseStages stages, const SumNode& node,
                                          const SumWord& sum, const std::string& word);

}  // namespace kantrig::compiler
