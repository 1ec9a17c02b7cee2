// The CPU path: a batch on the shard's own thread, through kan::Evaluator.
#pragma once

#include "backend/backend.hpp"

namespace kantrig::backend {

class CpuModel final : public PreparedModel {
 public:
  using PreparedModel::PreparedModel;
  [[nodiscard]] std::unique_ptr<Workspace> make_workspace(
      std::uint32_t events_max, std::optional<std::uint32_t> shard = std::nullopt) const override;
  [[nodiscard]] wire::Path path() const noexcept override { return wire::Path::kCpu; }
  [[nodiscard]] std::string_view backend() const noexcept override { return "cpu"; }
};

}  // namespace kantrig::backend
