// SumIr: the integer KAN as sums of look-ups, the form that passes rewrite before there are cells. It can be
// executed.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kan/bundle.hpp"

namespace kantrig::compiler {

/// A code that a layer reads.
struct SumInput {
  std::string name;
  std::uint32_t bits = 0;
  std::vector<bool> reachable;  // 2^bits: may this code occur?
};

/// One term of a node: an integer for every combination of the codes of its inputs (the first in the lowest
/// bits).
struct Lookup {
  std::vector<std::uint32_t> inputs;  // of the layer
  std::vector<std::int32_t> entries;
  std::vector<bool> reachable;  // which entries can be asked for; the others are don't-cares
};

/// output = clamp((constant + sum of terms) >> shift, low, high); half of the rounding is in the constant.
struct SumNode {
  std::string name;
  std::vector<Lookup> terms;
  std::int64_t constant = 0;
  std::uint32_t shift = 0;
  std::int32_t low = 0;
  std::int32_t high = 0;
  std::uint32_t score_bits = 0;  // of the last layer's outputs, two's complement; 0 elsewhere
};

struct SumLayer {
  std::vector<SumInput> inputs;
  std::vector<SumNode> nodes;
};

struct SumIr {
  std::vector<SumLayer> layers;
};

/// One term an edge. Names come from the bundle: features, hidden nodes h<layer>_<node>, classes;
/// reconstructions y<node>_<feature>.
[[nodiscard]] SumIr sum_ir_of(const kan::Bundle& bundle);

/// The outputs for one event of codes.
[[nodiscard]] std::vector<std::int32_t> execute(const SumIr& ir, std::span<const std::uint16_t> codes);

/// Bits that hold low..high in two's complement.
[[nodiscard]] std::uint32_t signed_bits(std::int32_t low, std::int32_t high);

/// Bits of codes 0 .. count - 1, at least 1.
[[nodiscard]] std::uint32_t code_bits(std::uint32_t count);

}  // namespace kantrig::compiler
