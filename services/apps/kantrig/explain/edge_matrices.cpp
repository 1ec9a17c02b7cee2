#include "apps/kantrig/explain/edge_matrices.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <vector>

#include "picture/colours.hpp"

namespace kantrig::apps {
namespace {

using picture::Anchor;

constexpr double kCell = 52.0;
constexpr double kSmallRow = 24.0;
constexpr double kNames = 70.0;  // left of the layers below the first
constexpr double kSums = 66.0;   // baseline, sum, output
constexpr double kTitle = 84.0;  // above a layer below the first
constexpr double kTooLarge = 330.0;
constexpr std::size_t kInputsMax = 40;
constexpr std::size_t kNodesMax = 24;
constexpr std::string_view kPale = "#666666";

}  // namespace

bool EdgeMatrices::readable(std::size_t layer) const {
  const kan::Layer& one = report_.bundle.model.layers[layer];
  return one.nodes.size() <= kNodesMax && (layer == 0 || one.input_codes.size() <= kInputsMax);
}

double EdgeMatrices::width() const {
  double widest = kTooLarge;
  for (std::size_t l = 0; l < report_.explanation.layers.size(); ++l) {
    if (readable(l))
      widest = std::max(widest, kCell * static_cast<double>(report_.explanation.layers[l].size()));
  }
  return kNames + widest;
}

double EdgeMatrices::height(std::size_t features) const {
  constexpr double kFeatureRow = 34.0;
  double sum = kFeatureRow * static_cast<double>(features) + kSums;
  for (std::size_t l = 1; l < report_.explanation.layers.size(); ++l) {
    const std::size_t inputs = report_.bundle.model.layers[l].input_codes.size();
    sum += kTitle + (readable(l) ? kSmallRow * static_cast<double>(inputs) + kSums : 0.0);
  }
  return sum;
}

void EdgeMatrices::draw_sums(picture::Svg& svg, std::size_t layer, picture::Point at) const {
  const auto& nodes = report_.explanation.layers[layer];
  const auto row = [&](double y, std::string_view name, bool bold, const auto& value_of) {
    svg.text(at.x - 8.0, y, name, {.size = 12.0, .fill = kPale, .anchor = Anchor::kEnd});
    for (std::size_t k = 0; k < nodes.size(); ++k) {
      svg.text(at.x + kCell * (static_cast<double>(k) + 0.5), y, value_of(nodes[k]),
               {.size = 13.0, .anchor = Anchor::kMiddle, .bold = bold});
    }
  };
  row(at.y + 18.0, "baseline", false,
      [](const kan::NodeExplanation& node) { return std::to_string(node.baseline); });
  row(at.y + 36.0, "sum", true, [](const kan::NodeExplanation& node) { return std::to_string(node.sum); });
  row(at.y + 54.0, "output", false, [](const kan::NodeExplanation& node) {
    return std::to_string(node.output) + (node.saturation == kan::Saturation::kNone ? "" : " !");
  });
}

double EdgeMatrices::draw_layer(picture::Svg& svg, std::size_t layer, picture::Point at,
                                std::span<const std::size_t> inputs, double row_height) const {
  const auto& nodes = report_.explanation.layers[layer];
  std::int32_t largest = 1;
  for (const kan::NodeExplanation& node : nodes) {
    for (const kan::EdgeShare& edge : node.edges) largest = std::max(largest, std::abs(edge.contribution()));
  }
  svg.text(at.x, at.y - 34.0, fmt::format("layer {}: what each edge adds to a sum", layer),
           {.size = 14.0, .bold = true});
  for (std::size_t k = 0; k < nodes.size(); ++k) {
    const double x = at.x + kCell * static_cast<double>(k);
    svg.text(x + kCell / 2.0, at.y - 10.0, picture::fitted(report_.node_name(layer, k), 13.0, kCell),
             {.size = 13.0, .anchor = Anchor::kMiddle});
    for (const kan::EdgeShare& edge : nodes[k].edges) {
      const auto found = std::find(inputs.begin(), inputs.end(), edge.input);
      if (found == inputs.end()) continue;
      const double y = at.y + row_height * static_cast<double>(found - inputs.begin());
      const std::int32_t adds = edge.contribution();
      const std::string colour = picture::signed_colour(static_cast<double>(adds) / largest);
      svg.rectangle({x, y, kCell, row_height}, {.fill = colour,
                                                .tip = fmt::format("code {}: entry {}, reference {}",
                                                                   edge.code, edge.entry, edge.reference)});
      svg.text(x + kCell / 2.0, y + row_height / 2.0 + 4.5, adds == 0 ? "0" : fmt::format("{:+}", adds),
               {.size = 13.0, .fill = picture::ink_on(colour), .anchor = Anchor::kMiddle});
    }
  }
  const double bottom = at.y + row_height * static_cast<double>(inputs.size());
  draw_sums(svg, layer, {at.x, bottom});
  return bottom + kSums;
}

void EdgeMatrices::draw(picture::Svg& svg, picture::Point at, std::span<const std::size_t> features,
                        double row_height) const {
  at.x += kNames;
  for (std::size_t l = 0; l < report_.explanation.layers.size(); ++l) {
    if (!readable(l)) {
      svg.text(at.x, at.y - 34.0, fmt::format("layer {} is too large to draw: see --edges, --json", l),
               {.size = 14.0, .fill = kPale});
      at.y += l == 0 ? row_height * static_cast<double>(features.size()) + kSums : 0.0;
    } else if (l == 0) {
      at.y = draw_layer(svg, l, at, features, row_height);
    } else {
      std::vector<std::size_t> inputs(report_.bundle.model.layers[l].input_codes.size());
      std::iota(inputs.begin(), inputs.end(), std::size_t{0});
      for (const std::size_t j : inputs) {
        svg.text(at.x - 8.0, at.y + kSmallRow * (static_cast<double>(j) + 0.5) + 4.5,
                 report_.node_name(l - 1, j), {.size = 13.0, .anchor = Anchor::kEnd});
      }
      at.y = draw_layer(svg, l, at, inputs, kSmallRow);
    }
    at.y += kTitle;
  }
}

}  // namespace kantrig::apps
