// Teachers: models whose class probabilities a smaller one learns from (distillation; Hinton et al., arXiv
// 1503.02531).
#pragma once

#include <span>

#include "base/result.hpp"
#include "compiler/learned/learned_kan.hpp"
#include "compiler/train/dataset.hpp"
#include "compiler/train/thread_team.hpp"

namespace kantrig::train {

/// Fills samples.targets with the mean of the teachers' class probabilities (of class 1 alone for models of
/// one output).
[[nodiscard]] Result<void> add_teachers(std::span<const learned::LearnedKan> teachers, const Dataset& data,
                                        ThreadTeam& team, Samples& samples);

/// Real outputs of `kan`, rows x outputs, for the first `rows` rows of `data`: integers times their scale
/// where it is quantised.
[[nodiscard]] Result<std::vector<float>> outputs_of(const learned::LearnedKan& kan, const Dataset& data,
                                                    std::size_t rows, ThreadTeam& team);

}  // namespace kantrig::train
