// Resources: what a compiled design takes, and what the published structure takes on the same tables in the
// same run of Yosys.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "compiler/hardware/design.hpp"
#include "kan/bundle.hpp"
#include "synth/area.hpp"
#include "synth/figures.hpp"
#include "synth/yosys.hpp"

namespace kantrig::synth {

struct ResourceOptions {
  Family family = Family::kUltraScalePlus;
  std::uint32_t baseline_operands = 4;  // arity of the baseline's adder trees; 0: no baseline
  std::filesystem::path keep;           // sources, script, log and netlists go there; empty: not kept
};

/// One synthesised module.
struct Synthesised {
  Figures figures;
  Area area;
};

struct Resources {
  Family family = Family::kUltraScalePlus;
  std::string tool;  // with its version
  Synthesised design;
  std::uint32_t baseline_operands = 0;
  std::optional<Synthesised> baseline;
};

/// What rtl/design.json says. Fails when the bundle has no design.
[[nodiscard]] Result<compiler::HardwareDesign> design_of(const kan::Bundle& bundle);

/// Runs Yosys. Fails when the netlist has another latency than design.json says.
[[nodiscard]] Result<Resources> measure_resources(const kan::Bundle& bundle,
                                                  const compiler::HardwareDesign& design,
                                                  const ResourceOptions& options);

}  // namespace kantrig::synth
