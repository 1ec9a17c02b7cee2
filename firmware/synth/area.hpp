// Area: which layer, node or input the cells of a netlist belong to, as far as names tell.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string_view>

#include "synth/netlist.hpp"

namespace kantrig::synth {

inline constexpr std::int32_t kWholeLayer = -1;  // no one node or input: shared within the layer
inline constexpr std::int32_t kNoLayer = -1;     // names do not tell, or several layers

enum class Part : std::uint8_t { kShared, kInput, kNode };

/// Where a cell belongs.
struct Place {
  std::int32_t layer = kNoLayer;
  Part part = Part::kShared;
  std::int32_t index = kWholeLayer;  // of the node or input

  auto operator<=>(const Place&) const = default;
};

struct PlaceFigures {
  std::uint32_t luts = 0;
  std::uint32_t ffs = 0;
  std::uint32_t carries = 0;  // carry cells
};

using Area = std::map<Place, PlaceFigures>;

/// "u_layer1.n3_sum" and "u_layer1.gen_node[3].sum" are node 3 of layer 1, "u_layer1.in2_table" its input 2,
/// "u_layer1.x" the layer's.
[[nodiscard]] Place place_of(std::string_view name) noexcept;

/// A cell goes where its name says, else where the names of its outputs say, else where all that read it go.
[[nodiscard]] Area area_of(const Netlist& netlist);

}  // namespace kantrig::synth
