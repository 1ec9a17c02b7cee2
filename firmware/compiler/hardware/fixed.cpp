#include "compiler/hardware/fixed.hpp"

#include <algorithm>
#include <array>
#include <random>

#include <fmt/core.h>

#include "base/digest.hpp"
#include "compiler/hardware/emit_layer.hpp"
#include "compiler/hardware/emit_top.hpp"
#include "compiler/hardware/layer_builder.hpp"
#include "compiler/hardware/lut_packing.hpp"
#include "compiler/hardware/passes.hpp"
#include "compiler/hardware/rtl_sources.hpp"
#include "compiler/hardware/sum_ir.hpp"
#include "kan/model_proto.hpp"

namespace kantrig::compiler {
namespace {

constexpr std::array kDevices{"xcup", "ice40", "generic"};
constexpr std::array kCells{"kan_lut",  "kan_lut_pair",   "kan_mux", "kan_carry_chain",
                            "kan_add2", "kan_add_lookup", "kan_add3"};
constexpr std::uint32_t kJoinedBitsMax = 5;  // of the codes of a joined table: two of its bits share a LUT
constexpr std::uint32_t kSmallBitsMax = 2;   // codes that are worth joining
constexpr std::size_t kCheckedEvents = 2048;

struct Built {
  std::vector<BuiltLayer> layers;
  PassFigure figure;
};

Result<Built> build(const SumIr& ir, const BuildGoal& goal, const std::string& pass) {
  auto layers = build_layers(ir, goal);
  if (!layers) return tl::unexpected(layers.error());
  Built built{std::move(*layers), {pass, 0, 0}};
  for (const BuiltLayer& layer : built.layers) {
    built.figure.luts += lut_count(layer.netlist);
    built.figure.registers += layer.netlist.register_count();
  }
  return built;
}

bool has_small_inputs(const SumLayer& layer) {
  return std::ranges::any_of(layer.inputs, [](const SumInput& input) { return input.bits <= kSmallBitsMax; });
}

Result<void> check_carry_chains(const std::vector<BuiltLayer>& layers, std::uint32_t bits_max) {
  for (std::size_t l = 0; l < layers.size(); ++l) {
    for (const Cell& cell : layers[l].netlist.cells()) {
      if (cell.a.size() <= bits_max) continue;
      return fail(
          ErrorCode::kUnsupported,
          "layer {} needs a carry chain of {} bits, expected at most {}: quantise its outputs to fewer bits, "
          "or allow it with --carry-bits {}",
          l, cell.a.size(), bits_max, cell.a.size());
    }
  }
  return {};
}

/// Golden vectors, the corners, and random events.
std::vector<std::uint16_t> events_to_check(const kan::Bundle& bundle) {
  std::vector<std::uint16_t> codes = bundle.golden.inputs;
  std::mt19937 random(1);  // the same for every build: a compiler gives the same answer twice
  for (std::size_t e = 0; e < kCheckedEvents; ++e) {
    for (const kan::InputFeature& input : bundle.model.inputs) {
      const std::uint32_t last = (1U << input.bits) - 1;
      codes.push_back(static_cast<std::uint16_t>(e == 0 ? 0 : e == 1 ? last : random() & last));
    }
  }
  return codes;
}

std::vector<std::pair<std::uint32_t, std::uint32_t>> ranges_of(const std::vector<bool>& reachable) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> ranges;
  for (std::uint32_t i = 0; i < reachable.size(); ++i) {
    if (!reachable[i]) continue;
    if (!ranges.empty() && ranges.back().second + 1 == i) {
      ranges.back().second = i;
    } else {
      ranges.emplace_back(i, i);
    }
  }
  return ranges;
}

/// `ir` says which codes can occur, `whole` which the model has.
HardwareLayer describe_layer(const SumIr& whole, const SumIr& ir, const std::vector<BuiltLayer>& layers,
                             std::size_t l) {
  HardwareLayer description;
  description.module = fmt::format("kan_layer{}", l);
  description.cycles = layers[l].netlist.output_stage();
  for (const SumInput& input : ir.layers[l].inputs) {
    const auto ranges = ranges_of(input.reachable);
    HardwareField field{input.name, description.input_width, input.bits, ranges.back().second + 1, {}};
    if (ranges.size() > 1 || ranges[0].first > 0) field.reachable = ranges;
    description.inputs.push_back(std::move(field));
    description.input_width += input.bits;
  }
  for (std::size_t k = 0; k < ir.layers[l].nodes.size(); ++k) {
    const std::uint32_t width = layers[l].output_widths[k];
    const bool last = l + 1 == ir.layers.size();
    const SumNode& node = whole.layers[l].nodes[k];
    const std::uint32_t codes = last ? 0U : static_cast<std::uint32_t>(node.high - node.low) + 1;
    description.outputs.push_back({node.name, description.output_width, width, codes, {}});
    description.output_width += width;
  }
  return description;
}

HardwareDesign describe(const kan::Bundle& bundle, const SumIr& whole, const SumIr& ir,
                        const std::vector<BuiltLayer>& layers, const FixedOptions& options) {
  HardwareDesign design;
  design.bundle = bundle.full_name();
  design.target = HardwareTarget::kFixed;
  design.device = options.device;
  design.model_digest = base::sha256(kan::encode_model(bundle.model)).hex();
  for (std::size_t l = 0; l < layers.size(); ++l) {
    design.layers.push_back(describe_layer(whole, ir, layers, l));
    design.cycles += design.layers.back().cycles;
  }
  design.input_width = design.layers.front().input_width;
  design.output_width = design.layers.back().output_width;
  design.inputs = design.layers.front().inputs;
  design.outputs = design.layers.back().outputs;
  return design;
}

void add_cells(CompiledDesign& compiled, bool xilinx) {
  for (const std::string_view cell : kCells) {
    const std::string name = fmt::format("{}.sv", cell);
    compiled.files[name] = rtl_source(fmt::format("{}/{}", xilinx ? "xilinx" : "generic", name));
    compiled.design.files.push_back(name);
  }
}

}  // namespace

Result<CompiledDesign> compile_fixed(const kan::Bundle& bundle, const FixedOptions& options) {
  if (std::ranges::find(kDevices, options.device) == kDevices.end()) {
    return fail(ErrorCode::kInvalid, "device '{}' is unknown, expected xcup, ice40 or generic",
                options.device);
  }
  const bool xilinx = options.device == "xcup";
  const bool optimize = options.optimize != Optimize::kNone;
  const BuildGoal plain{.latency = options.optimize == Optimize::kLatency,
                        .levels_max = options.levels_max,
                        .split_tables = false,
                        .fold_tables = false,
                        .trials_max = 100};
  BuildGoal goal = plain;
  if (optimize && xilinx) {
    goal = BuildGoal{.latency = plain.latency, .levels_max = options.levels_max};
  }
  const SumIr whole = sum_ir_of(bundle);
  std::vector<PassFigure> passes;
  SumIr ir = fold_constants(whole);
  auto built = build(ir, plain, "tables as they are");
  if (!built) return tl::unexpected(built.error());
  passes.push_back(built->figure);
  if (optimize) {
    const SumIr reached = settle_ranges(mark_reachable(whole));
    ir = fold_constants(reached);
    built = build(ir, plain, "codes that can occur");
    if (!built) return tl::unexpected(built.error());
    passes.push_back(built->figure);
    if (has_small_inputs(ir.layers.front())) ir = join_small_inputs(ir, kJoinedBitsMax);
    built = build(ir, goal, xilinx ? "split and folded tables" : "joined tables");
    if (!built) return tl::unexpected(built.error());
    passes.push_back(built->figure);
  }
  if (auto ok = check_carry_chains(built->layers, options.carry_bits_max); !ok)
    return tl::unexpected(ok.error());
  if (auto ok = check_against(whole, built->layers, events_to_check(bundle)); !ok)
    return tl::unexpected(ok.error());

  CompiledDesign compiled;
  compiled.design = describe(bundle, whole, ir, built->layers, options);
  compiled.design.passes = std::move(passes);
  add_cells(compiled, xilinx);
  const auto add_file = [&](const std::string& name, std::string text) {
    compiled.files[name] = std::move(text);
    compiled.design.files.push_back(name);
  };
  add_file("kan_design_pkg.sv", emit_package(compiled.design));
  for (std::size_t l = 0; l < built->layers.size(); ++l) {
    add_file(fmt::format("kan_layer{}.sv", l),
             emit_layer(built->layers[l], ir.layers[l], l, bundle.full_name()));
  }
  add_file("kan_datapath.sv", emit_datapath(compiled.design));
  return compiled;
}

}  // namespace kantrig::compiler
