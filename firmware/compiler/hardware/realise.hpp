// Ways to make one table from LUTs: as it stands, or as a coarse table plus small corrections.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compiler/hardware/sum_ir.hpp"
#include "compiler/hardware/truth_table.hpp"

namespace kantrig::compiler {

/// T(x) = U(x without some bits) + V(x): neighbouring entries of a learned function differ by little, so U
/// needs smaller LUTs (two bits of 5 inputs share one) and V has one or two bits, some of which find a free
/// carry input.
struct Split {
  std::uint32_t dropped = 0;  // mask of the code bits that U does without; 0: no split
  std::uint32_t then_dropped =
      0;  // a subset of `dropped`: V itself is split once more, its U does without these
  std::uint32_t aligned_bits = 0;  // U is a multiple of 2^aligned_bits, whose columns V's low bits take
};

/// An unsigned word of table outputs at columns column .. column + bits.size() - 1.
struct RealisedWord {
  std::uint32_t column = 0;
  std::vector<TruthTable> bits;  // reduced
  std::uint64_t max = 0;         // of the word's value, column counted
};

struct Realisation {
  Split split;
  std::int32_t offset = 0;  // added to every entry because that made it cheaper; the node's constant pays
  std::vector<RealisedWord> words;  // their sum is entry + offset + added, the widest first
  std::uint32_t half_luts = 0;
  // A multiple of `step` up to `slack` can be added without one bit more.
  std::int32_t slack = 0;
  std::int32_t step = 1;
};

/// What can be varied in making a table.
struct Manner {
  Split split;
  std::int32_t offset = 0;
};

/// `lookup` with `added` in every entry beside the offset; half_luts is an estimate for more than 6 code
/// bits. `variables` are the nets of its code bits, the first input's lowest bit first. Precondition: entries
/// are not negative where reachable.
[[nodiscard]] Realisation realise(const Lookup& lookup, std::span<const Net> variables, const Manner& manner,
                                  std::int32_t added);

/// half_luts by making the words: functions of more than 6 inputs may share LUTs. Slow for many inputs.
[[nodiscard]] std::uint32_t made_half_luts(const Realisation& realisation, std::span<const Net> variables);

/// The cheapest few, best first: table LUTs and what adding the words costs.
[[nodiscard]] std::vector<Realisation> realisations(const Lookup& lookup, std::span<const Net> variables);

}  // namespace kantrig::compiler
