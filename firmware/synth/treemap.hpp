// Treemap: rectangles of given areas that fill a rectangle, as square as they can be (Bruls, Huizing and van
// Wijk, "Squarified treemaps", 2000).
#pragma once

#include <span>
#include <vector>

#include "picture/svg.hpp"

namespace kantrig::synth {

/// One rectangle a weight, in the order of `weights`, which must be positive and descending.
[[nodiscard]] std::vector<picture::Rectangle> treemap(std::span<const double> weights,
                                                      const picture::Rectangle& room);

}  // namespace kantrig::synth
