// One layer's netlist as a SystemVerilog module made of the cells of firmware/rtl.
#pragma once

#include <string>

#include "compiler/hardware/layer_builder.hpp"
#include "compiler/hardware/sum_ir.hpp"

namespace kantrig::compiler {

/// The module kan_layer<index>: clk_i, codes_i, codes_o. `layer` gives the comments their names; `bundle` the
/// header.
[[nodiscard]] std::string emit_layer(const BuiltLayer& built, const SumLayer& layer, std::size_t index,
                                     const std::string& bundle);

}  // namespace kantrig::compiler
