// LutBuilder: truth tables of any size to LUTs and wide multiplexers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "compiler/hardware/netlist.hpp"
#include "compiler/hardware/truth_table.hpp"

namespace kantrig::compiler {

/// The compiler's estimate in halves of a 6-input LUT: two functions of together at most 5 inputs share one.
[[nodiscard]] std::uint32_t half_luts(const TruthTable& reduced);

/// Adds cells that compute functions to a netlist, all in one stage.
class LutBuilder {
 public:
  LutBuilder(Netlist& netlist, std::uint32_t stage) : netlist_(netlist), stage_(stage) {}

  /// The net of one function.
  Net build(const TruthTable& table, const std::string& word);
  /// The nets of several functions of the same code, which may share intermediate nets.
  std::vector<Net> build_word(std::span<const TruthTable> tables, const std::string& word);

 private:
  Net build_reduced(const TruthTable& table, const std::string& word);
  Net build_small(const TruthTable& table, const std::string& word);
  Net build_split(const TruthTable& table, const std::string& word);
  /// Nets of a code for the classes of `classes` over `bound_nets`.
  std::vector<Net> build_classes(const Decomposition& classes, std::span<const Net> bound_nets,
                                 const std::string& word);

  Netlist& netlist_;
  std::uint32_t stage_;
};

}  // namespace kantrig::compiler
