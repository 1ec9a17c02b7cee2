// A design of any model in the plainest SystemVerilog there is: one `case` a table, one sum a node. It obeys
// the contract of firmware/README.md, so that tests of what simulates a design need no compiler.
#pragma once

#include "compiler/hardware/design.hpp"
#include "kan/bundle.hpp"

namespace kantrig::test {

/// Fills bundle.rtl_files and returns what design.json there says.
compiler::HardwareDesign add_plain_design(kan::Bundle& bundle);

/// Two layers, 3 -> 4 -> 2: shifts, saturation, a pruned edge, a node without edges, 16-bit entries past the
/// output range, and 20 golden vectors.
[[nodiscard]] kan::Bundle two_layer_bundle();

/// The same with an output stage: its two nodes reconstruct the third and the first feature, by squared
/// distance.
[[nodiscard]] kan::Bundle two_layer_autoencoder();

}  // namespace kantrig::test
