// tune_shared(): goes on training a KAN whose edges share shapes: factors, shapes, biases and ranges by the
// loss.
#pragma once

#include <cstdint>
#include <span>

#include "base/result.hpp"
#include "compiler/explore/codebook.hpp"
#include "compiler/train/loss.hpp"
#include "compiler/train/objective.hpp"
#include "compiler/train/specification.hpp"
#include "compiler/train/thread_team.hpp"

namespace kantrig::explore {

/// What is learned from, and how long. AdamW; the rate falls along a cosine to nothing.
struct SharedTraining {
  const train::Samples& samples;
  std::span<const std::uint32_t> learned;     // rows
  std::span<const std::uint32_t> validation;  // rows that choose the epoch
  train::Loss loss;
  train::ThresholdSharing thresholds = train::ThresholdSharing::kLayer;
  std::uint32_t epochs = 10;
  std::uint32_t batch_size = 512;
  double learning_rate = 1e-3;
  std::uint64_t seed = 1;
};

struct SharedModel {
  learned::LearnedKan kan;  // as after the best epoch
  Codebook codebook;
  train::Score refitted;  // on validation rows, before training
  train::Score tuned;     // after the best epoch, which may be none
};

/// `kan` has its edges from `codebook` (EdgeCurves::apply). The result does not depend on the number of
/// threads.
[[nodiscard]] Result<SharedModel> tune_shared(const learned::LearnedKan& kan, const Codebook& codebook,
                                              const SharedTraining& training, train::ThreadTeam& team);

}  // namespace kantrig::explore
