#include "support/plain_design.hpp"

#include <fmt/core.h>

#include <bit>
#include <random>
#include <string>
#include <vector>

#include "kan/model_proto.hpp"
#include "kan/reference.hpp"

namespace kantrig::test {
namespace {

using compiler::HardwareField;
using compiler::HardwareLayer;

constexpr std::uint32_t kCyclesPerLayer = 2;

std::uint32_t bits_of(std::uint32_t codes) {
  return codes <= 2 ? 1 : static_cast<std::uint32_t>(std::bit_width(codes - 1));
}

std::uint32_t total(const std::vector<HardwareField>& fields) {
  return fields.back().offset + fields.back().width;
}

void add_field(std::vector<HardwareField>& fields, HardwareField field) {
  field.offset = fields.empty() ? 0 : total(fields);
  fields.push_back(std::move(field));
}

std::string slice(const HardwareField& field) {
  return fmt::format("[{}:{}]", field.offset + field.width - 1, field.offset);
}

std::string edge_text(const kan::Layer& layer, const kan::Edge& edge, const HardwareField& input,
                      const std::string& name) {
  std::string text = fmt::format("  logic signed [31:0] {};\n  always_comb begin\n    case (codes_i{})\n",
                                 name, slice(input));
  for (std::uint32_t c = 0; c < layer.input_codes[edge.input]; ++c) {
    text += fmt::format("      {}'d{}: {} = 32'({});\n", input.width, c, name,
                        layer.tables[edge.table_offset + c]);
  }
  return text + fmt::format("      default: {} = 32'(0);\n    endcase\n  end\n", name);
}

std::string layer_text(const kan::Layer& layer, const HardwareLayer& hardware, bool last) {
  std::string text = fmt::format(
      "module {} (\n  input  logic clk_i,\n  input  logic [{}:0] codes_i,\n  output logic [{}:0] "
      "codes_o\n);\n",
      hardware.module, hardware.input_width - 1, hardware.output_width - 1);
  for (std::size_t k = 0; k < layer.nodes.size(); ++k) {
    const kan::Node& node = layer.nodes[k];
    std::string sum = fmt::format("32'({})", node.bias + (node.shift == 0 ? 0 : 1 << (node.shift - 1)));
    for (std::uint32_t e = node.edge_begin; e < node.edge_end; ++e) {
      const kan::Edge& edge = layer.edges[e];
      const std::string name = fmt::format("t_{}_{}", edge.input, k);
      text += edge_text(layer, edge, hardware.inputs[edge.input], name);
      sum += " + " + name;
    }
    const HardwareField& out = hardware.outputs[k];
    text += fmt::format(
        "  logic signed [31:0] sum_{0}_q, clamped_{0};\n  logic [{1}:0] code_{0}_q;\n"
        "  always_comb begin\n    clamped_{0} = sum_{0}_q >>> {2};\n"
        "    if (clamped_{0} < 32'({3})) clamped_{0} = 32'({3});\n"
        "    if (clamped_{0} > 32'({4})) clamped_{0} = 32'({4});\n  end\n"
        "  always_ff @(posedge clk_i) begin\n    sum_{0}_q <= {5};\n"
        "    code_{0}_q <= {6}'(clamped_{0} - 32'({7}));\n  end\n  assign codes_o{8} = code_{0}_q;\n",
        k, out.width - 1, node.shift, node.low, node.high, sum, out.width, last ? 0 : node.low, slice(out));
  }
  return text + "endmodule\n";
}

HardwareLayer describe_layer(const kan::Model& model, std::size_t l, std::vector<HardwareField> inputs) {
  HardwareLayer layer{.module = fmt::format("kan_layer{}", l),
                      .cycles = kCyclesPerLayer,
                      .input_width = total(inputs),
                      .output_width = 0,
                      .inputs = std::move(inputs),
                      .outputs = {}};
  const bool last = l + 1 == model.layers.size();
  for (std::size_t k = 0; k < model.layers[l].nodes.size(); ++k) {
    const kan::Node& node = model.layers[l].nodes[k];
    const auto codes = static_cast<std::uint32_t>(node.high - node.low + 1);
    HardwareField field{
        .name = fmt::format("h{}_{}", l + 1, k), .width = bits_of(codes), .codes = codes, .reachable = {}};
    if (last) {
      field.width = 1;
      while (node.low < -(1 << (field.width - 1)) || node.high >= 1 << (field.width - 1)) ++field.width;
      field.codes = 0;
    }
    add_field(layer.outputs, std::move(field));
  }
  layer.output_width = total(layer.outputs);
  return layer;
}

std::string datapath_text(const compiler::HardwareDesign& design) {
  std::string text = fmt::format(
      "module kan_datapath (\n  input  logic clk_i,\n  input  logic [{}:0] codes_i,\n  input  logic bank_i,\n"
      "  input  logic table_valid_i,\n  input  logic [31:0] table_address_i,\n  input  logic [31:0] "
      "table_data_i,\n"
      "  output logic [{}:0] scores_o\n);\n",
      design.input_width - 1, design.output_width - 1);
  std::string from = "codes_i";
  for (std::size_t l = 0; l < design.layers.size(); ++l) {
    const HardwareLayer& layer = design.layers[l];
    const std::string to = l + 1 == design.layers.size() ? "scores_o" : fmt::format("codes_{}", l);
    if (to != "scores_o") text += fmt::format("  logic [{}:0] {};\n", layer.output_width - 1, to);
    text += fmt::format("  {} u_layer{} (.clk_i, .codes_i({}), .codes_o({}));\n", layer.module, l, from, to);
    from = to;
  }
  return text + "endmodule\n";
}

std::string package_text(const compiler::HardwareDesign& design) {
  return fmt::format(
      "package kan_design_pkg;\n  localparam int unsigned InputWidth = {};\n"
      "  localparam int unsigned OutputWidth = {};\n  localparam int unsigned Latency = {};\n"
      "  localparam int unsigned FeatureCount = {};\n  localparam int unsigned OutputCount = {};\n"
      "  localparam logic [255:0] ModelDigest = 256'h{};\nendpackage\n",
      design.input_width, design.output_width, design.cycles, design.inputs.size(), design.outputs.size(),
      design.model_digest);
}

/// Every random number of a test design, by a seed that is part of it.
class Tables {
 public:
  explicit Tables(std::uint32_t seed) : random_(seed) {}
  std::int32_t between(std::int32_t low, std::int32_t high) {
    return low + static_cast<std::int32_t>(random_() % static_cast<std::uint32_t>(high - low + 1));
  }
  /// A node over `inputs`, whose entries lie in [-span, span].
  void add(kan::Layer& layer, kan::Node node, const std::vector<std::uint32_t>& inputs, std::int32_t span) {
    node.edge_begin = static_cast<std::uint32_t>(layer.edges.size());
    for (const std::uint32_t input : inputs) {
      layer.edges.push_back({input, static_cast<std::uint32_t>(layer.tables.size())});
      for (std::uint32_t c = 0; c < layer.input_codes[input]; ++c) {
        layer.tables.push_back(static_cast<std::int16_t>(between(-span, span)));
      }
    }
    node.edge_end = static_cast<std::uint32_t>(layer.edges.size());
    layer.nodes.push_back(node);
  }

 private:
  std::mt19937 random_;
};

}  // namespace

compiler::HardwareDesign add_plain_design(kan::Bundle& bundle) {
  const kan::Model& model = bundle.model;
  compiler::HardwareDesign design;
  design.bundle = bundle.full_name();
  design.device = "generic";
  design.model_digest = base::sha256(kan::encode_model(model)).hex();
  std::vector<HardwareField> fields;
  for (std::size_t i = 0; i < model.inputs.size(); ++i) {
    const std::uint32_t bits = model.inputs[i].bits;
    add_field(fields, {.name = bundle.features[i].name, .width = bits, .codes = 1U << bits, .reachable = {}});
  }
  design.inputs = fields;
  for (std::size_t l = 0; l < model.layers.size(); ++l) {
    design.layers.push_back(describe_layer(model, l, fields));
    fields = design.layers.back().outputs;
  }
  for (std::size_t k = 0; k < fields.size() && fields.size() == bundle.classes.size(); ++k) {
    fields[k].name = bundle.classes[k];
  }
  design.layers.back().outputs = fields;
  design.outputs = fields;
  design.input_width = total(design.inputs);
  design.output_width = total(design.outputs);
  design.cycles = kCyclesPerLayer * static_cast<std::uint32_t>(design.layers.size());
  bundle.rtl_files["rtl/kan_design_pkg.sv"] = package_text(design);
  design.files = {"kan_design_pkg.sv"};
  for (std::size_t l = 0; l < model.layers.size(); ++l) {
    const std::string file = design.layers[l].module + ".sv";
    bundle.rtl_files["rtl/" + file] =
        layer_text(model.layers[l], design.layers[l], l + 1 == model.layers.size());
    design.files.push_back(file);
  }
  bundle.rtl_files["rtl/kan_datapath.sv"] = datapath_text(design);
  design.files.emplace_back("kan_datapath.sv");
  std::string list;
  for (const std::string& file : design.files) list += file + "\n";
  bundle.rtl_files["rtl/files.f"] = list;
  bundle.rtl_files["rtl/design.json"] = compiler::design_to_json(design);
  return design;
}

kan::Bundle two_layer_bundle() {
  kan::Bundle bundle;
  bundle.name = "two";
  bundle.version = "1.0.0";
  bundle.features = {{"mass", "GeV"}, {"width", ""}, {"charge", ""}};
  bundle.classes = {"quark", "gluon"};
  bundle.provenance.tool = "test";
  kan::Model& model = bundle.model;
  model.inputs = {{.bits = 4, .scale = 0.5F, .offset = 8.0F},
                  {.bits = 3, .scale = 2.0F, .offset = 0.0F},
                  {.bits = 5, .scale = 1.0F, .offset = 16.0F}};
  Tables tables(20240611);
  kan::Layer first;
  first.input_codes = {16, 8, 32};
  tables.add(first, {.bias = 3, .shift = 0, .low = -20, .high = 19}, {0, 1, 2}, 12);
  tables.add(first, {.bias = -7, .shift = 2, .low = -16, .high = 15}, {0, 2}, 40);
  tables.add(first, {.bias = 5, .shift = 0, .low = 0, .high = 9}, {}, 1);
  tables.add(first, {.bias = 0, .shift = 3, .low = -8, .high = 7}, {0, 1, 2}, 60);
  kan::Layer second;
  second.input_codes = {40, 32, 10, 16};
  tables.add(second, {.bias = 0, .shift = 0, .low = -128, .high = 127}, {0, 1, 2, 3}, 50);
  tables.add(second, {.bias = 1, .shift = 1, .low = -300, .high = 300}, {0, 1, 3}, 400);
  model.layers = {first, second};
  model.output_scales = {0.25, 0.25};
  bundle.golden.count = 20;
  for (std::uint32_t i = 0; i < bundle.golden.count; ++i) {
    std::vector<std::uint16_t> codes;
    for (const kan::InputFeature& input : model.inputs) {
      codes.push_back(static_cast<std::uint16_t>(tables.between(0, (1 << input.bits) - 1)));
    }
    const auto outputs = kan::reference_outputs(model, codes);
    bundle.golden.inputs.insert(bundle.golden.inputs.end(), codes.begin(), codes.end());
    bundle.golden.outputs.insert(bundle.golden.outputs.end(), outputs.begin(), outputs.end());
  }
  return bundle;
}

kan::Bundle two_layer_autoencoder() {
  kan::Bundle bundle = two_layer_bundle();
  bundle.name = "two-autoencoder";
  bundle.classes = {"normal", "anomaly"};
  kan::OutputStage stage{.measure = kan::DistanceMeasure::kSquared,
                         .shift = 2,
                         .class_above = 9'000,
                         .inputs = {2, 0},
                         .targets = {}};
  for (std::int32_t c = 0; c < 32; ++c) stage.targets.push_back(static_cast<std::int16_t>(8 * c - 124));
  for (std::int32_t c = 0; c < 16; ++c) stage.targets.push_back(static_cast<std::int16_t>(40 * c - 300));
  bundle.model.output_stage = std::move(stage);
  bundle.model.output_scales = {0.25};
  bundle.golden.outputs.clear();
  const std::size_t inputs = bundle.model.input_count();
  for (std::uint32_t i = 0; i < bundle.golden.count; ++i) {
    const auto outputs =
        kan::reference_outputs(bundle.model, std::span(bundle.golden.inputs).subspan(i * inputs, inputs));
    bundle.golden.outputs.push_back(outputs.front());
  }
  return bundle;
}

}  // namespace kantrig::test
