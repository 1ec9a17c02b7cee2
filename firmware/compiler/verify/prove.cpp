#include "compiler/verify/prove.hpp"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <functional>
#include <utility>

#include "base/file.hpp"
#include "compiler/verify/codes.hpp"
#include "compiler/verify/edge_sweep.hpp"
#include "compiler/verify/tools.hpp"

namespace kantrig::compiler {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLogBytesMax = std::size_t{16} << 20U;
constexpr std::uint32_t kReadSecondsMax = 600;
constexpr std::uint32_t kJobs = 2;

/// Registers as wires: a layer has no feedback, so what comes out is what its inputs, held, lead to.
constexpr std::string_view kWires =
    "module \\$dff (CLK, D, Q);\n  parameter WIDTH = 1;\n  parameter CLK_POLARITY = 1;\n  input CLK;\n"
    "  input [WIDTH-1:0] D;\n  output [WIDTH-1:0] Q;\n  assign Q = D;\nendmodule\n";

std::string bits_text(std::uint32_t value, std::uint32_t width) {
  std::string text = fmt::format("{}'b", width);
  for (std::uint32_t i = width; i-- > 0;) text += (value >> i & 1U) != 0 ? '1' : '0';
  return text;
}

std::string slice(const HardwareField& field) {
  return fmt::format("[{}:{}]", field.offset + field.width - 1, field.offset);
}

/// The output field of a node, whose sum is `sum` without the half.
std::uint32_t output_bits(const kan::Node& node, std::int64_t sum, const HardwareField& field, bool score) {
  const std::int64_t half = node.shift == 0 ? 0 : std::int64_t{1} << (node.shift - 1);
  const std::int64_t value = std::clamp<std::int64_t>((sum + half) >> node.shift, node.low, node.high);
  return static_cast<std::uint32_t>(score ? value : value - node.low) & ((1U << field.width) - 1);
}

/// One node of one layer, and what is to be written for it.
class NodeProblem {
 public:
  NodeProblem(const kan::Model& model, const HardwareDesign& design, std::uint32_t layer, std::uint32_t node)
      : layer_(model.layers[layer]),
        node_(layer_.nodes[node]),
        hardware_(design.layers[layer]),
        field_(hardware_.outputs[node]),
        space_(hardware_.inputs),
        score_(layer + 1 == model.layers.size()) {
    for (std::uint32_t e = node_.edge_begin; e < node_.edge_end; ++e) {
      inputs_.push_back(layer_.edges[e].input);
      code_bits_ = std::max(code_bits_, hardware_.inputs[inputs_.back()].width);
      entries_ += space_.codes(inputs_.back()).size();
    }
    edge_bits_ = std::max(1U, static_cast<std::uint32_t>(std::bit_width(inputs_.size())));
  }

  [[nodiscard]] const std::vector<std::uint32_t>& inputs() const { return inputs_; }
  [[nodiscard]] std::uint64_t entries() const { return entries_; }

  /// The module that must never raise `wrong`.
  [[nodiscard]] std::string text(std::uint64_t seed) const {
    const auto settings = choose_settings(seed);
    std::string text = fmt::format(
        "module prove (input [{}:0] edge_i, input [{}:0] code_i, input [1:0] setting_i, output wrong);\n"
        "  reg [{}:0] codes;\n  reg [{}:0] expected;\n  wire [{}:0] result;\n  always @* begin\n"
        "    case (setting_i)\n",
        edge_bits_ - 1, code_bits_ - 1, hardware_.input_width - 1, field_.width, hardware_.output_width - 1);
    for (std::uint32_t s = 0; s < settings.size(); ++s)
      text += fmt::format("      2'd{}: codes = {};\n", s, row_text(settings[s]));
    text += "    endcase\n    case (edge_i)\n";
    for (std::uint32_t e = 0; e < inputs_.size(); ++e) {
      const HardwareField& input = hardware_.inputs[inputs_[e]];
      text += fmt::format("      {}: codes{} = code_i[{}:0];\n", bits_text(e, edge_bits_), slice(input),
                          input.width - 1);
    }
    text += "      default: ;\n    endcase\n    case ({edge_i, setting_i, code_i})\n";
    for (std::uint32_t e = 0; e < inputs_.size(); ++e) {
      for (std::uint32_t s = 0; s < settings.size(); ++s) text += expected_text(e, s, settings[s]);
    }
    return text + fmt::format(
                      "      default: expected = {}'b0;\n    endcase\n  end\n"
                      "  {} u_layer (.clk_i(1'b0), .codes_i(codes), .codes_o(result));\n"
                      "  assign wrong = expected[{}] && result{} != expected[{}:0];\nendmodule\n",
                      field_.width + 1, hardware_.module, field_.width, slice(field_), field_.width - 1);
  }

 private:
  using Row = std::vector<std::uint16_t>;

  [[nodiscard]] std::int32_t entry(std::uint32_t edge, std::uint16_t code) const {
    return layer_.tables[layer_.edges[node_.edge_begin + edge].table_offset + code];
  }
  [[nodiscard]] std::int64_t sum_of(const Row& row) const {
    std::int64_t sum = node_.bias;
    for (std::uint32_t e = 0; e < inputs_.size(); ++e) sum += entry(e, row[inputs_[e]]);
    return sum;
  }

  /// The settings in which the most codes of the most edges leave the sum inside the clamp.
  [[nodiscard]] std::vector<Row> choose_settings(std::uint64_t seed) const {
    const auto index = static_cast<std::uint32_t>(&node_ - layer_.nodes.data());
    const EdgeSweep sweep(layer_, index, space_, seed);
    std::vector<std::pair<std::uint64_t, Row>> rows;
    const std::uint64_t stride = std::max<std::uint64_t>(1, sweep.steps().size() / 64);
    for (std::uint64_t i = 0; i < sweep.steps().size(); i += stride) {
      Row row(space_.input_count());
      sweep.fill(i, row);
      rows.emplace_back(open_entries(row), std::move(row));
    }
    std::ranges::stable_sort(rows, std::greater<>(), [](const auto& item) { return item.first; });
    std::vector<Row> settings;
    for (std::uint32_t s = 0; s < kProofSettings; ++s) settings.push_back(rows[s % rows.size()].second);
    return settings;
  }
  [[nodiscard]] std::uint64_t open_entries(const Row& row) const {
    const std::int64_t sum = sum_of(row);
    std::uint64_t open = 0;
    for (std::uint32_t e = 0; e < inputs_.size(); ++e) {
      for (const std::uint16_t code : space_.codes(inputs_[e])) {
        const std::int64_t value = (sum - entry(e, row[inputs_[e]]) + entry(e, code)) >> node_.shift;
        open += value > node_.low && value < node_.high ? 1 : 0;
      }
    }
    return open;
  }

  [[nodiscard]] std::string row_text(const Row& row) const {
    std::string bits(hardware_.input_width, '0');
    for (std::size_t j = 0; j < row.size(); ++j) {
      const HardwareField& input = hardware_.inputs[j];
      for (std::uint32_t b = 0; b < input.width; ++b) {
        if ((row[j] >> b & 1U) != 0) bits[hardware_.input_width - 1 - input.offset - b] = '1';
      }
    }
    return fmt::format("{}'b{}", hardware_.input_width, bits);
  }

  [[nodiscard]] std::string expected_text(std::uint32_t edge, std::uint32_t setting, const Row& row) const {
    std::string text;
    const std::int64_t others = sum_of(row) - entry(edge, row[inputs_[edge]]);
    for (const std::uint16_t code : space_.codes(inputs_[edge])) {
      const std::uint32_t bits = output_bits(node_, others + entry(edge, code), field_, score_);
      text += fmt::format("      {{{}, 2'd{}, {}}}: expected = {{1'b1, {}}};\n", bits_text(edge, edge_bits_),
                          setting, bits_text(code, code_bits_), bits_text(bits, field_.width));
    }
    return text;
  }

  const kan::Layer& layer_;
  const kan::Node& node_;
  const HardwareLayer& hardware_;
  const HardwareField& field_;
  CodeSpace space_;
  bool score_;
  std::vector<std::uint32_t> inputs_;  // of each edge
  std::uint32_t code_bits_ = 1;
  std::uint32_t edge_bits_ = 1;
  std::uint64_t entries_ = 0;
};

/// The number in the line of `name` of the model that Yosys prints.
std::uint32_t number_of(const std::string& log, const std::string& name) {
  const std::size_t at = log.rfind("\\" + name + " ");
  if (at == std::string::npos) return 0;
  return static_cast<std::uint32_t>(std::strtoul(log.c_str() + at + name.size() + 1, nullptr, 10));
}

class Prover {
 public:
  Prover(const kan::Bundle& bundle, const HardwareDesign& design, const ProveOptions& options, fs::path yosys)
      : bundle_(bundle), design_(design), options_(options), yosys_(std::move(yosys)) {}

  Result<ProveReport> run() {
    if (auto ok = write_sources(); !ok) return tl::unexpected(ok.error());
    for (std::uint32_t l = 0; l < design_.layers.size(); ++l) {
      if (auto ok = read_layer(l); !ok) return tl::unexpected(ok.error());
      const auto nodes = static_cast<std::uint32_t>(design_.layers[l].outputs.size());
      for (std::uint32_t k = 0; k < nodes; k += kJobs) {
        if (auto ok = prove_nodes(l, k, std::min(nodes, k + kJobs)); !ok) return tl::unexpected(ok.error());
      }
    }
    return std::move(report_);
  }

 private:
  Result<void> write_sources() {
    for (const auto& [path, text] : bundle_.rtl_files) {
      std::error_code error;
      fs::create_directories((options_.folder / path).parent_path(), error);
      if (auto ok = base::write_file_atomic(options_.folder / path, text); !ok) return ok;
    }
    return base::write_file_atomic(options_.folder / "wires.v", kWires);
  }

  /// Yosys's own cells first: only those that the design instantiates stay.
  Result<void> read_layer(std::uint32_t l) {
    const std::string& module = design_.layers[l].module;
    std::string script = "read_verilog +/xilinx/cells_sim.v\n";
    for (const std::string& file : design_.files) script += fmt::format("read_verilog -sv rtl/{}\n", file);
    script += fmt::format(
        "hierarchy -check -top {0}\nproc\nflatten\nopt_clean\ntechmap -map wires.v\nopt -full\n"
        "select -assert-none t:$*dff* t:$*ff\nwrite_rtlil {0}.il\n",
        module);
    if (options_.progress) options_.progress("yosys reads " + module);
    const auto tool = yosys(module, script, kReadSecondsMax);
    if (!tool) return tl::unexpected(tool.error());
    return run_tools({*tool}, 1);
  }

  Result<ToolRun> yosys(const std::string& name, const std::string& script, std::uint32_t seconds) {
    if (auto ok = base::write_file_atomic(options_.folder / (name + ".ys"), script); !ok)
      return tl::unexpected(ok.error());
    const fs::path folder = fs::absolute(options_.folder);
    return ToolRun{.words = {yosys_.string(), "-Q", "-T", "-s", name + ".ys"},
                   .folder = folder,
                   .log = folder / (name + ".log"),
                   .seconds_max = seconds};
  }

  Result<void> prove_nodes(std::uint32_t l, std::uint32_t begin, std::uint32_t end) {
    std::vector<ToolRun> runs;
    std::vector<NodeProof> proofs;
    for (std::uint32_t k = begin; k < end; ++k) {
      const NodeProblem problem(bundle_.model, design_, l, k);
      if (problem.inputs().empty()) continue;
      const std::string name = fmt::format("layer{}_node{}", l, k);
      if (auto ok = base::write_file_atomic(options_.folder / (name + ".v"), problem.text(options_.seed));
          !ok)
        return ok;
      const std::string script = fmt::format(
          "read_rtlil {0}.il\nread_verilog {1}.v\nhierarchy -check -top prove\nproc\nflatten\nopt_clean\n"
          "memory_map\nopt -full\n"
          "sat -timeout {2} -prove wrong 0 -show edge_i,code_i,setting_i prove\n",
          design_.layers[l].module, name, options_.node_seconds_max);
      const auto tool = yosys(name, script, options_.node_seconds_max + kReadSecondsMax);
      if (!tool) return tl::unexpected(tool.error());
      runs.push_back(*tool);
      NodeProof& proof = proofs.emplace_back();
      proof.layer = l;
      proof.node = k;
      proof.name = design_.layers[l].outputs[k].name;
      proof.entries = problem.entries();
    }
    if (auto ok = run_tools(runs, kJobs); !ok) return ok;
    for (std::size_t i = 0; i < proofs.size(); ++i) {
      if (auto ok = read_outcome(runs[i].log, proofs[i]); !ok) return ok;
      report_.nodes.push_back(std::move(proofs[i]));
    }
    return {};
  }

  Result<void> read_outcome(const fs::path& file, NodeProof& proof) {
    const auto log = base::read_file(file, kLogBytesMax);
    if (!log) return tl::unexpected(log.error());
    if (log->find("no model found: SUCCESS!") != std::string::npos) {
      proof.outcome = NodeProof::Outcome::kProved;
    } else if (log->find("model found: FAIL!") != std::string::npos) {
      const NodeProblem problem(bundle_.model, design_, proof.layer, proof.node);
      const std::uint32_t edge = number_of(*log, "edge_i");
      const std::uint32_t input = problem.inputs()[std::min<std::size_t>(edge, problem.inputs().size() - 1)];
      proof.outcome = NodeProof::Outcome::kRefuted;
      proof.refutation =
          fmt::format("layer {}, edge {} -> {} (input {}, node {}), code {}, in setting {}", proof.layer,
                      design_.layers[proof.layer].inputs[input].name, proof.name, input, proof.node,
                      number_of(*log, "code_i"), number_of(*log, "setting_i"));
    }
    if (options_.progress) {
      const std::string_view how = proof.outcome == NodeProof::Outcome::kProved    ? "proved"
                                   : proof.outcome == NodeProof::Outcome::kRefuted ? "REFUTED"
                                                                                   : "given up";
      options_.progress(fmt::format("layer {} node {} {}: {}", proof.layer, proof.node, proof.name, how));
    }
    return {};
  }

  const kan::Bundle& bundle_;
  const HardwareDesign& design_;
  const ProveOptions& options_;
  fs::path yosys_;
  ProveReport report_;
};

}  // namespace

std::uint64_t ProveReport::count(NodeProof::Outcome outcome) const {
  return static_cast<std::uint64_t>(std::ranges::count(nodes, outcome, &NodeProof::outcome));
}

Result<ProveReport> prove_design(const kan::Bundle& bundle, const HardwareDesign& design,
                                 const ProveOptions& options) {
  auto yosys = find_tool("yosys", "yosys");
  if (!yosys) return tl::unexpected(yosys.error());
  return Prover(bundle, design, options, std::move(*yosys)).run();
}

}  // namespace kantrig::compiler
