#include "compiler/hardware/overlay_node.hpp"

#include <algorithm>
#include <bit>
#include <span>

namespace kantrig::compiler {
namespace {

std::int64_t code_of(const kan::Node& node, std::int64_t sum) {
  const std::int64_t half = node.shift == 0 ? 0 : std::int64_t{1} << (node.shift - 1);
  return std::clamp<std::int64_t>((sum + half) >> node.shift, node.low, node.high) - node.low;
}

}  // namespace

EntryRange entry_range(const kan::Layer& layer, const kan::Edge& edge) {
  const auto table = std::span(layer.tables).subspan(edge.table_offset, layer.input_codes[edge.input]);
  const auto [lowest, highest] = std::minmax_element(table.begin(), table.end());
  return {*lowest, *highest};
}

OverlayNode overlay_node(const kan::Layer& layer, const kan::Node& node) {
  std::int64_t lowest = node.bias;
  std::int64_t highest = node.bias;
  for (std::uint32_t e = node.edge_begin; e < node.edge_end; ++e) {
    const EntryRange range = entry_range(layer, layer.edges[e]);
    lowest += range.lowest;
    highest += range.highest;
  }
  OverlayNode result;
  result.span = static_cast<std::uint32_t>(node.high - node.low);
  result.low = node.low;
  result.constant = code_of(node, lowest) == code_of(node, highest);  // the code never falls as the sum grows
  if (result.constant) {
    result.offset = code_of(node, lowest);
    result.lowest_sum = result.offset;
    result.highest_sum = result.offset;
    return result;
  }
  const std::int64_t half = node.shift == 0 ? 0 : std::int64_t{1} << (node.shift - 1);
  const std::int64_t moved = half - static_cast<std::int64_t>(node.low) * (std::int64_t{1} << node.shift);
  result.offset = node.bias + moved;
  result.shift = node.shift;
  result.lowest_sum = lowest + moved;
  result.highest_sum = highest + moved;
  return result;
}

std::uint32_t signed_bits(std::int64_t lowest, std::int64_t highest) noexcept {
  const auto magnitude_bits = [](std::int64_t value) {
    return static_cast<std::uint32_t>(std::bit_width(static_cast<std::uint64_t>(value < 0 ? ~value : value)));
  };
  return 1 + std::max(magnitude_bits(lowest), magnitude_bits(highest));
}

std::uint32_t entry_bits(EntryRange range) noexcept {
  return static_cast<std::uint32_t>(std::bit_width(static_cast<std::uint32_t>(range.highest - range.lowest)));
}

}  // namespace kantrig::compiler
