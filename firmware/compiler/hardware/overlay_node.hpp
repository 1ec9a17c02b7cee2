// OverlayNode: a node as the overlay computes it, clamp((sum + offset) >> shift, 0, span), and what that
// takes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kan/model.hpp"

namespace kantrig::compiler {

/// A node that gives the same code whatever comes in needs neither tables nor a shifter: they are zero and
/// `offset` is its code.
struct OverlayNode {
  std::int64_t offset = 0;  // bias + half - (low << shift); what tables give off to it comes on top
  std::uint32_t shift = 0;
  std::uint32_t span = 0;  // high - low: the highest code
  std::int32_t low = 0;    // added to the code of a score
  bool constant = false;
  std::int64_t lowest_sum = 0;  // of sum + offset, over all codes
  std::int64_t highest_sum = 0;
};

/// Precondition: kan::check(model).
[[nodiscard]] OverlayNode overlay_node(const kan::Layer& layer, const kan::Node& node);

/// Highest less lowest entry of an edge's table.
struct EntryRange {
  std::int32_t lowest = 0;
  std::int32_t highest = 0;
};
[[nodiscard]] EntryRange entry_range(const kan::Layer& layer, const kan::Edge& edge);

/// Bits of a signed figure that reaches from `lowest` to `highest`.
[[nodiscard]] std::uint32_t signed_bits(std::int64_t lowest, std::int64_t highest) noexcept;
/// Bits of an entry: a table may be moved as a whole, since its node's offset moves it back.
[[nodiscard]] std::uint32_t entry_bits(EntryRange range) noexcept;

}  // namespace kantrig::compiler
