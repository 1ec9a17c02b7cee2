// Which inputs of a lookup table an output really depends on.
#pragma once

#include <vector>

#include "synth/netlist.hpp"

namespace kantrig::synth {

/// The nets of `cell` that output `output` depends on by its truth table: the O5 of a LUT6_2 never on I5, and
/// no output on an input that its table ignores. Without a truth table: all inputs.
[[nodiscard]] std::vector<Net> lut_inputs(const Cell& cell, const Pin& output);

}  // namespace kantrig::synth
