#include "compiler/train/parameters.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "compiler/learned/elementary.hpp"

namespace kantrig::train {

ParameterMap::ParameterMap(const learned::LearnedKan& kan, ThresholdSharing sharing) {
  for (std::size_t l = 0; l < kan.layers.size(); ++l) {
    const learned::Layer& layer = kan.layers[l];
    LayerParameters part;
    part.coefficients = size_;
    part.weights = part.coefficients + layer.coefficients.size();
    part.biases = part.weights + layer.weights.size();
    part.thresholds = part.biases + layer.biases.size();
    if (!layer.quantizers.empty()) {
      const bool shared = sharing == ThresholdSharing::kLayer || l + 1 == kan.layers.size();
      part.threshold_count = shared ? 1 : layer.nodes;
    }
    size_ = part.thresholds + part.threshold_count;
    layers_.push_back(part);
  }
}

std::vector<double> ParameterMap::pack(const learned::LearnedKan& kan) const {
  std::vector<double> parameters;
  parameters.reserve(size_);
  for (std::size_t l = 0; l < kan.layers.size(); ++l) {
    const learned::Layer& layer = kan.layers[l];
    for (const auto* part : {&layer.coefficients, &layer.weights, &layer.biases})
      parameters.insert(parameters.end(), part->begin(), part->end());
    for (std::size_t k = 0; k < layers_[l].threshold_count; ++k)
      parameters.push_back(learned::logarithm(layer.quantizers[k].threshold));
  }
  KANTRIG_ASSERT(parameters.size() == size_);
  return parameters;
}

void ParameterMap::unpack(std::span<const double> parameters, learned::LearnedKan& kan) const {
  KANTRIG_ASSERT(parameters.size() == size_);
  for (std::size_t l = 0; l < kan.layers.size(); ++l) {
    learned::Layer& layer = kan.layers[l];
    const LayerParameters& part = layers_[l];
    const auto take = [&](std::size_t first, std::vector<double>& to) {
      std::copy_n(parameters.begin() + static_cast<std::ptrdiff_t>(first), to.size(), to.begin());
    };
    take(part.coefficients, layer.coefficients);
    take(part.weights, layer.weights);
    take(part.biases, layer.biases);
    for (std::size_t k = 0; k < layer.quantizers.size(); ++k) {
      const std::size_t index = part.thresholds + (part.threshold_count == 1 ? 0 : k);
      layer.quantizers[k].threshold = learned::exponential(parameters[index]);
    }
  }
}

std::vector<double> ParameterMap::decayed(const learned::LearnedKan& kan) const {
  std::vector<double> mask(size_, 0.0);
  for (std::size_t l = 0; l < kan.layers.size(); ++l) {
    std::fill(mask.begin() + static_cast<std::ptrdiff_t>(layers_[l].coefficients),
              mask.begin() + static_cast<std::ptrdiff_t>(layers_[l].biases), 1.0);
  }
  return mask;
}

}  // namespace kantrig::train
