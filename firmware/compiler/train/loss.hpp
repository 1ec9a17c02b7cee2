// What a model is trained to make small, and its gradient.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compiler/train/engine.hpp"

namespace kantrig::train {

enum class LossKind : std::uint8_t {
  kCrossEntropy,  // of the softmax of the outputs; with targets, against that distribution
  kBinary,        // logistic loss of one output, positive for class 1
  kMeanSquare,    // over all outputs, against targets
};

struct Loss {
  LossKind kind = LossKind::kCrossEntropy;
  std::vector<double> class_weights;  // empty: all 1
  /// Of a teacher's distribution (Samples::targets) in a cross-entropy: target = (1 - share) x label + share
  /// x teacher (Hinton et al., arXiv 1503.02531).
  double teacher_share = 0.0;
};

/// Sums over events, so that they add up chunk by chunk.
struct LossSums {
  double loss = 0.0;
  double correct = 0.0;  // events whose class is right; 0 without classes
  double events = 0.0;
};

/// Loss of the events `rows` from their real outputs ([row][node], `width` apart). With `gradient` (same
/// shape; may be the same memory as nothing else) also its gradient by the outputs, times `weight`.
[[nodiscard]] LossSums evaluate_loss(const Loss& loss, const Samples& samples,
                                     std::span<const std::uint32_t> rows, std::span<const float> outputs,
                                     std::size_t width, float weight, std::span<float> gradient);

}  // namespace kantrig::train
