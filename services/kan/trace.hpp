// trace(): an evaluation with everything that happens inside, for those who explain a decision or draw a
// model.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kan/model.hpp"

namespace kantrig::kan {

/// Bias and entries of one node, before shift and clamp.
[[nodiscard]] std::int32_t node_sum(const Layer& layer, const Node& node,
                                    std::span<const std::uint32_t> codes);

/// What the node gives for a sum: shifted, rounded half up, clamped.
[[nodiscard]] std::int16_t node_output(const Node& node, std::int32_t sum);

/// One event in one layer.
struct LayerTrace {
  std::vector<std::uint32_t> codes;   // that enter
  std::vector<std::int32_t> sums;     // of each node
  std::vector<std::int16_t> outputs;  // of each node
};

/// Every layer of one event; the last one's outputs are the model's nodes. Precondition: model.input_count()
/// codes, each below 2^bits.
[[nodiscard]] std::vector<LayerTrace> trace(const Model& model, std::span<const std::uint16_t> codes);

}  // namespace kantrig::kan
