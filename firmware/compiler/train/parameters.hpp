// ParameterMap: where the parameters of a LearnedKan lie in the flat vector that optimisers see.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "compiler/learned/learned_kan.hpp"

namespace kantrig::train {

/// First indices of one layer's parameters; each part as LearnedKan has it.
struct LayerParameters {
  std::size_t coefficients = 0;
  std::size_t weights = 0;
  std::size_t biases = 0;
  std::size_t thresholds = 0;       // logarithms
  std::size_t threshold_count = 0;  // 0: not quantised, 1: one for the layer, or one for each node
};

enum class ThresholdSharing : std::uint8_t { kLayer, kNode };

/// Immutable; the layer that gives the outputs always has one threshold, so that its integers compare.
class ParameterMap {
 public:
  ParameterMap(const learned::LearnedKan& kan, ThresholdSharing sharing);

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] const LayerParameters& layer(std::size_t index) const noexcept { return layers_[index]; }
  [[nodiscard]] std::vector<double> pack(const learned::LearnedKan& kan) const;
  void unpack(std::span<const double> parameters, learned::LearnedKan& kan) const;
  /// 1 for those that weight decay shrinks: coefficients and weights.
  [[nodiscard]] std::vector<double> decayed(const learned::LearnedKan& kan) const;

 private:
  std::vector<LayerParameters> layers_;
  std::size_t size_ = 0;
};

}  // namespace kantrig::train
