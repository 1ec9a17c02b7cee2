// Where everything of a plot stands.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "compiler/insight/curves.hpp"
#include "picture/svg.hpp"

namespace kantrig::insight {

inline constexpr double kBox = 46.0;  // side of an edge's curve

struct EdgePlace {
  const Curve* curve = nullptr;
  picture::Rectangle box{};
  picture::Point entry{};  // where the line from its source comes in, below all boxes
  picture::Point exit{};   // where the line to its node leaves, above all boxes
};

struct LayerPlace {
  std::vector<std::optional<picture::Point>> sources{};  // nothing: not drawn
  std::vector<EdgePlace> edges{};                        // by source, then by node
  std::uint32_t edges_left_out = 0;
};

struct PlotLayout {
  std::vector<LayerPlace> layers{};       // the first one at the bottom
  std::vector<picture::Point> outputs{};  // of the last layer
  double width = 0.0;
  double bottom = 0.0;  // of the features' nodes
  std::uint32_t sources_left_out = 0;
};

/// `top` is where the outputs' nodes stand.
[[nodiscard]] PlotLayout lay_out(const CurveModel& model, std::uint32_t edges_max, double top);

}  // namespace kantrig::insight
