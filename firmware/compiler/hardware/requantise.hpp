// The end of a node: from its sum to the next layer's code or to a score, by comparison of the top bits.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/hardware/adder_tree.hpp"
#include "compiler/hardware/netlist.hpp"
#include "compiler/hardware/sum_ir.hpp"

namespace kantrig::compiler {

/// How a node's constant is dealt with. With q = constant + terms - (low << shift), the code is clamp(q >>
/// shift, 0, high - low). What is added to the terms is the constant modulo 2^(code bits + shift), so that
/// the code's bits stand in their columns; the rest of it is a number of whole wraps, which only the
/// comparison of the top bits must know.
struct ConstantPlan {
  std::uint64_t added = 0;      // to the sum of terms
  std::int64_t wraps = 0;       // q = sum + added + wraps * 2^(code bits + shift)
  std::uint32_t code_bits = 0;  // of high - low; 0 for a node that has one value
};
[[nodiscard]] ConstantPlan plan_constant(const SumNode& node);

/// The code's nets for the finished `sum`, made by LUTs of `stage`.
[[nodiscard]] std::vector<Net> requantise_code(Netlist& netlist, std::uint32_t stage, const SumNode& node,
                                               const SumWord& sum, const std::string& word);

/// Bits of a score of this node in two's complement.
[[nodiscard]] std::uint32_t score_bits(const SumNode& node);

/// The score's nets: code + low in two's complement.
[[nodiscard]] std::vector<Net> requantise_score(Netlist& netlist, std::uint32_t stage, const SumNode& node,
                                                const SumWord& sum, const std::string& word);

}  // namespace kantrig::compiler
