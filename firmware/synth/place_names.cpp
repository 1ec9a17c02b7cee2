#include "synth/place_names.hpp"

#include <fmt/format.h>

#include <vector>

namespace kantrig::synth {

std::string_view part_name(Part part) noexcept {
  switch (part) {
    case Part::kInput:
      return "input";
    case Part::kNode:
      return "node";
    case Part::kShared:
      break;
  }
  return "shared";
}

std::string place_name(const Place& place, const compiler::HardwareDesign& design) {
  const auto layer = static_cast<std::size_t>(place.layer);
  const auto index = static_cast<std::size_t>(place.index);
  if (place.layer >= 0 && layer < design.layers.size() && place.part != Part::kShared) {
    const std::vector<compiler::HardwareField>& fields =
        place.part == Part::kNode ? design.layers[layer].outputs : design.layers[layer].inputs;
    if (index < fields.size() && !fields[index].name.empty()) return fields[index].name;
  }
  return place.part == Part::kShared ? "shared" : fmt::format("{}", place.index);
}

std::string full_place_name(const Place& place, const compiler::HardwareDesign& design) {
  if (place.layer == kNoLayer) return "no one layer";
  if (place.part == Part::kShared) return fmt::format("layer {}, shared", place.layer);
  return fmt::format("layer {}, {} {}", place.layer, part_name(place.part), place_name(place, design));
}

}  // namespace kantrig::synth
