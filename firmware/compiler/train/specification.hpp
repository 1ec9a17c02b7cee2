// Specification: what `kanc train` is asked to learn, as a TOML file says it. Every key is described in
// README.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "compiler/learned/learned_kan.hpp"
#include "compiler/train/loss.hpp"
#include "compiler/train/parameters.hpp"
#include "kan/bundle.hpp"

namespace kantrig::train {

using learned::BaseFunction;
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

/// What the model is asked for.
enum class Task : std::uint8_t {
  kClasses,      // cross-entropy, or the logistic loss with one output
  kRegression,   // mean square against named targets
  kAutoencoder,  // mean square against the model's own inputs
};

enum class Schedule : std::uint8_t { kExponential, kCosine };
enum class Optimizer : std::uint8_t { kAdamW, kLbfgs };
/// What tells the better of two epochs, on validation rows; the other one on a tie.
enum class ChooseBy : std::uint8_t { kAccuracy, kLoss };

struct TrainingPlan {
  std::uint64_t rows = 0;  // learn from the first so many rows; 0: from all
  std::uint32_t epochs = 100;
  std::uint32_t batch_size = 512;
  Optimizer optimizer = Optimizer::kAdamW;
  double learning_rate = 1e-3;
  Schedule schedule = Schedule::kExponential;
  double learning_rate_decay =
      1.0;  // exponential: factor per epoch; cosine: the last epoch's part of the rate
  double weight_decay = 1e-4;
  double validation_fraction = 0.1;
  ChooseBy choose_by = ChooseBy::kAccuracy;
  std::uint32_t patience = 0;  // stop after so many epochs without a better one; 0: never
  double average = 0.0;   // of the parameters, by this factor a step (0: none); the average is what is kept
  bool balanced = false;  // class weights by inverse frequency
  std::vector<double> class_weights;  // empty: 1 each
  double teacher_share = 0.5;         // of a teacher's outputs in the targets, when there is a teacher
  std::uint64_t seed = 1;
};

/// Which edges are taken out.
enum class PruningRule : std::uint8_t {
  kSpread,  // entries vary less than the threshold: r.m.s. over the training rows, in codes of the output
  kNorm,    // as published for KANELE: l2 norm of the spline part over all codes, in real units
};

/// The threshold rises from 0 at start_epoch to its full value at end_epoch.
struct PruningPlan {
  PruningRule rule = PruningRule::kSpread;
  double threshold = 0.0;
  std::uint32_t start_epoch = 5;
  std::uint32_t end_epoch = 12;
};

/// Training for a number of LUTs: edges are charged for the LUTs that they take, and then widths are searched
/// until the estimate of the compiler lies within the budget.
struct AreaPlan {
  double lut_budget = 0.0;  // 0: none
  double charge = 1.0;      // how strong the charge is made at the start, relative to what the budget asks
  std::uint32_t start_epoch = 20;
  std::uint32_t end_epoch = 80;  // from here on the model fits
};

/// How an autoencoder's score is measured, and from where an event counts as an anomaly.
struct ScorePlan {
  kan::DistanceMeasure measure = kan::DistanceMeasure::kAbsolute;
  double threshold_percent = 99.0;  // of the scores of the training rows lie at or below the limit
};

struct Specification {
  std::string name;
  std::string version;
  std::string description;
  std::string license;
  std::vector<kan::Feature> features;
  std::vector<std::string> classes;
  std::vector<std::string> targets;  // of a regression
  Task task = Task::kClasses;
  std::vector<std::uint32_t> layers;                  // inputs, nodes of each layer
  std::vector<std::uint32_t> bits;                    // of the inputs, and of each layer's outputs
  std::vector<std::uint32_t> feature_bits;            // of single features; 0 or beyond the end: bits[0]
  std::vector<std::vector<std::uint32_t>> node_bits;  // of single nodes by layer; empty: bits[layer + 1]
  std::vector<learned::EdgeKind> kinds;               // of each layer; empty: splines
  bool quantized = true;
  ThresholdSharing thresholds = ThresholdSharing::kLayer;
  learned::EntryRange entries = learned::EntryRange::kWide;
  std::uint32_t guard_bits = 0;
  SplineGrid grid;
  BaseFunction base = BaseFunction::kSilu;
  InputRange input;
  TrainingPlan training;
  PruningPlan pruning;
  AreaPlan area;
  ScorePlan score;  // of an autoencoder

  [[nodiscard]] std::size_t layer_count() const noexcept { return layers.size() - 1; }
  [[nodiscard]] std::uint32_t bits_of_feature(std::size_t feature) const noexcept {
    return feature < feature_bits.size() && feature_bits[feature] > 0 ? feature_bits[feature] : bits.front();
  }
  [[nodiscard]] learned::EdgeKind kind_of(std::size_t layer) const noexcept {
    return layer < kinds.size() ? kinds[layer] : learned::EdgeKind::kSpline;
  }
  [[nodiscard]] LossKind loss_kind() const noexcept {
    if (task != Task::kClasses) return LossKind::kMeanSquare;
    return layers.back() == 1 ? LossKind::kBinary : LossKind::kCrossEntropy;
  }
};

/// Reads `text`. Unknown keys, wrong types, values out of bounds and sizes that disagree are refused; the
/// error names the key and what was expected. `origin` names the text in errors.
[[nodiscard]] Result<Specification> parse_specification(std::string_view text, std::string_view origin);

}  // namespace kantrig::train
