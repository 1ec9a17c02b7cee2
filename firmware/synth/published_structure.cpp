#include "synth/published_structure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <iterator>
#include <span>
#include <vector>

namespace kantrig::synth {
namespace {

/// What a layer reads: the register or port bits that hold one code.
struct Code {
  std::string address;  // Verilog expression of the unsigned code
  std::uint32_t bits = 0;
};

/// A number that adders read.
struct Term {
  std::string expression;
  std::uint32_t width = 0;
};

std::uint32_t ceil_log2(std::uint32_t n) {
  return n <= 1 ? 0 : static_cast<std::uint32_t>(std::bit_width(n - 1));
}

/// Stages that add `terms` numbers, `add_operands` at a time; a lone number still takes one.
std::uint32_t tree_stages(std::uint32_t terms, std::uint32_t add_operands) {
  std::uint32_t stages = 0;
  for (std::uint32_t n = terms; n > 1; n = (n + add_operands - 1) / add_operands) ++stages;
  return std::max(stages, 1U);
}

/// A signed literal; Verilog has no negative ones.
std::string literal(std::int64_t value, std::uint32_t width) {
  return fmt::format("{}{}'sd{}", value < 0 ? "-" : "", width, value < 0 ? -value : value);
}

std::string bit_pattern(std::int64_t value, std::uint32_t width) {
  const auto mask = (std::uint64_t{1} << width) - 1;
  return fmt::format("{}'h{:x}", width, static_cast<std::uint64_t>(value) & mask);
}

/// True when low to high is all that `bits` hold in two's complement: what published designs always have.
bool is_whole_range(const kan::Node& node, std::uint32_t bits) {
  return node.low == -(1 << (bits - 1)) && node.high == (1 << (bits - 1)) - 1;
}

class Generator {
 public:
  Generator(const kan::Model& model, std::uint32_t add_operands)
      : model_(model), add_operands_(add_operands) {}

  PublishedStructure run();

 private:
  struct NodeSum {
    std::string name;  // of the last register of the tree
    std::uint32_t width = 0;
  };

  std::uint32_t layer_stages(const kan::Layer& layer, bool delta) const;
  std::vector<Term> table_terms(std::uint32_t l, std::uint32_t k, std::int64_t constant);
  std::vector<Term> delta_terms(std::uint32_t l, std::uint32_t k, std::int64_t constant);
  void add_rom(const std::string& name, const Code& code, std::span<const std::int16_t> table,
               std::uint32_t width);
  NodeSum add_tree(std::vector<Term> terms, const std::string& prefix, std::uint32_t width,
                   std::uint32_t stages);
  Term add_saturation(const kan::Node& node, const NodeSum& sum, const std::string& prefix);
  void add_layer(std::uint32_t l);
  Term add_node(std::uint32_t l, std::uint32_t k, std::uint32_t stages, bool delta);
  Code add_boundary_register(const kan::Node& node, const Term& y, const std::string& prefix);

  template <typename... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(body_), format, std::forward<Args>(args)...);
    body_ += '\n';
  }

  const kan::Model& model_;
  std::uint32_t add_operands_;
  std::string body_;
  std::vector<Code> codes_;   // what the next layer reads
  std::vector<Term> scores_;  // of the last layer
  std::uint32_t cycles_ = 0;
};

std::int64_t half_of(const kan::Node& node) {
  return node.shift == 0 ? 0 : std::int64_t{1} << (node.shift - 1);
}

/// One-bit inputs need no table: each edge is x ? C : 0.
bool takes_deltas(const kan::Layer& layer, std::uint32_t l) {
  return l == 0 && std::ranges::all_of(layer.input_codes, [](std::uint32_t codes) { return codes <= 2; });
}

/// Whether the node's sum has a constant beside its edges.
std::int64_t constant_of(const kan::Layer& layer, const kan::Node& node, bool delta) {
  std::int64_t constant = node.bias + half_of(node);
  if (!delta) return constant;
  for (std::uint32_t e = node.edge_begin; e < node.edge_end; ++e) {
    constant += layer.tables[layer.edges[e].table_offset];
  }
  return constant;
}

/// What the node's sum needs, whatever the widths of its terms.
std::uint32_t exact_sum_width(const kan::Layer& layer, const kan::Node& node) {
  std::int64_t low = node.bias + half_of(node);
  std::int64_t high = low;
  for (std::uint32_t e = node.edge_begin; e < node.edge_end; ++e) {
    const kan::Edge& edge = layer.edges[e];
    const auto [least, largest] = std::ranges::minmax(
        std::span(layer.tables.data() + edge.table_offset, layer.input_codes[edge.input]));
    low += least;
    high += largest;
  }
  return signed_width(low, high);
}

std::uint32_t term_count(const kan::Layer& layer, const kan::Node& node, bool delta) {
  const std::uint32_t edges = node.edge_end - node.edge_begin;
  if (edges == 0) return 0;  // a constant output
  return edges + ((delta || constant_of(layer, node, delta) != 0) ? 1 : 0);
}

std::uint32_t Generator::layer_stages(const kan::Layer& layer, bool delta) const {
  std::uint32_t widest = 1;
  for (const kan::Node& node : layer.nodes) widest = std::max(widest, term_count(layer, node, delta));
  return tree_stages(widest, add_operands_);
}

void Generator::add_rom(const std::string& name, const Code& code, std::span<const std::int16_t> table,
                        std::uint32_t width) {
  line("  reg signed [{}:0] {};", width - 1, name);
  line("  always @(posedge clk_i)");
  line("    case ({})", code.address);
  for (std::size_t i = 0; i < table.size(); ++i) {
    line("      {}'d{}: {} <= {};", code.bits, i, name, bit_pattern(table[i], width));
  }
  if (table.size() < (std::size_t{1} << code.bits)) line("      default: {} <= {}'bx;", name, width);
  line("    endcase");
}

std::vector<Term> Generator::table_terms(std::uint32_t l, std::uint32_t k, std::int64_t constant) {
  const kan::Layer& layer = model_.layers[l];
  const kan::Node& node = layer.nodes[k];
  const std::uint32_t output_bits = signed_width(node.low, node.high);
  std::vector<Term> terms;
  for (std::uint32_t e = node.edge_begin; e < node.edge_end; ++e) {
    const kan::Edge& edge = layer.edges[e];
    const std::span table(layer.tables.data() + edge.table_offset, layer.input_codes[edge.input]);
    const auto [low, high] = std::ranges::minmax(table);
    const std::uint32_t width = std::max(output_bits, signed_width(low, high));
    const std::string name = fmt::format("layer{}_n{}_rom{}", l, k, edge.input);
    add_rom(name, codes_[edge.input], table, width);
    terms.push_back({name, width});
  }
  if (constant != 0) {
    const std::uint32_t width = signed_width(constant, constant);
    terms.push_back({literal(constant, width + 1), width});
  }
  return terms;
}

std::vector<Term> Generator::delta_terms(std::uint32_t l, std::uint32_t k, std::int64_t constant) {
  const kan::Layer& layer = model_.layers[l];
  const kan::Node& node = layer.nodes[k];
  std::vector<Term> terms;
  for (std::uint32_t e = node.edge_begin; e < node.edge_end; ++e) {
    const kan::Edge& edge = layer.edges[e];
    const std::int16_t* const table = layer.tables.data() + edge.table_offset;
    const std::int64_t delta = layer.input_codes[edge.input] == 2 ? table[1] - table[0] : 0;
    const std::uint32_t width = signed_width(delta, delta);
    terms.push_back({fmt::format("({} ? {} : {})", codes_[edge.input].address, literal(delta, width + 1),
                                 literal(0, width + 1)),
                     width});
  }
  const std::uint32_t width = signed_width(constant, constant);
  terms.push_back({literal(constant, width + 1), width});
  return terms;
}

Generator::NodeSum Generator::add_tree(std::vector<Term> terms, const std::string& prefix,
                                       std::uint32_t width, std::uint32_t stages) {
  for (std::uint32_t stage = 1; stage <= stages; ++stage) {
    std::vector<Term> sums;
    for (std::size_t first = 0; first < terms.size(); first += add_operands_) {
      const std::size_t end = std::min<std::size_t>(first + add_operands_, terms.size());
      std::string sum = terms[first].expression;
      for (std::size_t i = first + 1; i < end; ++i) sum += " + " + terms[i].expression;
      const std::string name = fmt::format("{}_s{}_{}", prefix, stage, sums.size());
      line("  reg signed [{}:0] {};", width - 1, name);
      line("  always @(posedge clk_i) {} <= {};", name, sum);
      sums.push_back({name, width});
    }
    terms = std::move(sums);
  }
  return {terms.front().expression, width};
}

/// y = clamp(sum >> shift, low, high), in as many bits as the range needs.
Term Generator::add_saturation(const kan::Node& node, const NodeSum& sum, const std::string& prefix) {
  const std::uint32_t bits = signed_width(node.low, node.high);
  std::string value = sum.name;
  std::uint32_t width = sum.width;
  if (node.shift > 0) {
    value = prefix + "_shifted";
    width = sum.width > node.shift ? sum.width - node.shift : 1;
    line("  wire signed [{}:0] {} = {} >>> {};", width - 1, value, sum.name, node.shift);
  }
  const std::uint32_t wide = std::max(width, bits) + 1;
  line("  wire signed [{0}:0] {1}_y = {2} < {3} ? {3} : {2} > {4} ? {4} : {2};", bits - 1, prefix, value,
       literal(node.low, wide), literal(node.high, wide));
  return {prefix + "_y", bits};
}

Term Generator::add_node(std::uint32_t l, std::uint32_t k, std::uint32_t stages, bool delta) {
  const kan::Layer& layer = model_.layers[l];
  const kan::Node& node = layer.nodes[k];
  const std::uint32_t output_bits = signed_width(node.low, node.high);
  const std::int64_t constant = constant_of(layer, node, delta);
  if (node.edge_begin == node.edge_end) {
    const std::int64_t y = std::clamp<std::int64_t>(constant >> node.shift, node.low, node.high);
    return {literal(y, output_bits + 1), output_bits};
  }
  const std::string prefix = fmt::format("layer{}_n{}", l, k);
  std::vector<Term> terms = delta ? delta_terms(l, k, constant) : table_terms(l, k, constant);
  const std::uint32_t edges = node.edge_end - node.edge_begin;
  const std::uint32_t added = delta ? edges : static_cast<std::uint32_t>(terms.size());
  const std::uint32_t width = std::max(output_bits + ceil_log2(added), exact_sum_width(layer, node));
  const NodeSum sum = add_tree(std::move(terms), prefix, width, stages);
  return add_saturation(node, sum, prefix);
}

Code Generator::add_boundary_register(const kan::Node& node, const Term& y, const std::string& prefix) {
  const std::string name = prefix + "_q";
  const auto codes = static_cast<std::uint32_t>(node.high - node.low + 1);
  const std::uint32_t code_bits = std::max(ceil_log2(codes), 1U);
  if (is_whole_range(node, y.width)) {  // code = y + 2^(bits-1), modulo 2^bits: the top bit inverted
    line("  reg signed [{}:0] {};", y.width - 1, name);
    line("  always @(posedge clk_i) {} <= {};", name, y.expression);
    if (y.width == 1) return {"~" + name, 1};
    return {fmt::format("{{~{0}[{1}], {0}[{2}:0]}}", name, y.width - 1, y.width - 2), y.width};
  }
  line("  reg [{}:0] {};", code_bits - 1, name);
  line("  always @(posedge clk_i) {} <= {} - {};", name, y.expression, literal(node.low, y.width + 1));
  return {name, code_bits};
}

void Generator::add_layer(std::uint32_t l) {
  const kan::Layer& layer = model_.layers[l];
  const bool last = l + 1 == model_.layers.size();
  const bool delta = takes_deltas(layer, l);
  const std::uint32_t stages = layer_stages(layer, delta);
  cycles_ += stages + (delta ? 0 : 1) + (last ? 0 : 1);
  line("\n  // Layer {}: {}, {} stages of adders{}", l, delta ? "one-bit inputs" : "one table an edge",
       stages, last ? "" : ", a register");
  std::vector<Code> next;
  for (std::uint32_t k = 0; k < layer.nodes.size(); ++k) {
    const Term y = add_node(l, k, stages, delta);
    if (last) {
      scores_.push_back(y);
    } else {
      next.push_back(add_boundary_register(layer.nodes[k], y, fmt::format("layer{}_n{}", l, k)));
    }
  }
  codes_ = std::move(next);
}

PublishedStructure Generator::run() {
  PublishedStructure out;
  for (const kan::InputFeature& feature : model_.inputs) {
    codes_.push_back(
        {fmt::format("codes_i[{}:{}]", out.input_width + feature.bits - 1, out.input_width), feature.bits});
    out.input_width += feature.bits;
  }
  for (std::uint32_t l = 0; l < model_.layers.size(); ++l) add_layer(l);
  line("");
  for (std::size_t k = 0; k < scores_.size(); ++k) {
    line("  wire signed [{}:0] score_{} = {};", scores_[k].width - 1, k, scores_[k].expression);
    line("  assign scores_o[{}:{}] = score_{};", out.output_width + scores_[k].width - 1, out.output_width,
         k);
    out.output_width += scores_[k].width;
  }
  out.cycles = cycles_;
  out.verilog = fmt::format(
      "// The published structure of a KAN, as a baseline; generated, do not edit.\n"
      "// {}-ary adder trees, {} cycles, one event a clock.\n"
      "module {} (\n"
      "  input  wire clk_i,\n"
      "  input  wire [{}:0] codes_i,\n"
      "  output wire [{}:0] scores_o\n"
      ");\n{}endmodule\n",
      add_operands_, cycles_, kPublishedModule, out.input_width - 1, out.output_width - 1, body_);
  return out;
}

}  // namespace

std::uint32_t signed_width(std::int64_t low, std::int64_t high) noexcept {
  const auto magnitude = [](std::int64_t value) {
    return static_cast<std::uint32_t>(std::bit_width(static_cast<std::uint64_t>(value < 0 ? ~value : value)));
  };
  return std::max(magnitude(low), magnitude(high)) + 1;
}

Result<PublishedStructure> published_structure(const kan::Model& model, std::uint32_t add_operands) {
  if (add_operands < 2 || add_operands > kAddOperandsMax) {
    return fail(ErrorCode::kInvalid, "adder trees of {} operands: expected 2 to {}", add_operands,
                kAddOperandsMax);
  }
  if (const auto checked = kan::check(model); !checked) return tl::unexpected(checked.error());
  return Generator(model, add_operands).run();
}

}  // namespace kantrig::synth
