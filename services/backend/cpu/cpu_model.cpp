#include "backend/cpu/cpu_model.hpp"

namespace kantrig::backend {
namespace {

class CpuWorkspace final : public Workspace {
 public:
  CpuWorkspace(const kan::Evaluator& evaluator, std::uint32_t events_max)
      : evaluator_(evaluator), space_(evaluator, events_max) {}

  std::uint32_t evaluate(const Payload& payload, kan::ClampCounts clamped) noexcept override {
    const std::uint32_t malformed = load_codes(evaluator_, payload, space_, clamped);
    evaluator_.evaluate(space_);
    return malformed;
  }
  [[nodiscard]] const std::int16_t* outputs(std::uint32_t k) const noexcept override {
    return space_.outputs(k);
  }
  [[nodiscard]] const std::uint8_t* classes() const noexcept override { return space_.classes(); }
  [[nodiscard]] std::span<const std::uint64_t> malformed() const noexcept override {
    return space_.malformed();
  }
  [[nodiscard]] wire::Path path() const noexcept override { return wire::Path::kCpu; }

 private:
  const kan::Evaluator& evaluator_;
  kan::Workspace space_;
};

}  // namespace

std::unique_ptr<Workspace> CpuModel::make_workspace(std::uint32_t events_max,
                                                    std::optional<std::uint32_t> /*shard*/) const {
  return std::make_unique<CpuWorkspace>(evaluator(), events_max);
}

}  // namespace kantrig::backend
