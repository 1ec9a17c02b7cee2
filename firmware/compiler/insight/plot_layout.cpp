#include "compiler/insight/plot_layout.hpp"

#include <algorithm>
#include <utility>

namespace kantrig::insight {
namespace {

constexpr double kMargin = 40.0;
constexpr double kGap = 9.0;        // between boxes: a line passes there
constexpr double kGroupGap = 26.0;  // between the boxes of two sources, at least
constexpr double kLonely = 14.0;    // width of a source without a drawn edge
constexpr double kWidthMin = 760.0;
constexpr double kFanIn = 52.0;      // height of the lines from sources to boxes
constexpr double kFanOutMin = 96.0;  // and from boxes to nodes
constexpr double kFanOutMax = 240.0;
constexpr double kFanOutShare = 0.085;   // of the picture's width: wide fans need height
constexpr std::size_t kOneRowMax = 26;   // boxes; more stand in two rows
constexpr std::size_t kSourcesAll = 48;  // with more, those without a drawn edge are left out

/// The most important curves of a layer, in the order of their sources.
std::vector<const Curve*> chosen(const CurveLayer& layer, std::uint32_t edges_max) {
  std::vector<const Curve*> curves{};
  for (const Curve& curve : layer.curves) curves.push_back(&curve);
  std::stable_sort(curves.begin(), curves.end(),
                   [](const Curve* a, const Curve* b) { return a->importance > b->importance; });
  if (curves.size() > edges_max) curves.resize(edges_max);
  std::sort(curves.begin(), curves.end(), [](const Curve* a, const Curve* b) {
    return a->input != b->input ? a->input < b->input : a->node < b->node;
  });
  return curves;
}

/// A source and its boxes, in one row or in two whose upper one is shifted by half a step.
struct Group {
  std::uint32_t source = 0;
  std::vector<const Curve*> curves{};
  double width = kLonely;
};

class LayerLayout {
 public:
  LayerLayout(const CurveLayer& layer, std::uint32_t edges_max) : curves_(chosen(layer, edges_max)) {
    rows_ = curves_.size() > kOneRowMax ? 2 : 1;
    place_.edges_left_out = static_cast<std::uint32_t>(layer.curves.size() - curves_.size());
    place_.sources.resize(layer.sources.size());
  }

  [[nodiscard]] bool reaches_node(std::uint32_t node) const {
    return std::any_of(curves_.begin(), curves_.end(), [&](const Curve* one) { return one->node == node; });
  }
  [[nodiscard]] std::uint32_t rows() const noexcept { return rows_; }
  [[nodiscard]] double height() const noexcept { return kFanIn + rows_ * (kBox + kGap) - kGap; }

  /// Puts the boxes into one row where that fits.
  void widen(double room) {
    const std::uint32_t rows = std::exchange(rows_, 1U);
    measure();
    if (width() <= room) return;
    rows_ = rows;
    measure();
  }

  /// Sources with a curve, and those that `wanted` says.
  template <typename Wanted>
  std::uint32_t group(const Wanted& wanted) {
    std::uint32_t left_out = 0;
    for (std::uint32_t j = 0; j < place_.sources.size(); ++j) {
      Group one{.source = j};
      for (const Curve* curve : curves_) {
        if (curve->input == j) one.curves.push_back(curve);
      }
      if (one.curves.empty() && !wanted(j)) {
        ++left_out;
        continue;
      }
      groups_.push_back(std::move(one));
    }
    measure();
    return left_out;
  }

  [[nodiscard]] double width() const {
    double sum = 0.0;
    for (const Group& one : groups_) sum += one.width + kGroupGap;
    return sum;
  }

  /// Spread over `width` from the margin on; `bottom` is where the sources' nodes stand.
  LayerPlace place(double width, double bottom) {
    const double more =
        (width - this->width()) / static_cast<double>(std::max<std::size_t>(groups_.size(), 1));
    double x = kMargin + (kGroupGap + more) / 2.0;
    for (const Group& one : groups_) {
      place_.sources[one.source] = picture::Point{x + one.width / 2.0, bottom};
      place_group(one, x, bottom);
      x += one.width + kGroupGap + more;
    }
    return std::move(place_);
  }

 private:
  void measure() {
    for (Group& one : groups_) {
      if (one.curves.empty()) continue;
      const auto boxes = static_cast<double>(one.curves.size());
      one.width = (rows_ == 1 ? boxes : (boxes + 1.0) / 2.0) * (kBox + kGap) - kGap;
    }
  }

  void place_group(const Group& group, double left, double bottom) {
    const double below = bottom - kFanIn;
    const double above = below - rows_ * (kBox + kGap) + kGap;
    for (std::size_t i = 0; i < group.curves.size(); ++i) {
      const double step = (kBox + kGap) / rows_;
      const double x = left + step * static_cast<double>(i);
      const bool upper = rows_ == 2 && i % 2 == 1;
      const double y = upper ? above : below - kBox;
      place_.edges.push_back({.curve = group.curves[i],
                              .box = {x, y, kBox, kBox},
                              .entry = {x + kBox / 2.0, below},
                              .exit = {x + kBox / 2.0, above}});
    }
  }

  std::vector<const Curve*> curves_;
  std::uint32_t rows_ = 1;
  std::vector<Group> groups_;
  LayerPlace place_;
};

}  // namespace

PlotLayout lay_out(const CurveModel& model, std::uint32_t edges_max, double top) {
  PlotLayout layout;
  std::vector<LayerLayout> layers;
  for (const CurveLayer& layer : model.layers) layers.emplace_back(layer, edges_max);
  double width = kWidthMin;
  double height = 0.0;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const bool all = model.layers[l].sources.size() <= kSourcesAll;
    layout.sources_left_out +=
        layers[l].group([&](std::uint32_t j) { return all || (l > 0 && layers[l - 1].reaches_node(j)); });
    width = std::max(width, layers[l].width());
  }
  constexpr double kOutputStep = 40.0;
  width = std::max(width, kOutputStep * static_cast<double>(model.outputs.size()));
  layout.width = width + 2.0 * kMargin;
  const double fan_out = std::clamp(kFanOutShare * width, kFanOutMin, kFanOutMax);
  for (LayerLayout& layer : layers) {
    layer.widen(width);
    height += layer.height() + fan_out;
  }
  layout.bottom = top + height;
  double bottom = layout.bottom;
  for (LayerLayout& layer : layers) {
    const double layer_height = layer.height() + fan_out;
    layout.layers.push_back(layer.place(width, bottom));
    bottom -= layer_height;
  }
  const double step = width / static_cast<double>(model.outputs.size());
  for (std::size_t k = 0; k < model.outputs.size(); ++k)
    layout.outputs.push_back({kMargin + step * (static_cast<double>(k) + 0.5), top});
  return layout;
}

}  // namespace kantrig::insight
