// plot(): a model drawn as the field draws KANs (pykan): inputs below, outputs above, every edge a small
// curve over the distribution of what enters it.
#pragma once

#include <cstdint>
#include <string>

#include "compiler/insight/curves.hpp"

namespace kantrig::insight {

inline constexpr std::uint32_t kPlotEdgesDefault = 64;
inline constexpr std::uint32_t kPlotEdgesMax = 1'000;

struct PlotOptions {
  // Edges drawn in a layer, 1..kPlotEdgesMax. Of more, those of the greatest importance are drawn, and the
  // picture says how many were left out.
  std::uint32_t edges_max = kPlotEdgesDefault;
};

/// SVG text. The same model gives the same bytes.
[[nodiscard]] std::string plot(const CurveModel& model, const PlotOptions& options);

}  // namespace kantrig::insight
