// Specification: what `kanc train` is asked to learn, as a TOML file says it. Every key is described in
// README.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "compiler/learned/elementary.hpp"
#include "compiler/learned/spline.hpp"
#include "kan/bundle.hpp"

namespace kantrig::train {

using learned::BaseFunction;
using learned::kGridSizeMax;
using learned::kSplineOrderMax;
using learned::SplineGrid;

/// How a feature's range is found in the training rows. Values outside it clamp to the first or last code.
enum class RangeRule : std::uint8_t {
  kPercentile,   // from one quantile to another
  kDeviations,   // mean minus to mean plus so many standard deviations
  kInformation,  // the pair of quantiles whose codes tell most about the class
};

struct InputRange {
  RangeRule rule = RangeRule::kPercentile;
  double low_percent = 0.5;
  double high_percent = 99.5;
  double deviations = 3.0;
};

struct TrainingPlan {
  std::uint64_t rows = 0;  // learn from the first so many rows; 0: from all
  std::uint32_t epochs = 100;
  std::uint32_t batch_size = 512;
  double learning_rate = 1e-3;
  double learning_rate_decay = 1.0;  // factor per epoch
  double weight_decay = 1e-4;
  double validation_fraction = 0.1;
  std::uint64_t seed = 1;
};

/// Edges whose table varies less than the threshold (r.m.s. over the training rows, in codes of the layer's
/// output) are taken out; the threshold rises from 0 at start_epoch to its full value at end_epoch.
struct PruningPlan {
  double threshold_codes = 0.0;
  std::uint32_t start_epoch = 5;
  std::uint32_t end_epoch = 12;
};

struct Specification {
  std::string name;
  std::string version;
  std::string description;
  std::string license;
  std::vector<kan::Feature> features;
  std::vector<std::string> classes;
  std::vector<std::uint32_t> layers;  // inputs, nodes of each layer
  std::vector<std::uint32_t> bits;    // of the inputs, and of each layer's outputs
  SplineGrid grid;
  BaseFunction base = BaseFunction::kSilu;
  InputRange input;
  TrainingPlan training;
  PruningPlan pruning;

  [[nodiscard]] std::size_t layer_count() const noexcept { return layers.size() - 1; }
};

/// Reads `text`. Unknown keys, wrong types, values out of bounds and sizes that disagree are refused; the
/// error names the key and what was expected. `origin` names the text in errors.
[[nodiscard]] Result<Specification> parse_specification(std::string_view text, std::string_view origin);

}  // namespace kantrig::train
