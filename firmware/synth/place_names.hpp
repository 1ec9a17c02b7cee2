// Names that people know places by: features, hidden nodes, classes.
#pragma once

#include <string>
#include <string_view>

#include "compiler/hardware/design.hpp"
#include "synth/area.hpp"

namespace kantrig::synth {

[[nodiscard]] std::string_view part_name(Part part) noexcept;  // "shared", "input", "node"

/// Of the feature, node or class, or its number when design.json has no such name.
[[nodiscard]] std::string place_name(const Place& place, const compiler::HardwareDesign& design);

/// "layer 1, node top": with the layer.
[[nodiscard]] std::string full_place_name(const Place& place, const compiler::HardwareDesign& design);

}  // namespace kantrig::synth
