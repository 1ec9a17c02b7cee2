// The CPU path: one batch through a model on the shard's own thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kan/evaluator.hpp"
#include "wire/messages.hpp"

namespace kantrig::backend {

/// What a batch carries, as it was received: rows of `encoding`, checked to agree with the model and the
/// count.
struct Payload {
  wire::Encoding encoding = wire::Encoding::kFloat32;
  std::span<const std::byte> rows;
  std::uint32_t event_count = 0;
};

/// Codes, outputs and classes of every event, left in `workspace`. Returns how many events are malformed.
/// Precondition: the payload has the model's features and fits the workspace; no FLOAT32 for a model that
/// takes codes only.
std::uint32_t evaluate_on_cpu(const kan::Evaluator& evaluator, const Payload& payload,
                              kan::Workspace& workspace, kan::ClampCounts clamped) noexcept;

}  // namespace kantrig::backend
