// A bundle with a design in it, for tests of synthesis that need no compiler: the published structure of its
// own model, as kan_datapath.
#pragma once

#include <fmt/format.h>

#include <string>

#include "compiler/hardware/design.hpp"
#include "kan/bundle.hpp"
#include "synth/published_structure.hpp"

namespace kantrig::test {

inline kan::Bundle with_design(kan::Bundle bundle, std::uint32_t add_operands) {
  const auto made = synth::published_structure(bundle.model, add_operands).value();
  compiler::HardwareDesign design;
  design.bundle = bundle.full_name();
  design.device = "generic";
  design.cycles = made.cycles;
  design.input_width = made.input_width;
  design.output_width = made.output_width;
  for (std::size_t l = 0; l < bundle.model.layers.size(); ++l) {
    compiler::HardwareLayer layer;
    for (std::size_t k = 0; k < bundle.model.layers[l].nodes.size(); ++k) {
      const bool last = l + 1 == bundle.model.layers.size();
      const bool named = last && k < bundle.classes.size();
      compiler::HardwareField output;
      output.name = named ? bundle.classes[k] : fmt::format("h{}", k);
      layer.outputs.push_back(output);
    }
    design.layers.push_back(layer);
  }
  design.files = {"published_structure.v", "kan_datapath.sv"};
  bundle.rtl_files["rtl/design.json"] = compiler::design_to_json(design);
  bundle.rtl_files["rtl/published_structure.v"] = made.verilog;
  bundle.rtl_files["rtl/kan_datapath.sv"] = fmt::format(
      "module kan_datapath (\n  input  logic clk_i,\n  input  logic [{}:0] codes_i,\n  input  logic bank_i,\n"
      "  input  logic table_valid_i,\n  input  logic [31:0] table_address_i,\n"
      "  input  logic [31:0] table_data_i,\n  output logic [{}:0] scores_o\n);\n"
      "  published_structure u_structure (.clk_i(clk_i), .codes_i(codes_i), .scores_o(scores_o));\n"
      "endmodule\n",
      made.input_width - 1, made.output_width - 1);
  return bundle;
}

}  // namespace kantrig::test
