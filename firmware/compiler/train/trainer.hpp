// train(): from a specification and data to a learned, quantised KAN.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/result.hpp"
#include "compiler/train/dataset.hpp"
#include "compiler/train/specification.hpp"
#include "compiler/train/spline_kan.hpp"

namespace kantrig::train {

struct EpochRecord {
  std::uint32_t epoch = 0;  // from 1
  double loss = 0.0;        // mean over the epoch's steps
  Score validation;
  std::uint32_t active_edges = 0;
};

struct Training {
  SplineKan kan;  // as after the chosen epoch
  std::vector<kan::InputFeature> inputs;
  CodedEvents events;                     // all rows learned from or validated on
  std::vector<std::uint32_t> learned;     // rows of `events`, rising
  std::vector<std::uint32_t> validation;  // the others, rising
  std::vector<EpochRecord> epochs;
  std::uint32_t chosen_epoch = 0;
};

/// Called after every epoch.
using ProgressFn = std::function<void(const EpochRecord&)>;

/// Learns on the rows that the specification names, less the validation fraction (drawn by the seed), and
/// keeps the epoch with the best validation accuracy among those after pruning ended; the smaller loss on a
/// tie. One thread; the same specification and data give the same result.
[[nodiscard]] Result<Training> train(const Specification& specification, const Dataset& data,
                                     const ProgressFn& progress);

}  // namespace kantrig::train
