// The anomaly score of a learned autoencoder: the distance stage behind its tables, and from where an event
// counts as an anomaly.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "compiler/learned/learned_kan.hpp"
#include "compiler/train/engine.hpp"
#include "compiler/train/specification.hpp"
#include "kan/model.hpp"

namespace kantrig::train {

/// A model that ends in a score, and that score of every row of the samples.
struct ScoredModel {
  kan::Model model;
  std::vector<std::int16_t> scores;
};

/// Puts the score behind `nodes_model`, the tables of `kan`. `nodes` is what its last layer gives for every
/// row of `samples`. Class 1 begins above the percentile of the scores of `rows` that `plan` names; scores
/// saturate no earlier than at 16 times the largest of them. Fails when outputs are not inputs again.
[[nodiscard]] Result<ScoredModel> with_anomaly_score(const kan::Model& nodes_model,
                                                     const learned::LearnedKan& kan, const ScorePlan& plan,
                                                     const Samples& samples,
                                                     std::span<const std::int16_t> nodes,
                                                     std::span<const std::uint32_t> rows);

}  // namespace kantrig::train
