// extract(): the learned KAN as the integer model that every evaluator runs. Nothing is rounded here: the
// tables are the ones that the last steps of the training ran on.
#pragma once

#include <vector>

#include "compiler/train/spline_kan.hpp"
#include "kan/model.hpp"

namespace kantrig::train {

/// Pruned edges have no table; a table of one value goes into its node's bias. Precondition: `kan` is
/// rebuilt.
[[nodiscard]] kan::Model extract(const SplineKan& kan, const std::vector<kan::InputFeature>& inputs);

}  // namespace kantrig::train
