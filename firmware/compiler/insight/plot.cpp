#include "compiler/insight/plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/assert.hpp"
#include "compiler/insight/plot_layout.hpp"
#include "picture/colours.hpp"
#include "picture/svg.hpp"

namespace kantrig::insight {
namespace {

using picture::Anchor;
using picture::Point;
using picture::Rectangle;

constexpr double kMargin = 40.0;
constexpr double kTitleSize = 24.0;
constexpr double kTextSize = 15.0;
constexpr double kNameSize = 17.0;
constexpr double kOutputSize = 21.0;
constexpr double kTextTop = 77.0;
constexpr double kTextStep = 22.0;
constexpr double kOutputsGap = 58.0;  // between the words and the outputs
constexpr double kNameRoomMax = 260.0;
constexpr double kTurn = -40.0;  // degrees, of names that do not fit side by side
constexpr std::size_t kBarsMax = 23;
constexpr std::size_t kCurvePointsMax = 96;
constexpr double kFaintest = 0.14;  // opacity of an edge that does nothing

double node_radius(double importance, double greatest) {
  return 3.5 + 6.5 * std::sqrt(greatest > 0.0 ? importance / greatest : 0.0);
}

/// Layers, and how many edges there are.
std::string shape_of(const CurveModel& model) {
  std::string shape = std::to_string(model.layers[0].sources.size());
  std::size_t edges = 0;
  for (const CurveLayer& layer : model.layers) {
    shape += fmt::format("-{}", layer.nodes);
    edges += layer.curves.size();
  }
  return fmt::format("{}, {} edges", shape, edges);
}

std::string explanation_of(const CurveModel& model, const PlotLayout& layout) {
  std::string left_out;
  for (std::size_t l = 0; l < model.layers.size(); ++l) {
    const std::uint32_t missing = layout.layers[l].edges_left_out;
    if (missing == 0) continue;
    left_out += fmt::format("{}the {} least important of {} edges in layer {}", left_out.empty() ? "" : ", ",
                            missing, model.layers[l].curves.size(), l);
  }
  std::string words = "Curve: what an edge adds. Bars: how often its input is there, by " + model.events +
                      ". Opacity: strength of the edge in its node. Dot: importance.";
  if (!left_out.empty()) words += " Left out: " + left_out;
  if (layout.sources_left_out > 0)
    words += fmt::format(" and {} inputs without any", layout.sources_left_out);
  return left_out.empty() ? words : words + ".";
}

class Drawing {
 public:
  Drawing(const CurveModel& model, const PlotOptions& options)
      : model_(model),
        layout_(lay_out(model, options.edges_max, 0.0)),
        words_(picture::wrapped(explanation_of(model, layout_), kTextSize, layout_.width - 2.0 * kMargin)),
        turned_(names_are_turned()),
        svg_(layout_.width, top() + layout_.bottom + names_height() + 24.0, model.name) {
    layout_ = lay_out(model, options.edges_max, top());
  }

  std::string run();

 private:
  [[nodiscard]] bool names_are_turned() const;
  [[nodiscard]] double names_height() const;
  [[nodiscard]] double top() const {
    return kTextTop + kTextStep * static_cast<double>(words_.size()) + kOutputsGap;
  }

  void heading();
  void lines(std::size_t layer);
  void boxes(std::size_t layer);
  void box(const EdgePlace& edge, const Source& source, double opacity);
  void nodes(std::size_t layer);
  void outputs();
  /// Between kFaintest and 1: 1 is the strongest edge of the layer.
  [[nodiscard]] double opacity_of(const Curve& curve, std::size_t layer) const;
  [[nodiscard]] std::string tip_of(const EdgePlace& edge, std::size_t layer) const;

  const CurveModel& model_;
  PlotLayout layout_;
  std::vector<std::string> words_;  // below the title
  bool turned_;
  picture::Svg svg_;
};

bool Drawing::names_are_turned() const {
  double end = -1e9;  // of the name before
  const LayerPlace& first = layout_.layers.front();
  for (std::size_t j = 0; j < first.sources.size(); ++j) {
    if (!first.sources[j]) continue;
    const double half = picture::text_width(model_.layers[0].sources[j].name, kNameSize) / 2.0;
    if (first.sources[j]->x - half < end + 8.0) return true;
    end = first.sources[j]->x + half;
  }
  return false;
}

double Drawing::names_height() const {
  if (!turned_) return 34.0;
  double widest = 0.0;
  for (const Source& source : model_.layers[0].sources)
    widest = std::max(widest, picture::text_width(source.name, kNameSize));
  return 34.0 + 0.66 * std::min(widest, kNameRoomMax);
}

double Drawing::opacity_of(const Curve& curve, std::size_t layer) const {
  double strongest = 0.0;
  for (const EdgePlace& edge : layout_.layers[layer].edges)
    strongest = std::max(strongest, edge.curve->strength);
  return kFaintest + (1.0 - kFaintest) * (strongest > 0.0 ? curve.strength / strongest : 0.0);
}

std::string Drawing::tip_of(const EdgePlace& edge, std::size_t layer) const {
  const Curve& curve = *edge.curve;
  const auto source = layer == 0 ? model_.layers[0].sources[curve.input].name
                                 : fmt::format("node {} of layer {}", curve.input, layer - 1);
  const auto node = layer + 1 == model_.layers.size() ? model_.outputs[curve.node]
                                                      : fmt::format("node {} of layer {}", curve.node, layer);
  const auto [low, high] = std::minmax_element(curve.values.begin(), curve.values.end());
  return fmt::format("{} to {}: strength {:.3f}, from {:.4g} to {:.4g}", source, node, curve.strength, *low,
                     *high);
}

void Drawing::heading() {
  const double room = layout_.width - 2.0 * kMargin;
  svg_.text(kMargin, 50.0, picture::fitted(model_.name + ": " + shape_of(model_), kTitleSize, room),
            {.size = kTitleSize, .bold = true});
  double y = kTextTop;
  for (const std::string& line : words_) {
    svg_.text(kMargin, y, line, {.size = kTextSize, .fill = "#555555"});
    y += kTextStep;
  }
}

void Drawing::lines(std::size_t layer) {
  const LayerPlace& place = layout_.layers[layer];
  const bool last = layer + 1 == layout_.layers.size();
  for (const EdgePlace& edge : place.edges) {
    const double opacity = opacity_of(*edge.curve, layer);
    const picture::Stroke stroke{
        .colour = picture::series_colour(edge.curve->node), .width = 1.0 + 1.2 * opacity, .opacity = opacity};
    const Point from = *place.sources[edge.curve->input];
    const double bend_in = (from.y - edge.entry.y) * 0.5;
    svg_.bezier(from, {from.x, from.y - bend_in}, {edge.entry.x, edge.entry.y + bend_in}, edge.entry, stroke);
    const double box_bottom = edge.box.y + edge.box.height;
    if (box_bottom < edge.entry.y) svg_.line(edge.entry.x, edge.entry.y, edge.entry.x, box_bottom, stroke);
    if (edge.exit.y < edge.box.y) svg_.line(edge.exit.x, edge.box.y, edge.exit.x, edge.exit.y, stroke);
    const auto& next =
        last ? layout_.outputs[edge.curve->node] : *layout_.layers[layer + 1].sources[edge.curve->node];
    const double bend_out = (edge.exit.y - next.y) * 0.5;
    svg_.bezier(edge.exit, {edge.exit.x, edge.exit.y - bend_out}, {next.x, next.y + bend_out}, next, stroke);
  }
}

/// Bars of the shares, put together where there are many codes.
std::vector<double> bars_of(const std::vector<double>& shares) {
  const std::size_t together = (shares.size() + kBarsMax - 1) / kBarsMax;
  std::vector<double> bars((shares.size() + together - 1) / together, 0.0);
  for (std::size_t i = 0; i < shares.size(); ++i) bars[i / together] += shares[i];
  return bars;
}

/// The curve, stretched to the box; at most kCurvePointsMax of its points.
std::vector<Point> curve_points(const Curve& curve, const Rectangle& box) {
  constexpr double kPad = 5.0;
  const auto [low, high] = std::minmax_element(curve.values.begin(), curve.values.end());
  const std::size_t count = curve.values.size();
  const std::size_t every = std::max<std::size_t>(1, count / kCurvePointsMax);
  std::vector<Point> points;
  const auto add = [&](std::size_t i) {
    const double along = count > 1 ? static_cast<double>(i) / static_cast<double>(count - 1) : 0.5;
    const double up = *high > *low ? (curve.values[i] - *low) / (*high - *low) : 0.5;
    points.push_back({box.x + 2.0 + (box.width - 4.0) * along,
                      box.y + box.height - kPad - (box.height - 2.0 * kPad) * up});
  };
  for (std::size_t i = 0; i + 1 < count; i += every) add(i);
  add(count - 1);
  return points;
}

void Drawing::box(const EdgePlace& edge, const Source& source, double opacity) {
  const auto colour = picture::series_colour(edge.curve->node);
  const Rectangle& box = edge.box;
  svg_.rectangle(box, {.fill = "#ffffff", .stroke = "none"});  // hides lines that pass behind
  const std::vector<double> bars = bars_of(source.shares);
  const double highest = *std::max_element(bars.begin(), bars.end());
  std::vector<Point> outline{{box.x + 1.0, box.y + box.height - 1.0}};
  const double step = (box.width - 2.0) / static_cast<double>(bars.size());
  for (std::size_t i = 0; i < bars.size(); ++i) {
    const double y = box.y + box.height - 1.0 - 0.72 * (box.height - 2.0) * bars[i] / highest;
    outline.push_back({box.x + 1.0 + step * static_cast<double>(i), y});
    outline.push_back({box.x + 1.0 + step * static_cast<double>(i + 1), y});
  }
  outline.push_back({box.x + box.width - 1.0, box.y + box.height - 1.0});
  svg_.polygon(outline, {.fill = "#dfe6ec", .stroke = "none"});
  svg_.polyline(curve_points(*edge.curve, box), {.colour = colour, .width = 2.0, .opacity = opacity});
}

void Drawing::boxes(std::size_t layer) {
  for (const EdgePlace& edge : layout_.layers[layer].edges) {
    const double opacity = opacity_of(*edge.curve, layer);
    box(edge, model_.layers[layer].sources[edge.curve->input], opacity);
    svg_.rectangle(edge.box, {.fill = "none",
                              .stroke = picture::series_colour(edge.curve->node),
                              .tip = tip_of(edge, layer),
                              .opacity = 0.25 + 0.75 * opacity,
                              .stroke_width = 1.2});
  }
}

void Drawing::nodes(std::size_t layer) {
  const auto& sources = model_.layers[layer].sources;
  double greatest = 0.0;
  for (const Source& source : sources) greatest = std::max(greatest, source.importance);
  for (std::size_t j = 0; j < sources.size(); ++j) {
    const auto& at = layout_.layers[layer].sources[j];
    if (!at) continue;
    const double radius = node_radius(sources[j].importance, greatest);
    const auto words =
        fmt::format("{}: importance {:.3f}", layer == 0 ? sources[j].name : fmt::format("node {}", j),
                    sources[j].importance);
    svg_.circle(*at, radius, {.fill = layer == 0 ? "#333333" : picture::series_colour(j), .tip = words});
    if (layer > 0) {
      svg_.text(at->x + radius + 3.0, at->y + 4.0, std::to_string(j), {.size = 13.0, .fill = "#555555"});
      continue;
    }
    const bool alone = sources[j].importance == 0.0;
    const std::string name = picture::fitted(sources[j].name, kNameSize, kNameRoomMax);
    svg_.text(turned_ ? at->x + 5.0 : at->x, at->y + 26.0, name,
              {.size = kNameSize,
               .fill = alone ? "#999999" : "#222222",
               .anchor = turned_ ? Anchor::kEnd : Anchor::kMiddle,
               .turn = turned_ ? kTurn : 0.0});
  }
}

void Drawing::outputs() {
  const double room =
      layout_.outputs.size() > 1 ? layout_.outputs[1].x - layout_.outputs[0].x : layout_.width;
  for (std::size_t k = 0; k < layout_.outputs.size(); ++k) {
    const Point at = layout_.outputs[k];
    svg_.circle(at, 7.0, {.fill = picture::series_colour(k)});
    svg_.text(at.x, at.y - 17.0, picture::fitted(model_.outputs[k], kOutputSize, room),
              {.size = kOutputSize, .anchor = Anchor::kMiddle, .bold = true});
  }
}

std::string Drawing::run() {
  heading();
  for (std::size_t l = 0; l < layout_.layers.size(); ++l) lines(l);
  for (std::size_t l = 0; l < layout_.layers.size(); ++l) boxes(l);
  for (std::size_t l = 0; l < layout_.layers.size(); ++l) nodes(l);
  outputs();
  return svg_.done();
}

}  // namespace

std::string plot(const CurveModel& model, const PlotOptions& options) {
  KANTRIG_ASSERT(options.edges_max >= 1 && !model.layers.empty());
  return Drawing(model, options).run();
}

}  // namespace kantrig::insight
