// initial_kan(): where a training begins.
#pragma once

#include "compiler/learned/learned_kan.hpp"
#include "compiler/learned/random.hpp"
#include "compiler/train/engine.hpp"
#include "compiler/train/specification.hpp"

namespace kantrig::train {

/// Small random coefficients and weights; quantisers over the grid between layers, over logits or targets
/// behind the last.
[[nodiscard]] learned::LearnedKan initial_kan(const Specification& specification,
                                              std::vector<learned::Input> inputs, const Samples& samples,
                                              learned::Random& random);

}  // namespace kantrig::train
