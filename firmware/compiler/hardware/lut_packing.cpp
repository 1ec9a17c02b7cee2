#include "compiler/hardware/lut_packing.hpp"

#include <algorithm>
#include <iterator>
#include <map>

namespace kantrig::compiler {
namespace {

constexpr std::size_t kSharedInputs = 5;

/// Inputs that `left` and `right` need together; both sorted.
std::size_t union_size(const std::vector<Net>& left, const std::vector<Net>& right) {
  std::vector<Net> both;
  std::ranges::set_union(left, right, std::back_inserter(both));
  return both.size();
}

/// Pairs among `open`, whose inputs are all of `stage`. First those that share all inputs, then what still
/// fits.
void pair_stage(const Netlist& netlist, const std::vector<std::size_t>& open,
                std::map<std::size_t, std::size_t>& partner) {
  for (std::size_t extra = 0; extra <= kSharedInputs; ++extra) {
    std::multimap<Net, std::size_t> by_input;
    for (const std::size_t i : open) {
      if (!partner.contains(i)) by_input.emplace(netlist.cells()[i].inputs[0], i);
    }
    for (const std::size_t i : open) {
      if (partner.contains(i)) continue;
      const std::vector<Net>& inputs = netlist.cells()[i].inputs;
      const auto try_pair = [&](std::size_t j) {
        if (j == i || partner.contains(j)) return false;
        const std::vector<Net>& others = netlist.cells()[j].inputs;
        const std::size_t together = union_size(inputs, others);
        if (together > kSharedInputs || together - std::min(inputs.size(), others.size()) > extra)
          return false;
        partner[i] = j;
        partner[j] = i;
        return true;
      };
      if (extra < kSharedInputs) {
        const auto [begin, end] = by_input.equal_range(inputs[0]);
        for (auto at = begin; at != end; ++at) {
          if (try_pair(at->second)) break;
        }
      } else {
        std::ranges::find_if(open, try_pair);
      }
    }
  }
}

}  // namespace

std::vector<LutPair> pack_luts(const Netlist& netlist) {
  std::map<std::uint32_t, std::vector<std::size_t>> open;  // by stage
  for (std::size_t i = 0; i < netlist.cells().size(); ++i) {
    const Cell& cell = netlist.cells()[i];
    if (cell.kind == CellKind::kLut && cell.inputs.size() <= kSharedInputs) open[cell.stage].push_back(i);
  }
  std::map<std::size_t, std::size_t> partner;
  for (const auto& [stage, cells] : open) pair_stage(netlist, cells, partner);
  std::vector<LutPair> pairs;
  for (std::size_t i = 0; i < netlist.cells().size(); ++i) {
    if (netlist.cells()[i].kind != CellKind::kLut) continue;
    const auto found = partner.find(i);
    if (found == partner.end()) {
      pairs.push_back({i, std::nullopt});
    } else if (found->second > i) {
      pairs.push_back({i, found->second});
    }
  }
  return pairs;
}

std::uint32_t lut_count(const Netlist& netlist) {
  auto count = static_cast<std::uint32_t>(pack_luts(netlist).size());
  for (const Cell& cell : netlist.cells()) {
    if (cell.kind != CellKind::kLut) count += half_luts(cell) / 2;
  }
  return count;
}

}  // namespace kantrig::compiler
