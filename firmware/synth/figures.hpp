// Figures of a netlist: how much it takes, and how far signals go between registers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "synth/netlist.hpp"

namespace kantrig::synth {

/// What lies between one row of registers (or the inputs) and the next (or the outputs).
struct StageFigures {
  std::uint32_t luts = 0;
  std::uint32_t ffs = 0;                     // of the row at its end
  std::uint32_t levels = 0;                  // LUTs on its longest path; F7 and F8 belong to the LUT before
  std::string longest;                       // the signal that the longest path decides
  std::uint32_t carry_chains_in_series = 0;  // on one path
  std::uint32_t carry_bits = 0;              // of its longest chain
};

struct Figures {
  std::uint32_t luts = 0;              // all, those that work as memory or shift register included
  std::uint32_t dual_output_luts = 0;  // of these, LUTs that give two functions
  std::uint32_t srls = 0;              // of these, shift registers
  std::uint32_t memory_luts = 0;       // of these, memory
  std::uint32_t ffs = 0;
  std::uint32_t carries = 0;  // CARRY8 that the chains take (iCE40: carry cells)
  std::uint32_t f7 = 0;
  std::uint32_t f8 = 0;
  std::map<std::string, std::uint32_t> others;  // cells that are none of these, by type
  std::uint32_t cycles = 0;                     // registers on every path from an input to an output
  std::vector<StageFigures> stages;             // cycles + 1 of them

  [[nodiscard]] std::uint32_t levels_max() const noexcept;
  [[nodiscard]] std::uint32_t carry_chains_in_series_max() const noexcept;
  [[nodiscard]] std::uint32_t carry_bits_max() const noexcept;
};

/// Fails, naming the cell, when paths from the inputs to one cell have different numbers of registers, so
/// that it would mix two events, and when there is a loop.
[[nodiscard]] Result<Figures> figures_of(const Netlist& netlist);

/// How many bits of input a carry chain has: positions that add something, not the one that only lets the
/// carry out. By the cell that begins it, as index into netlist.cells.
struct CarryChain {
  std::vector<std::uint32_t> cells;  // from the lowest
  std::uint32_t bits = 0;
};
[[nodiscard]] std::vector<CarryChain> carry_chains(const Netlist& netlist);

}  // namespace kantrig::synth
