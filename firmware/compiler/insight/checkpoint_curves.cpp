#include <algorithm>
#include <cmath>

#include "compiler/insight/curves.hpp"
#include "compiler/insight/measure.hpp"

namespace kantrig::insight {
namespace {

using learned::LearnedKan;

constexpr std::size_t kEdgeValuesMax = 6'000'000;
constexpr std::size_t kPoints = 101;  // of a source that has no codes
constexpr double kRangeWithoutGrid = 2.0;

struct Range {
  double low;
  double high;
};

/// Where an input of a layer is looked at when no event says so: where its splines are defined.
Range grid_range(const learned::Layer& layer, std::size_t input) {
  if (layer.kind != learned::EdgeKind::kSpline) return {-kRangeWithoutGrid, kRangeWithoutGrid};
  if (layer.knots.empty()) return {layer.grid.low, layer.grid.high};
  const auto& knots = layer.knots[input];
  return {knots[layer.grid.order], knots[knots.size() - 1 - layer.grid.order]};
}

bool has_codes(const LearnedKan& kan, std::size_t layer, std::size_t input) {
  return layer == 0 ? kan.inputs[input].bits > 0 : !kan.layers[layer - 1].quantizers.empty();
}

/// The values of every event that enter each layer: [layer][source][event].
using Values = std::vector<std::vector<std::vector<double>>>;

Values values_of(const LearnedKan& kan, const base::FeatureTable& events, std::size_t rows) {
  Values values(kan.layers.size());
  for (std::size_t l = 0; l < kan.layers.size(); ++l) values[l].resize(kan.layers[l].inputs);
  for (std::size_t i = 0; i < rows; ++i) {
    const auto row = events.row(i);
    if (!std::all_of(row.begin(), row.end(), [](float x) { return std::isfinite(x); })) continue;
    for (std::size_t l = 0; l < kan.layers.size(); ++l) {
      const auto entering = learned::layer_inputs(kan, l, row);
      for (std::size_t j = 0; j < entering.size(); ++j) values[l][j].push_back(entering[j]);
    }
  }
  return values;
}

std::vector<double> points_of(const LearnedKan& kan, std::size_t layer, std::uint32_t input,
                              const std::vector<double>& values, bool given) {
  if (has_codes(kan, layer, input)) return learned::input_points(kan, layer, input);
  Range range = grid_range(kan.layers[layer], input);
  if (given || layer > 0) {
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    if (*high > *low) range = {*low, *high};
  }
  std::vector<double> points;
  for (std::size_t i = 0; i < kPoints; ++i)
    points.push_back(range.low + (range.high - range.low) * static_cast<double>(i) / (kPoints - 1));
  return points;
}

std::vector<double> counted(const std::vector<double>& points, const std::vector<double>& values) {
  std::vector<double> counts(points.size(), 0.0);
  const double step =
      points.size() > 1 ? (points.back() - points.front()) / static_cast<double>(points.size() - 1) : 1.0;
  for (const double value : values) {
    const double place = std::round((value - points.front()) / step);
    counts[static_cast<std::size_t>(std::clamp(place, 0.0, static_cast<double>(points.size() - 1)))] += 1.0;
  }
  return counts;
}

CurveLayer curve_layer(const LearnedKan& kan, std::size_t index,
                       const std::vector<std::vector<double>>& values, bool given) {
  const learned::Layer& layer = kan.layers[index];
  CurveLayer curves;
  curves.nodes = layer.nodes;
  for (std::uint32_t j = 0; j < layer.inputs; ++j) {
    Source source{.name = index == 0 ? kan.inputs[j].feature.name : std::string()};
    source.points = points_of(kan, index, j, values[j], given);
    const bool uniform = !given && index == 0;
    source.shares = shares_of(uniform ? std::vector<double>(source.points.size(), 0.0)
                                      : counted(source.points, values[j]));
    curves.sources.push_back(std::move(source));
  }
  for (std::uint32_t k = 0; k < layer.nodes; ++k) {
    for (std::uint32_t j = 0; j < layer.inputs; ++j) {
      if (!layer.is_active(j, k)) continue;
      Curve& curve = curves.curves.emplace_back();
      curve.input = j;
      curve.node = k;
      for (const double x : curves.sources[j].points)
        curve.values.push_back(learned::edge_value(layer, j, k, x));
    }
  }
  return curves;
}

}  // namespace

base::FeatureTable drawn_events(const LearnedKan& kan, std::size_t rows) {
  base::FeatureTable table;
  table.rows = rows;
  table.columns = kan.inputs.size();
  learned::Random random(kDrawSeed);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < kan.inputs.size(); ++j) {
      const learned::Input& input = kan.inputs[j];
      const Range range = input.bits > 0 ? Range{input.first, input.point((1U << input.bits) - 1)}
                                         : grid_range(kan.layers[0], j);
      const double entering = random.uniform(range.low, range.high);
      table.values.push_back(
          static_cast<float>(input.gain != 0.0 ? (entering - input.shift) / input.gain : 0.0));
    }
  }
  return table;
}

Result<CurveModel> curves_of(const LearnedKan& kan, const base::FeatureTable* events) {
  std::size_t work = 0;
  for (std::size_t l = 0; l < kan.layers.size(); ++l)
    work += (kan.layers.size() - l) * kan.layers[l].active.size();
  const std::size_t wanted = events != nullptr ? events->rows : kDrawnEvents;
  const std::size_t rows = events_looked_at(wanted, work, kEdgeValuesMax);
  const Values values = values_of(kan, events != nullptr ? *events : drawn_events(kan, rows), rows);
  const std::size_t counted_events = values[0][0].size();
  if (counted_events == 0) return fail(ErrorCode::kInvalid, "none of {} events is finite", rows);

  CurveModel model{.name = kan.name};
  for (std::size_t l = 0; l < kan.layers.size(); ++l)
    model.layers.push_back(curve_layer(kan, l, values[l], events != nullptr));
  model.outputs = output_names(kan.classes, kan.layers.back().nodes);
  model.events = events != nullptr ? fmt::format("{} events given", counted_events)
                                   : fmt::format("{} events with uniform features", counted_events);
  weigh(model);
  return model;
}

}  // namespace kantrig::insight
