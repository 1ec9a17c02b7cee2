// The reference evaluator: the definition of the integer KAN in readable C++. Everything else is held to it
// bit for bit.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "kan/model.hpp"

namespace kantrig::kan {

/// The input stage for one value: two float32 roundings (no fused multiply-add), round half to even, clamp.
/// Infinities clamp; NaN has no code.
[[nodiscard]] std::optional<std::uint16_t> reference_code(const InputFeature& feature, float value);

/// The nodes of the last layer for one event. Precondition: model.input_count() codes, each below 2^bits.
[[nodiscard]] std::vector<std::int16_t> reference_nodes(const Model& model,
                                                        std::span<const std::uint16_t> codes);

/// The score of an event whose last layer gave `nodes`. Precondition: model.output_stage.
[[nodiscard]] std::int16_t reference_score(const Model& model, std::span<const std::uint16_t> codes,
                                           std::span<const std::int16_t> nodes);

/// All outputs of one event: the nodes, or the score alone of a model with an output stage. Precondition: as
/// for reference_nodes().
[[nodiscard]] std::vector<std::int16_t> reference_outputs(const Model& model,
                                                          std::span<const std::uint16_t> codes);

/// Largest output, lowest index on a tie; for one output 1 when it is above model.class_above(), else 0.
[[nodiscard]] std::uint8_t reference_class(const Model& model, std::span<const std::int16_t> outputs);

}  // namespace kantrig::kan
