#include "synth/area_picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <vector>

#include "picture/svg.hpp"
#include "synth/place_names.hpp"
#include "synth/treemap.hpp"

namespace kantrig::synth {
namespace {

using picture::Anchor;
using picture::Rectangle;
using picture::Svg;
using picture::text_width;

constexpr double kWidth = 1000.0;
constexpr double kMargin = 24.0;
constexpr double kLabels = 110.0;  // room for the names of the bars
constexpr double kBarHeight = 30.0;
constexpr double kBarStep = 40.0;
constexpr double kMapHeight = 520.0;
constexpr double kHeader = 20.0;  // of a layer in the map

/// For nodes and, lighter, for what belongs to an input or to the whole layer. After P. Tol's colour schemes,
/// which also the colour-blind tell apart; white text is readable on the first, dark text on the second.
struct Colours {
  std::string_view node;
  std::string_view light;
};
constexpr std::array kLayerColours = std::to_array<Colours>({{"#33608c", "#b9cfe4"},
                                                             {"#b3472f", "#f0c3b6"},
                                                             {"#2f7a3d", "#bfe0c3"},
                                                             {"#7d3c84", "#e0c2e3"},
                                                             {"#8a6d12", "#ecdca6"}});
constexpr Colours kNoLayerColours{"#666666", "#dddddd"};

Colours colours_of(std::int32_t layer) {
  return layer == kNoLayer ? kNoLayerColours
                           : kLayerColours[static_cast<std::size_t>(layer) % kLayerColours.size()];
}

std::string layer_name(std::int32_t layer) {
  return layer == kNoLayer ? "no one layer" : fmt::format("layer {}", layer);
}

std::map<std::int32_t, PlaceFigures> by_layer(const Area& area) {
  std::map<std::int32_t, PlaceFigures> layers;
  for (const auto& [place, figures] : area) {
    PlaceFigures& layer = layers[place.layer];
    layer.luts += figures.luts;
    layer.ffs += figures.ffs;
    layer.carries += figures.carries;
  }
  return layers;
}

/// 1, 2 or 5 times a power of ten, so that an axis to `largest` has 4 to 10 steps.
double axis_step(double largest) {
  const double power = std::pow(10.0, std::floor(std::log10(std::max(largest, 1.0))));
  for (const double factor : {0.1, 0.2, 0.5, 1.0}) {
    if (largest / (factor * power) <= 10.0) return std::max(factor * power, 1.0);
  }
  return power;
}

class Picture {
 public:
  Picture(const Resources& resources, const compiler::HardwareDesign& design)
      : resources_(resources),
        design_(design),
        bars_(resources.baseline ? 2 : 1),
        svg_(kWidth, map_top() + kMapHeight + 64.0, "Where the area of " + design.bundle + " goes") {}

  std::string run();

 private:
  [[nodiscard]] double bars_top() const { return 84.0; }
  [[nodiscard]] double axis_y() const { return bars_top() + kBarStep * bars_; }
  [[nodiscard]] double map_top() const { return axis_y() + 72.0; }

  void heading();
  void axis(double largest);
  void bar(int row, std::string_view name, const Synthesised& synthesised, double largest);
  void map();
  void layer_map(std::int32_t layer, const PlaceFigures& total, const Rectangle& room);
  void place_box(const Place& place, const PlaceFigures& figures, const Rectangle& room);
  void legend();

  const Resources& resources_;
  const compiler::HardwareDesign& design_;
  int bars_;
  Svg svg_;
};

void Picture::heading() {
  const Figures& figures = resources_.design.figures;
  svg_.text(kMargin, 34.0, fmt::format("Where the LUTs of {} go", design_.bundle),
            {.size = 20.0, .bold = true});
  std::string line =
      fmt::format("{}, {}, {} cycles: {} LUT, {} FF, {} carry", compiler::target_name(design_.target),
                  family_name(resources_.family), figures.cycles, figures.luts, figures.ffs, figures.carries);
  if (resources_.baseline) {
    const Figures& theirs = resources_.baseline->figures;
    line += fmt::format(". Published structure, {} cycles: {} LUT, {} FF, {} carry", theirs.cycles,
                        theirs.luts, theirs.ffs, theirs.carries);
  }
  svg_.text(kMargin, 58.0, line, {.size = 13.0, .fill = "#444444"});
}

void Picture::axis(double largest) {
  const double scale = (kWidth - 2.0 * kMargin - kLabels) / largest;
  const double step = axis_step(largest);
  svg_.line(kMargin + kLabels, axis_y(), kWidth - kMargin, axis_y());
  for (double value = 0.0; value <= largest; value += step) {
    const double x = kMargin + kLabels + value * scale;
    svg_.line(x, axis_y(), x, axis_y() + 5.0);
    svg_.text(x, axis_y() + 19.0, fmt::format("{:.0f}", value), {.size = 12.0, .anchor = Anchor::kMiddle});
  }
  svg_.text(kMargin, axis_y() + 19.0, "LUTs", {.size = 12.0});
}

void Picture::bar(int row, std::string_view name, const Synthesised& synthesised, double largest) {
  const double scale = (kWidth - 2.0 * kMargin - kLabels) / largest;
  const double y = bars_top() + kBarStep * row;
  double x = kMargin + kLabels;
  svg_.text(kMargin, y + 20.0, name, {.size = 13.0, .bold = true});
  for (const auto& [layer, figures] : by_layer(synthesised.area)) {
    if (figures.luts == 0) continue;
    const double width = figures.luts * scale;
    const std::string words = fmt::format("{}: {}", layer_name(layer), figures.luts);
    svg_.rectangle({x, y, width, kBarHeight}, {.fill = colours_of(layer).node, .tip = words});
    if (text_width(words, 12.0) < width - 8.0)
      svg_.text(x + 8.0, y + 20.0, words, {.size = 12.0, .fill = "#ffffff"});
    x += width;
  }
}

void Picture::place_box(const Place& place, const PlaceFigures& figures, const Rectangle& room) {
  const bool node = place.part == Part::kNode;
  const Colours colours = colours_of(place.layer);
  svg_.rectangle(room, {.fill = node ? colours.node : colours.light,
                        .tip = fmt::format("{}: {} LUT, {} FF", full_place_name(place, design_), figures.luts,
                                           figures.ffs)});
  const std::string_view ink = node ? "#ffffff" : "#222222";
  const std::string name = place_name(place, design_);
  const double size = std::clamp(std::min(room.height / 3.0, room.width / 6.0), 9.0, 15.0);
  if (text_width(name, size) > room.width - 6.0 || room.height < size + 5.0) return;
  svg_.text(room.x + 5.0, room.y + size + 3.0, name, {.size = size, .fill = ink, .bold = true});
  const std::string count = fmt::format("{} LUT", figures.luts);
  if (text_width(count, size - 1.0) < room.width - 6.0 && room.height > 2.4 * size + 6.0)
    svg_.text(room.x + 5.0, room.y + 2.2 * size + 5.0, count, {.size = size - 1.0, .fill = ink});
}

void Picture::layer_map(std::int32_t layer, const PlaceFigures& total, const Rectangle& room) {
  std::vector<std::pair<Place, PlaceFigures>> places;
  for (const auto& [place, figures] : resources_.design.area) {
    if (place.layer == layer && figures.luts > 0) places.emplace_back(place, figures);
  }
  std::ranges::stable_sort(places, std::ranges::greater{}, [](const auto& one) { return one.second.luts; });
  std::vector<double> weights;
  for (const auto& [place, figures] : places) weights.push_back(figures.luts);
  const std::string words = fmt::format("{}: {} LUT, {} FF", layer_name(layer), total.luts, total.ffs);
  const bool fits = text_width(words, 13.0) < room.width;
  svg_.text(room.x + 2.0, room.y + 14.0, fits ? words : layer_name(layer),
            {.size = 13.0, .fill = colours_of(layer).node, .bold = true});
  const auto boxes =
      treemap(weights, {room.x, room.y + kHeader, std::max(room.width - 4.0, 1.0), room.height - kHeader});
  for (std::size_t i = 0; i < boxes.size(); ++i) place_box(places[i].first, places[i].second, boxes[i]);
}

void Picture::map() {
  const auto layers = by_layer(resources_.design.area);
  const double all = std::max<double>(resources_.design.figures.luts, 1.0);
  double x = kMargin;
  for (const auto& [layer, figures] : layers) {
    if (figures.luts == 0) continue;
    const double width = (kWidth - 2.0 * kMargin) * figures.luts / all;
    layer_map(layer, figures, {x, map_top(), width, kMapHeight});
    x += width;
  }
}

void Picture::legend() {
  const double y = map_top() + kMapHeight + 18.0;
  svg_.rectangle({kMargin, y, 14.0, 14.0}, {.fill = kLayerColours[0].node});
  svg_.text(kMargin + 20.0, y + 12.0, "a node", {.size = 12.0});
  svg_.rectangle({kMargin + 90.0, y, 14.0, 14.0}, {.fill = kLayerColours[0].light});
  svg_.text(kMargin + 110.0, y + 12.0, "an input's tables, or shared in the layer", {.size = 12.0});
  svg_.text(kWidth - kMargin, y + 12.0, "areas in proportion to LUTs; " + resources_.tool,
            {.size = 12.0, .fill = "#666666", .anchor = Anchor::kEnd});
}

std::string Picture::run() {
  std::uint32_t largest = std::max(resources_.design.figures.luts, 1U);
  if (resources_.baseline) largest = std::max(largest, resources_.baseline->figures.luts);
  heading();
  bar(0, "design", resources_.design, largest);
  if (resources_.baseline) bar(1, "published", *resources_.baseline, largest);
  axis(largest);
  map();
  legend();
  return svg_.done();
}

}  // namespace

std::string area_picture(const Resources& resources, const compiler::HardwareDesign& design) {
  return Picture(resources, design).run();
}

}  // namespace kantrig::synth
