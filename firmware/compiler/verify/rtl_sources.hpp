// What kanc writes around a design to simulate it: a top for every unit, and the description for the harness.
#pragma once

#include <cstdint>
#include <string>

#include "compiler/hardware/design.hpp"

namespace kantrig::compiler {

/// kan_datapath and every layer.
[[nodiscard]] std::uint32_t unit_count(const HardwareDesign& design);
/// The module that is simulated as unit `unit`.
[[nodiscard]] const std::string& unit_module(const HardwareDesign& design, std::uint32_t unit);
/// Name of the generated top around it.
[[nodiscard]] std::string unit_top(std::uint32_t unit);
/// The generated top: one register behind codes_i, and for kan_datapath a check of kan_design_pkg.
[[nodiscard]] std::string unit_top_text(const HardwareDesign& design, std::uint32_t unit);
/// units.hpp of the harness.
[[nodiscard]] std::string units_header_text(const HardwareDesign& design);

}  // namespace kantrig::compiler
