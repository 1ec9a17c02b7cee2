// The output stage of an autoencoder: its bounds, and how a trained model gets one. Definition: README.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "kan/model.hpp"

namespace kantrig::kan {

/// The part of check() that is about model.output_stage. Preconditions: there is one, the layers are right.
[[nodiscard]] Result<void> check_output_stage(const Model& model);

/// The part of check() that is about inputs and layers. A last layer may have kNodesMax nodes with an output
/// stage, and while it has none yet.
[[nodiscard]] Result<void> check_layers(const Model& model);

/// Largest sum over the nodes that any codes can give. Precondition: check_output_stage(model).
[[nodiscard]] std::int32_t distance_sum_max(const Model& model);

/// What a distance is to be measured in, and between.
struct DistanceSpec {
  DistanceMeasure measure = DistanceMeasure::kAbsolute;
  std::vector<std::uint32_t> inputs;  // of each node: the feature that it reconstructs; empty: its own number
  std::vector<std::vector<double>> code_values;  // of each feature: the real value of each of its codes
  double class_above = 0.0;                      // real score above which an event is of class 1
  std::optional<std::uint32_t> shift;            // none: the least that keeps every score below the limit
};

/// Puts an output stage behind a trained model whose outputs are reconstructions: `model.output_scales` say
/// what one code of each output is worth, in the units of `code_values`, and must be equal. A target is the
/// nearest code of the output, halves away from zero, clamped to what the node can give. The score's scale
/// becomes such that the real score is the sum of the distances (squared: of their squares) in those units.
/// The model passes check().
[[nodiscard]] Result<Model> with_distance_stage(Model model, const DistanceSpec& spec);

}  // namespace kantrig::kan
