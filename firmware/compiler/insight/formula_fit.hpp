// fit_function(): the closed formula c f(a x + b) + d nearest to samples of an edge, for one function f.
#pragma once

#include <optional>
#include <vector>

#include "compiler/learned/formula.hpp"

namespace kantrig::insight {

/// Where an edge was looked at. Weights are not negative; one at least is positive, and x is not all the
/// same.
struct Samples {
  std::vector<double> x;
  std::vector<double> y;
  std::vector<double> weights;
};

struct FunctionFit {
  learned::Formula formula;
  double r2 = 0.0;          // weighted: 1 - sum of squared residuals / sum of squared deviations
  std::uint32_t inner = 0;  // how many of a and b were fitted: 0..2
};

/// Nothing where the function cannot be put through the samples' range without a pole, or gains nothing.
/// Sine and cosine are one family: the one of the smaller phase is found, the other gives nothing.
[[nodiscard]] std::optional<FunctionFit> fit_function(learned::Function function, const Samples& samples);

}  // namespace kantrig::insight
