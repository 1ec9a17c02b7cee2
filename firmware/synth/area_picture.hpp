// One picture of where a design's LUTs go: by layer beside the published structure, and by node.
#pragma once

#include <string>

#include "compiler/hardware/design.hpp"
#include "synth/resources.hpp"

namespace kantrig::synth {

/// An SVG. Bars compare the layers with the baseline's, when there is one, on one axis; below, each rectangle
/// is a node or input with an area in proportion to its LUTs.
[[nodiscard]] std::string area_picture(const Resources& resources, const compiler::HardwareDesign& design);

}  // namespace kantrig::synth
