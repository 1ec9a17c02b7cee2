// The rtl_sim backend: batches run through the simulation of the model's own SystemVerilog, a shared object
// that kanc simulate made and that is opened here. For trying out hardware before there is any: it is slow.
#pragma once

#include "backend/backend.hpp"
#include "kan/rtl_library.hpp"

namespace kantrig::backend {

/// Codes are quantised on the host, packed, streamed through kan_datapath one event a clock, and unpacked.
/// When an assertion of the design stops the simulation, the CPU decides that batch and all later ones, and
/// says so in the path.
class RtlSimModel final : public PreparedModel {
 public:
  /// `library`: the shared object, or a folder that holds it as <model digest>.so. Refused unless it was made
  /// from the very model of `bundle`.
  [[nodiscard]] static Result<std::shared_ptr<const PreparedModel>> create(
      const kan::Bundle& bundle, kan::Evaluator evaluator, const std::filesystem::path& library);

  [[nodiscard]] std::unique_ptr<Workspace> make_workspace(
      std::uint32_t events_max, std::optional<std::uint32_t> shard = std::nullopt) const override;
  [[nodiscard]] wire::Path path() const noexcept override { return wire::Path::kFpga; }
  [[nodiscard]] std::string_view backend() const noexcept override { return "rtl_sim"; }

 private:
  RtlSimModel(kan::Evaluator evaluator, std::shared_ptr<const kan::RtlLibrary> library)
      : PreparedModel(std::move(evaluator)), library_(std::move(library)) {}
  std::shared_ptr<const kan::RtlLibrary> library_;
};

}  // namespace kantrig::backend
