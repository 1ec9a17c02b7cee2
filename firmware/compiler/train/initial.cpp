#include "compiler/train/initial.hpp"

#include <algorithm>
#include <cmath>

namespace kantrig::train {
namespace {

constexpr double kSplineNoise = 0.1;     // of the first coefficients, relative to the weights
constexpr double kLogitThreshold = 6.0;  // where the range of class scores ends before it is learned

double output_threshold(const Specification& specification, const Samples& samples) {
  if (specification.task == Task::kClasses) return kLogitThreshold;
  float largest = 1e-6F;
  for (const float target : samples.targets) largest = std::max(largest, std::abs(target));
  return static_cast<double>(largest);
}

learned::Layer initial_layer(const Specification& specification, std::size_t index, learned::Random& random) {
  const std::uint32_t inputs = specification.layers[index];
  learned::Layer layer =
      learned::make_layer(specification.kind_of(index), inputs, specification.layers[index + 1],
                          specification.grid, specification.base);
  const bool spline = layer.kind == learned::EdgeKind::kSpline;
  const double width = 1.0 / std::sqrt(static_cast<double>(inputs));
  const double weight_width = spline && layer.base == BaseFunction::kNone ? 0.0 : width;
  for (double& value : layer.coefficients) value = random.uniform(-width, width) * kSplineNoise;
  for (double& value : layer.weights) value = random.uniform(-weight_width, weight_width);
  if (spline) return layer;
  for (double& value : layer.biases) value = random.uniform(-width, width);
  return layer;
}

}  // namespace

learned::LearnedKan initial_kan(const Specification& specification, std::vector<learned::Input> inputs,
                                const Samples& samples, learned::Random& random) {
  learned::LearnedKan kan;
  kan.name = specification.name;
  kan.classes = specification.classes;
  kan.inputs = std::move(inputs);
  const std::size_t count = specification.layer_count();
  const double edge_of_grid = std::max(std::abs(specification.grid.low), std::abs(specification.grid.high));
  for (std::size_t l = 0; l < count; ++l) {
    learned::Layer layer = initial_layer(specification, l, random);
    const double threshold = l + 1 == count ? output_threshold(specification, samples) : edge_of_grid;
    for (std::uint32_t k = 0; specification.quantized && k < layer.nodes; ++k) {
      const std::uint32_t bits =
          specification.node_bits.empty() ? specification.bits[l + 1] : specification.node_bits[l][k];
      layer.quantizers.push_back({.bits = bits, .threshold = threshold});
    }
    layer.guard_bits = specification.guard_bits;
    layer.entry_range = specification.entries;
    kan.layers.push_back(std::move(layer));
  }
  return kan;
}

}  // namespace kantrig::train
