#include "kan/model.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kan/output_stage.hpp"

namespace kantrig::kan {
namespace {

Result<void> check_inputs(const Model& model) {
  if (model.inputs.empty() || model.inputs.size() > kInputsMax) {
    return fail(ErrorCode::kCorrupt, "model: has {} inputs, expected 1 to {}", model.inputs.size(),
                kInputsMax);
  }
  for (std::size_t i = 0; i < model.inputs.size(); ++i) {
    const InputFeature& input = model.inputs[i];
    if (input.bits < 1 || input.bits > kInputBitsMax) {
      return fail(ErrorCode::kCorrupt, "input {}: has {} bits, expected 1 to {}", i, input.bits,
                  kInputBitsMax);
    }
    if (!std::isfinite(input.scale) || !std::isfinite(input.offset)) {
      return fail(ErrorCode::kCorrupt, "input {}: scale and offset must be finite", i);
    }
  }
  return {};
}

Result<void> check_node(const Layer& layer, std::size_t l, std::size_t k, bool last) {
  const Node& node = layer.nodes[k];
  if (node.shift > kShiftMax) {
    return fail(ErrorCode::kCorrupt, "layer {} node {}: shift is {}, expected at most {}", l, k, node.shift,
                kShiftMax);
  }
  using Limits = std::numeric_limits<std::int16_t>;
  if (node.low > node.high || node.low < Limits::min() || node.high > Limits::max()) {
    return fail(ErrorCode::kCorrupt,
                "layer {} node {}: output range is [{}, {}], expected low <= high within int16", l, k,
                node.low, node.high);
  }
  const std::int64_t codes = static_cast<std::int64_t>(node.high) - node.low + 1;
  if (!last && codes > kTableEntriesMax) {
    return fail(ErrorCode::kCorrupt, "layer {} node {}: has {} output codes, expected at most {}", l, k,
                codes, kTableEntriesMax);
  }
  return {};
}

/// Lowest and highest sum that any codes can give, with the rounding term, must fit int32.
Result<void> check_sum(const Layer& layer, std::size_t l, std::size_t k) {
  const Node& node = layer.nodes[k];
  std::int64_t lowest = node.bias;
  std::int64_t highest = node.bias;
  std::int64_t magnitude =
      std::abs(static_cast<std::int64_t>(node.bias));  // bounds every partial sum in any order
  std::int64_t previous_input = -1;
  for (std::uint32_t e = node.edge_begin; e < node.edge_end; ++e) {
    const Edge& edge = layer.edges[e];
    if (edge.input >= layer.input_codes.size() || edge.input <= previous_input) {
      return fail(ErrorCode::kCorrupt,
                  "layer {} node {}: edge reads input {}, expected rising inputs below {}", l, k, edge.input,
                  layer.input_codes.size());
    }
    previous_input = edge.input;
    const std::size_t entries = layer.input_codes[edge.input];
    if (edge.table_offset > layer.tables.size() || layer.tables.size() - edge.table_offset < entries) {
      return fail(ErrorCode::kCorrupt,
                  "layer {} edge {} -> {}: table of {} entries at {} leaves the {} stored ones", l,
                  edge.input, k, entries, edge.table_offset, layer.tables.size());
    }
    const auto table = std::span(layer.tables).subspan(edge.table_offset, entries);
    const auto [low, high] = std::minmax_element(table.begin(), table.end());
    lowest += *low;
    highest += *high;
    magnitude +=
        std::max(std::abs(static_cast<std::int64_t>(*low)), std::abs(static_cast<std::int64_t>(*high)));
  }
  const std::int64_t half = node.shift == 0 ? 0 : std::int64_t{1} << (node.shift - 1);
  using Limits = std::numeric_limits<std::int32_t>;
  if (lowest < Limits::min() || highest + half > Limits::max() || magnitude + half > Limits::max()) {
    return fail(ErrorCode::kCorrupt,
                "layer {} node {}: sum can reach [{}, {}], expected to stay inside int32", l, k, lowest,
                highest + half);
  }
  return {};
}

Result<void> check_layer(const Model& model, std::size_t l, const std::vector<std::uint32_t>& codes) {
  const Layer& layer = model.layers[l];
  const bool last = l + 1 == model.layers.size();
  if (layer.nodes.empty() || layer.nodes.size() > kNodesMax) {
    return fail(ErrorCode::kCorrupt, "layer {}: has {} nodes, expected 1 to {}", l, layer.nodes.size(),
                kNodesMax);
  }
  if (layer.input_codes != codes) {
    return fail(ErrorCode::kCorrupt, "layer {}: table lengths disagree with the code ranges of what feeds it",
                l);
  }
  std::uint32_t next_edge = 0;
  for (std::size_t k = 0; k < layer.nodes.size(); ++k) {
    const Node& node = layer.nodes[k];
    if (node.edge_begin != next_edge || node.edge_end < node.edge_begin ||
        node.edge_end > layer.edges.size()) {
      return fail(ErrorCode::kCorrupt, "layer {} node {}: edges {}..{} do not follow on {} of {}", l, k,
                  node.edge_begin, node.edge_end, next_edge, layer.edges.size());
    }
    next_edge = node.edge_end;
    if (auto ok = check_node(layer, l, k, last); !ok) return ok;
    if (auto ok = check_sum(layer, l, k); !ok) return ok;
  }
  if (next_edge != layer.edges.size()) {
    return fail(ErrorCode::kCorrupt, "layer {}: {} edges belong to no node", l,
                layer.edges.size() - next_edge);
  }
  return {};
}

}  // namespace

Result<void> check_layers(const Model& model) {
  if (auto ok = check_inputs(model); !ok) return ok;
  if (model.layers.empty() || model.layers.size() > kLayersMax) {
    return fail(ErrorCode::kCorrupt, "model: has {} layers, expected 1 to {}", model.layers.size(),
                kLayersMax);
  }
  std::vector<std::uint32_t> codes;
  for (const InputFeature& input : model.inputs) codes.push_back(1U << input.bits);
  for (std::size_t l = 0; l < model.layers.size(); ++l) {
    if (auto ok = check_layer(model, l, codes); !ok) return ok;
    codes.clear();
    for (const Node& node : model.layers[l].nodes)
      codes.push_back(static_cast<std::uint32_t>(node.high - node.low + 1));
  }
  return {};
}

Result<void> check(const Model& model) {
  if (auto ok = check_layers(model); !ok) return ok;
  if (model.output_count() > kOutputsMax) {
    return fail(ErrorCode::kCorrupt, "layer {}: has {} outputs, expected at most {}", model.layers.size() - 1,
                model.output_count(), kOutputsMax);
  }
  if (model.output_stage) {
    if (auto ok = check_output_stage(model); !ok) return ok;
  }
  if (model.output_scales.size() != model.output_count()) {
    return fail(ErrorCode::kCorrupt, "model: has {} output scales for {} outputs", model.output_scales.size(),
                model.output_count());
  }
  for (const double scale : model.output_scales) {
    if (!std::isfinite(scale) || scale <= 0.0)
      return fail(ErrorCode::kCorrupt, "model: output scales must be positive");
  }
  return {};
}

}  // namespace kantrig::kan
