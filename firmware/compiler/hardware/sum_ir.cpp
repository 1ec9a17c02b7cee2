#include "compiler/hardware/sum_ir.hpp"

#include <algorithm>
#include <bit>
#include <cctype>

#include <fmt/core.h>

namespace kantrig::compiler {
namespace {

/// `name` as the end of a SystemVerilog identifier.
std::string identifier(const std::string& name) {
  const bool starts_well = !name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) == 0;
  std::string result(starts_well ? 0U : 1U, 'x');
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    result.push_back(std::isalnum(byte) != 0 ? static_cast<char>(std::tolower(byte)) : '_');
  }
  return result;
}

std::string output_name(const kan::Bundle& bundle, std::size_t layer, std::size_t node) {
  if (layer + 1 < bundle.model.layers.size()) return fmt::format("h{}_{}", layer, node);
  if (bundle.model.output_stage) {
    const std::uint32_t input = bundle.model.output_stage->inputs[node];
    return fmt::format("y{}_{}", node, identifier(bundle.features[input].name));
  }
  if (bundle.model.output_count() == 1) return "score";
  return identifier(bundle.classes[node]);
}

Lookup lookup_of(const kan::Layer& layer, const kan::Edge& edge, const SumInput& input) {
  Lookup lookup;
  lookup.inputs = {edge.input};
  const std::uint32_t codes = layer.input_codes[edge.input];
  lookup.entries.assign(layer.tables.begin() + edge.table_offset,
                        layer.tables.begin() + edge.table_offset + codes);
  lookup.entries.resize(std::size_t{1} << input.bits, 0);
  lookup.reachable = input.reachable;
  return lookup;
}

SumNode node_of(const kan::Layer& layer, const kan::Node& node, const std::vector<SumInput>& inputs) {
  SumNode result;
  const std::int64_t half = node.shift == 0 ? 0 : std::int64_t{1} << (node.shift - 1);
  result.constant = node.bias + half;
  result.shift = node.shift;
  result.low = node.low;
  result.high = node.high;
  for (std::uint32_t e = node.edge_begin; e < node.edge_end; ++e) {
    result.terms.push_back(lookup_of(layer, layer.edges[e], inputs[layer.edges[e].input]));
  }
  return result;
}

std::size_t entry_index(const SumLayer& layer, const Lookup& lookup, std::span<const std::uint32_t> codes) {
  std::size_t index = 0;
  std::uint32_t shift = 0;
  for (const std::uint32_t input : lookup.inputs) {
    index |= std::size_t{codes[input]} << shift;
    shift += layer.inputs[input].bits;
  }
  return index;
}

}  // namespace

std::uint32_t code_bits(std::uint32_t count) {
  return std::max(1U, static_cast<std::uint32_t>(std::bit_width(count - 1)));
}

std::uint32_t signed_bits(std::int32_t low, std::int32_t high) {
  const std::int32_t reach = std::max({high, -(low + 1), 0});
  return 1 + static_cast<std::uint32_t>(std::bit_width(static_cast<std::uint32_t>(reach)));
}

SumIr sum_ir_of(const kan::Bundle& bundle) {
  SumIr ir;
  for (std::size_t l = 0; l < bundle.model.layers.size(); ++l) {
    const kan::Layer& layer = bundle.model.layers[l];
    SumLayer sums;
    for (std::size_t j = 0; j < layer.input_codes.size(); ++j) {
      const std::uint32_t bits = code_bits(layer.input_codes[j]);
      std::vector<bool> reachable(std::size_t{1} << bits, false);
      std::fill_n(reachable.begin(), layer.input_codes[j], true);
      std::string name = l == 0 ? identifier(bundle.features[j].name) : ir.layers[l - 1].nodes[j].name;
      const bool taken =
          std::ranges::any_of(sums.inputs, [&](const SumInput& other) { return other.name == name; });
      if (taken) name += fmt::format("_{}", j);
      sums.inputs.push_back({std::move(name), bits, std::move(reachable)});
    }
    for (std::size_t k = 0; k < layer.nodes.size(); ++k) {
      sums.nodes.push_back(node_of(layer, layer.nodes[k], sums.inputs));
      SumNode& node = sums.nodes.back();
      node.name = output_name(bundle, l, k);
      if (l + 1 == bundle.model.layers.size()) node.score_bits = signed_bits(node.low, node.high);
    }
    ir.layers.push_back(std::move(sums));
  }
  return ir;
}

std::vector<std::int32_t> execute(const SumIr& ir, std::span<const std::uint16_t> codes) {
  std::vector<std::uint32_t> here(codes.begin(), codes.end());
  std::vector<std::int32_t> outputs;
  for (const SumLayer& layer : ir.layers) {
    outputs.clear();
    std::vector<std::uint32_t> next;
    for (const SumNode& node : layer.nodes) {
      std::int64_t sum = node.constant;
      for (const Lookup& term : node.terms) sum += term.entries[entry_index(layer, term, here)];
      const std::int64_t value = std::clamp<std::int64_t>(sum >> node.shift, node.low, node.high);
      outputs.push_back(static_cast<std::int32_t>(value));
      next.push_back(static_cast<std::uint32_t>(value - node.low));
    }
    here = std::move(next);
  }
  return outputs;
}

}  // namespace kantrig::compiler
