// The target `fixed`: a model's tables burnt in as logic, fully unrolled, one event a clock.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "compiler/hardware/compiled_design.hpp"
#include "kan/bundle.hpp"

namespace kantrig::compiler {

/// For area: the published number of cycles, as few LUTs and registers as found. For latency: as few cycles
/// as the levels allow. None: tables as they are, for comparison.
enum class Optimize : std::uint8_t { kNone, kArea, kLatency };

/// Device families: "xcup" (Xilinx UltraScale+, its LUTs and carry chains instantiated), "ice40" and
/// "generic" (plain SystemVerilog for any tool).
struct FixedOptions {
  std::string device = "xcup";
  std::uint32_t carry_bits_max = 12;  // columns of one carry chain
  std::uint32_t levels_max = 2;       // LUTs between two registers
  Optimize optimize = Optimize::kArea;
};

/// Compiles the bundle's model and proves the result equal to it on its golden vectors and on random events.
/// The error says which figure was exceeded and what to change.
[[nodiscard]] Result<CompiledDesign> compile_fixed(const kan::Bundle& bundle, const FixedOptions& options);

}  // namespace kantrig::compiler
