#include "compiler/hardware/passes.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace kantrig::compiler {
namespace {

constexpr std::size_t kReachableSumsMax = std::size_t{1}
                                          << 20U;  // beyond, every sum in range counts as reachable

/// Which values a node's sum can take, as offsets from the least; inputs of one node are taken as
/// independent.
struct Reach {
  std::int64_t least = 0;
  std::vector<bool> values;
};

struct EntryRange {
  std::int64_t least = std::numeric_limits<std::int32_t>::max();
  std::int64_t most = std::numeric_limits<std::int32_t>::min();
};

EntryRange range_of(const Lookup& lookup) {
  EntryRange range;
  for (std::size_t i = 0; i < lookup.entries.size(); ++i) {
    if (!lookup.reachable[i]) continue;
    range.least = std::min<std::int64_t>(range.least, lookup.entries[i]);
    range.most = std::max<std::int64_t>(range.most, lookup.entries[i]);
  }
  return range;
}

/// The sums of `reach` and every value of `lookup`.
void convolve(Reach& reach, const Lookup& lookup) {
  const EntryRange range = range_of(lookup);
  std::vector<bool> taken(static_cast<std::size_t>(range.most - range.least) + 1, false);
  for (std::size_t i = 0; i < lookup.entries.size(); ++i) {
    if (lookup.reachable[i]) taken[static_cast<std::size_t>(lookup.entries[i] - range.least)] = true;
  }
  const std::size_t count = reach.values.size() + taken.size() - 1;
  std::vector<bool> sums(count, count > kReachableSumsMax);
  if (count <= kReachableSumsMax) {
    for (std::size_t t = 0; t < taken.size(); ++t) {
      if (!taken[t]) continue;
      for (std::size_t v = 0; v < reach.values.size(); ++v) {
        if (reach.values[v]) sums[v + t] = true;
      }
    }
  }
  reach.least += range.least;
  reach.values = std::move(sums);
}

std::vector<bool> reachable_codes(const SumNode& node, std::uint32_t bits) {
  Reach reach{node.constant, {true}};
  for (const Lookup& term : node.terms) convolve(reach, term);
  std::vector<bool> codes(std::size_t{1} << bits, false);
  for (std::size_t i = 0; i < reach.values.size(); ++i) {
    if (!reach.values[i]) continue;
    const std::int64_t value = (reach.least + static_cast<std::int64_t>(i)) >> node.shift;
    codes[static_cast<std::size_t>(std::clamp<std::int64_t>(value, node.low, node.high) - node.low)] = true;
  }
  return codes;
}

Lookup join(const Lookup& low, const Lookup& high) {
  Lookup joined;
  joined.inputs = low.inputs;
  joined.inputs.insert(joined.inputs.end(), high.inputs.begin(), high.inputs.end());
  for (std::size_t h = 0; h < high.entries.size(); ++h) {
    for (std::size_t l = 0; l < low.entries.size(); ++l) {
      joined.entries.push_back(low.entries[l] + high.entries[h]);
      joined.reachable.push_back(low.reachable[l] && high.reachable[h]);
    }
  }
  return joined;
}

}  // namespace

SumIr mark_reachable(const SumIr& ir) {
  SumIr result = ir;
  for (std::size_t l = 0; l < result.layers.size(); ++l) {
    SumLayer& layer = result.layers[l];
    for (SumNode& node : layer.nodes) {
      for (Lookup& term : node.terms) term.reachable = layer.inputs[term.inputs[0]].reachable;
    }
    if (l + 1 == result.layers.size()) break;
    for (std::size_t k = 0; k < layer.nodes.size(); ++k) {
      SumInput& next = result.layers[l + 1].inputs[k];
      next.reachable = reachable_codes(layer.nodes[k], next.bits);
    }
  }
  return result;
}

SumIr fold_constants(const SumIr& ir) {
  SumIr result = ir;
  for (SumLayer& layer : result.layers) {
    for (SumNode& node : layer.nodes) {
      for (Lookup& term : node.terms) {
        const EntryRange range = range_of(term);
        node.constant += range.least;
        for (std::size_t i = 0; i < term.entries.size(); ++i) {
          term.entries[i] = term.reachable[i] ? term.entries[i] - static_cast<std::int32_t>(range.least) : 0;
        }
      }
      std::erase_if(node.terms, [](const Lookup& term) {
        return std::ranges::all_of(term.entries, [](std::int32_t entry) { return entry == 0; });
      });
    }
  }
  return result;
}

SumIr settle_ranges(const SumIr& ir) {
  SumIr result = ir;
  for (SumLayer& layer : result.layers) {
    for (SumNode& node : layer.nodes) {
      std::int64_t least = node.constant;
      std::int64_t most = node.constant;
      for (const Lookup& term : node.terms) {
        const EntryRange range = range_of(term);
        least += range.least;
        most += range.most;
      }
      least >>= node.shift;
      most >>= node.shift;
      if (most > node.high) continue;
      if (node.score_bits == 0) {
        const std::uint32_t bits = code_bits(static_cast<std::uint32_t>(node.high - node.low) + 1);
        node.high = node.low + static_cast<std::int32_t>((1U << bits) - 1);
      } else if (least >= node.low) {
        const std::uint32_t bits =
            signed_bits(static_cast<std::int32_t>(least), static_cast<std::int32_t>(most));
        node.high = static_cast<std::int32_t>((1U << (bits - 1)) - 1);
        node.low = -node.high - 1;
      }
    }
  }
  return result;
}

SumIr join_small_inputs(const SumIr& ir, std::uint32_t bits_max) {
  SumIr result = ir;
  const auto bits = [](const Lookup& lookup) {
    return static_cast<std::uint32_t>(code_bits(static_cast<std::uint32_t>(lookup.entries.size())));
  };
  for (SumLayer& layer : result.layers) {
    for (SumNode& node : layer.nodes) {
      // Tables of like range together: joined tables then have no wider entries than they need.
      std::ranges::stable_sort(node.terms, std::ranges::greater{},
                               [](const Lookup& term) { return range_of(term).most; });
      std::vector<Lookup> joined;
      for (Lookup& term : node.terms) {
        const auto room = std::ranges::find_if(
            joined, [&](const Lookup& other) { return bits(other) + bits(term) <= bits_max; });
        if (room == joined.end()) {
          joined.push_back(std::move(term));
        } else {
          *room = join(*room, term);
        }
      }
      node.terms = std::move(joined);
    }
  }
  return result;
}

}  // namespace kantrig::compiler
