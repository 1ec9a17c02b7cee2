#include "compiler/insight/measure.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace kantrig::insight {
namespace {

double deviation_of(const Curve& curve, const std::vector<double>& shares) {
  double mean = 0.0;
  for (std::size_t i = 0; i < shares.size(); ++i) mean += shares[i] * curve.values[i];
  double squares = 0.0;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const double from_mean = curve.values[i] - mean;
    squares += shares[i] * from_mean * from_mean;
  }
  return std::sqrt(squares);
}

/// Strengths of the layer's edges, and the importance of what enters it from that of its nodes.
std::vector<double> weigh_layer(CurveLayer& layer, const std::vector<double>& node_importance) {
  std::vector<double> squares(layer.nodes, 0.0);
  for (Curve& curve : layer.curves) {
    curve.deviation = deviation_of(curve, layer.sources[curve.input].shares);
    squares[curve.node] += curve.deviation * curve.deviation;
  }
  std::vector<double> importance(layer.sources.size(), 0.0);
  for (Curve& curve : layer.curves) {
    curve.strength = squares[curve.node] > 0.0 ? curve.deviation / std::sqrt(squares[curve.node]) : 0.0;
    curve.importance = curve.strength * curve.strength * node_importance[curve.node];
    importance[curve.input] += curve.importance;
  }
  const double sum = std::accumulate(importance.begin(), importance.end(), 0.0);
  for (std::size_t j = 0; j < importance.size(); ++j)
    layer.sources[j].importance = sum > 0.0 ? importance[j] / sum : 0.0;
  return importance;
}

}  // namespace

std::size_t events_looked_at(std::size_t rows, std::size_t edges, std::size_t work_max) {
  constexpr std::size_t kLeast = 500;
  return std::min(rows, std::max(kLeast, work_max / std::max<std::size_t>(edges, 1)));
}

std::vector<double> shares_of(std::span<const double> counts) {
  const double sum = std::accumulate(counts.begin(), counts.end(), 0.0);
  std::vector<double> shares(counts.size(), 1.0 / static_cast<double>(counts.size()));
  for (std::size_t i = 0; sum > 0.0 && i < counts.size(); ++i) shares[i] = counts[i] / sum;
  return shares;
}

std::uint32_t draw_index(std::span<const double> shares, learned::Random& random) {
  double left = random.uniform(0.0, 1.0);
  for (std::size_t i = 0; i < shares.size(); ++i) {
    left -= shares[i];
    if (left < 0.0) return static_cast<std::uint32_t>(i);
  }
  return static_cast<std::uint32_t>(shares.size() - 1);
}

void weigh(CurveModel& model) {
  std::vector<double> importance(model.layers.back().nodes, 1.0);
  for (auto layer = model.layers.rbegin(); layer != model.layers.rend(); ++layer)
    importance = weigh_layer(*layer, importance);
}

std::vector<std::string> output_names(const std::vector<std::string>& classes, std::size_t outputs) {
  if (outputs == classes.size()) return classes;
  if (outputs == 1) return {classes.size() == 2 ? classes[1] : "output"};
  std::vector<std::string> names;
  for (std::size_t k = 0; k < outputs; ++k) names.push_back("output " + std::to_string(k));
  return names;
}

}  // namespace kantrig::insight
