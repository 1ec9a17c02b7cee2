// train(): from a specification and data to a learned KAN.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "compiler/learned/learned_kan.hpp"
#include "compiler/train/dataset.hpp"
#include "compiler/train/objective.hpp"
#include "compiler/train/specification.hpp"

namespace kantrig::train {

struct EpochRecord {
  std::uint32_t epoch = 0;  // from 1
  double loss = 0.0;        // mean over the epoch's steps
  Score validation;
  std::uint32_t active_edges = 0;
  double luts = 0.0;  // estimated; 0 for a float model
  double learning_rate = 0.0;
};

struct Training {
  learned::LearnedKan kan;                // as after the chosen epoch
  Samples samples;                        // all rows learned from or validated on
  std::vector<std::uint32_t> learned;     // rows of `samples`, rising
  std::vector<std::uint32_t> validation;  // the others, rising
  std::vector<EpochRecord> epochs;
  std::uint32_t chosen_epoch = 0;
};

/// Called after every epoch.
using ProgressFn = std::function<void(const EpochRecord&)>;

struct TrainOptions {
  std::size_t threads = 1;  // the result does not depend on it
  ProgressFn progress{};
  /// To begin with instead of random parameters; sizes as specified. Its input stage is kept. Quantised first
  /// where the specification asks for it and it is not.
  std::optional<learned::LearnedKan> start{};
  std::vector<learned::LearnedKan> teachers{};  // whose mean class probabilities go into the targets
  std::string specification_digest{};           // of its text; part of what a state to resume must belong to
  /// Written after every `resume_seconds`; read first when it is there and of the same specification and
  /// data.
  std::filesystem::path resume{};
  double resume_seconds = 30.0;
};

/// Learns on the rows that the specification names, less the validation fraction (drawn by the seed), and
/// keeps the best epoch by validation rows among those after pruning ended and the LUT budget was met. The
/// same specification, data and options give the same result.
[[nodiscard]] Result<Training> train(const Specification& specification, const Dataset& data,
                                     const TrainOptions& options);

}  // namespace kantrig::train
