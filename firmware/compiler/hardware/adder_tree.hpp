// AdderTree: sums words of a node with two- and three-operand carry-chain adders, a few pipeline stages deep.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/hardware/netlist.hpp"
#include "compiler/hardware/realise.hpp"

namespace kantrig::compiler {

/// An unsigned number: net i has weight 2^(column + i).
struct SumWord {
  std::uint32_t column = 0;
  std::vector<Net> nets;
  std::uint64_t max = 0;
  std::uint32_t levels = 0;  // of LUTs before it in the stage that made it
  bool chained = false;      // made by an adder

  [[nodiscard]] std::uint32_t end() const { return column + static_cast<std::uint32_t>(nets.size()); }
};

class AdderTree {
 public:
  /// `sum_max` bounds the sum of everything and so every partial sum. `name` names the words made.
  AdderTree(Netlist& netlist, std::uint64_t sum_max, std::uint32_t levels_max, std::string name)
      : netlist_(netlist), sum_max_(sum_max), levels_max_(levels_max), name_(std::move(name)) {}

  void add(SumWord word);
  [[nodiscard]] const std::vector<SumWord>& words() const { return words_; }
  /// The most nets in one column.
  [[nodiscard]] std::uint32_t height() const;

  /// Replaces words `addend` and what `table` stands for by their sum, the table inside the adder's LUTs.
  /// Precondition: the table's bits have at most 5 variables together, and chainable(words()[addend]).
  void fold(std::uint32_t stage, std::size_t addend, const RealisedWord& table);
  /// Whether an adder can follow this word within its stage.
  [[nodiscard]] bool chainable(const SumWord& word) const {
    return !word.chained && word.levels < levels_max_;
  }
  /// Adds pairs in `stage`, the one that made them, until at most `height_max` nets stand in a column, or no
  /// more can be.
  void pair_up(std::uint32_t stage, std::uint32_t height_max);
  /// One stage of a tree that has `stages_left` of them, this one included.
  void compress(std::uint32_t stage, std::uint32_t stages_left);
  /// Adds the two widest words, and small ones where there is room: one chain is all that a stage has.
  /// Precondition: there are two words.
  void finish_pair(std::uint32_t stage);

 private:
  struct Operands;
  /// Adds the words at `indices` (two or three) and what else finds a free place in the adder; returns their
  /// sum.
  SumWord sum(std::uint32_t stage, std::vector<SumWord> operands, bool ternary);
  void place_small_words(Operands& operands);
  [[nodiscard]] SumWord finish(std::uint32_t stage, Operands operands, CellKind kind);

  Netlist& netlist_;
  std::uint64_t sum_max_;
  std::uint32_t levels_max_;
  std::string name_;
  std::uint32_t made_ = 0;
  std::vector<SumWord> words_;
};

}  // namespace kantrig::compiler
