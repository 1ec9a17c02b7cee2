#include <algorithm>

#include "kernels/program_storage.hpp"

namespace kantrig::kernels {

NodeRange node_range(const LayerSpec& layer, const NodeSpec& node) {
  const std::int64_t half = node.shift == 0 ? 0 : std::int64_t{1} << (node.shift - 1);
  NodeRange range{.sum_max = 0, .base = node.bias + half};
  for (std::uint32_t e = node.edge_begin; e < node.edge_end; ++e) {
    const auto table = layer.edges[e].table;
    const auto [least, greatest] = std::minmax_element(table.begin(), table.end());
    range.sum_max += static_cast<std::uint64_t>(*greatest - *least);
    range.base += *least;
  }
  return range;
}

// (base + u) >> shift, cut at low and then counted from it, is (u - distance) >> shift cut at 0, with
// distance = (low << shift) - base: a shift that rounds down commutes with adding multiples of 1 << shift.
bool fits_lanes(const NodeSpec& node, const NodeRange& range, LutNode& out) {
  constexpr std::uint32_t kBits = 16;
  constexpr std::int64_t kLaneMax = (std::int64_t{1} << kBits) - 1;
  const std::int64_t sum_max = static_cast<std::int64_t>(range.sum_max);
  const std::int64_t distance =
      static_cast<std::int64_t>(node.low) * (std::int64_t{1} << node.shift) - range.base;
  const std::int64_t top = static_cast<std::int64_t>(node.high) - node.low;
  if (sum_max > kLaneMax || top > kLaneMax) return false;
  // A sum that saturates must still come out as top.
  const bool saturates = distance < 0 && sum_max - distance > kLaneMax;
  if (saturates && kLaneMax >> node.shift < top) return false;
  out.add = static_cast<std::uint16_t>(distance < 0 ? std::min(-distance, kLaneMax) : 0);
  out.sub = static_cast<std::uint16_t>(distance > 0 ? std::min(distance, kLaneMax) : 0);
  out.top = static_cast<std::uint16_t>(top);
  out.shift = std::min(node.shift, kBits);  // a lane is 0 after so many shifts
  return true;
}

}  // namespace kantrig::kernels
