#include "backend/cpu/cpu_path.hpp"

#include "base/assert.hpp"

namespace kantrig::backend {

std::uint32_t evaluate_on_cpu(const kan::Evaluator& evaluator, const Payload& payload,
                              kan::Workspace& workspace, kan::ClampCounts clamped) noexcept {
  std::uint32_t malformed = 0;
  switch (payload.encoding) {
    case wire::Encoding::kFloat32:
      malformed = evaluator.load_float32(payload.rows, payload.event_count, workspace, clamped);
      break;
    case wire::Encoding::kCode8:
      malformed = evaluator.load_code8(payload.rows, payload.event_count, workspace);
      break;
    case wire::Encoding::kCode16:
      malformed = evaluator.load_code16(payload.rows, payload.event_count, workspace);
      break;
    case wire::Encoding::kUnspecified:
      KANTRIG_ASSERT(payload.encoding != wire::Encoding::kUnspecified);  // the decoder lets none through
      break;
  }
  evaluator.evaluate(workspace);
  return malformed;
}

}  // namespace kantrig::backend
