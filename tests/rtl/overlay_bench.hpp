// A compiled overlay under Verilator, driven clock by clock.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "compiler/hardware/compiled_design.hpp"
#include "compiler/hardware/overlay_tables.hpp"
#include "support/command.hpp"
#include "support/temporary_folder.hpp"

namespace kantrig::test {

/// `command` with stdout and stderr together.
[[nodiscard]] CommandOutcome run_tool(const std::string& command);

/// Writes all files of a design into `folder`.
void write_design(const compiler::CompiledDesign& design, const std::filesystem::path& folder);
/// Its files in compile order, each with its path, joined by spaces.
[[nodiscard]] std::string file_list(const compiler::CompiledDesign& design,
                                    const std::filesystem::path& folder);

/// What stands at the ports in one clock.
struct Clock {
  std::uint32_t bank = 0;
  bool table_valid = false;
  compiler::TableWord word;
  std::vector<std::uint32_t> codes;  // one for each input of the overlay
};

class OverlayBench {
 public:
  /// Verilates and builds; the error is what the tools said.
  [[nodiscard]] static Result<std::unique_ptr<OverlayBench>> build(const compiler::CompiledDesign& design);

  /// From power-up, registers and memories random by `seed`: the scores at the output in each clock.
  [[nodiscard]] Result<std::vector<std::vector<std::int16_t>>> run(std::span<const Clock> clocks,
                                                                   int seed) const;

 private:
  explicit OverlayBench(compiler::HardwareDesign design) : design_(std::move(design)) {}
  compiler::HardwareDesign design_;
  TemporaryFolder folder_;
};

}  // namespace kantrig::test
