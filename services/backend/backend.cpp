#include "backend/backend.hpp"

#include <vector>

#include "backend/card/card_model.hpp"
#include "backend/cpu/cpu_model.hpp"
#include "backend/rtl_sim/rtl_sim_model.hpp"
#include "base/assert.hpp"

namespace kantrig::backend {

std::uint32_t load_codes(const kan::Evaluator& evaluator, const Payload& payload, kan::Workspace& workspace,
                         kan::ClampCounts clamped) noexcept {
  switch (payload.encoding) {
    case wire::Encoding::kFloat32:
      return evaluator.load_float32(payload.rows, payload.event_count, workspace, clamped);
    case wire::Encoding::kCode8:
      return evaluator.load_code8(payload.rows, payload.event_count, workspace);
    case wire::Encoding::kCode16:
      return evaluator.load_code16(payload.rows, payload.event_count, workspace);
    case wire::Encoding::kUnspecified:
      break;
  }
  KANTRIG_ASSERT(payload.encoding != wire::Encoding::kUnspecified);  // the decoder lets none through
  return 0;
}

Result<std::shared_ptr<const PreparedModel>> prepare(const kan::Bundle& bundle, const Options& options) {
  auto evaluator = kan::Evaluator::create(bundle.model, options.kernel_set);
  if (!evaluator) return tl::unexpected(evaluator.error());
  if (options.kind == Kind::kCpu) return std::make_shared<const CpuModel>(std::move(*evaluator));
  if (options.kind == Kind::kCard)
    return std::make_shared<const CardModel>(std::move(*evaluator), options.seats, bundle.golden);
  return RtlSimModel::create(bundle, std::move(*evaluator), options.rtl_sim_library);
}

Result<void> replay_golden(const kan::Bundle& bundle, const PreparedModel& model) {
  const auto workspace = model.make_workspace(kan::kGoldenBatchEvents);
  std::vector<const std::int16_t*> outputs;
  for (std::uint32_t k = 0; k < bundle.model.output_count(); ++k) outputs.push_back(workspace->outputs(k));
  bool fell_back = false;
  const auto run = [&](std::span<const std::uint16_t> codes, std::uint32_t events) {
    const Payload payload{wire::Encoding::kCode16, std::as_bytes(codes), events};
    const std::uint32_t malformed = workspace->evaluate(payload, {});
    fell_back = fell_back || workspace->path() != model.path();
    return kan::BatchResults{outputs, workspace->classes(), malformed};
  };
  const std::string what = fmt::format("backend {}", model.backend());
  if (auto ok = kan::replay_golden(bundle, what, run); !ok) return ok;
  if (!fell_back) return {};
  return fail(ErrorCode::kCorrupt, "bundle {}: golden vectors: {} failed and left them to the CPU",
              bundle.full_name(), what);
}

}  // namespace kantrig::backend
