// A sweep's pictures: quality over the axes, and quality by cost with the front of points that nothing beats.
#pragma once

#include <map>
#include <string>

#include "compiler/explore/sweep_table.hpp"

namespace kantrig::explore {

/// SVG text by file name without ending: pareto_bits, pareto_luts, pareto_nanoseconds; for two axes quality
/// and luts as heat maps with the sweet spot framed; for one axis of numbers quality as a line. Empty before
/// a point is done.
[[nodiscard]] std::map<std::string, std::string> draw_sweep(const SweepTable& table);

}  // namespace kantrig::explore
