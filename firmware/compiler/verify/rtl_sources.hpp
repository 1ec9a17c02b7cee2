// What kanc writes around a design to simulate it: a top for every unit, and the description for the harness.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "compiler/hardware/design.hpp"
#include "compiler/hardware/overlay_tables.hpp"

namespace kantrig::compiler {

/// ModelDigest of kan_design_pkg, in hex: of the model, or of an overlay's shape, whose hardware is of no
/// model.
[[nodiscard]] std::string hardware_digest(const HardwareDesign& design);

/// kan_datapath and every layer.
[[nodiscard]] std::uint32_t unit_count(const HardwareDesign& design);
/// The module that is simulated as unit `unit`.
[[nodiscard]] const std::string& unit_module(const HardwareDesign& design, std::uint32_t unit);
/// Name of the generated top around it.
[[nodiscard]] std::string unit_top(std::uint32_t unit);
/// The generated top: one register behind codes_i, and behind an overlay's bank and table words; for
/// kan_datapath also a check of kan_design_pkg.
[[nodiscard]] std::string unit_top_text(const HardwareDesign& design, std::uint32_t unit);
/// units.hpp of the harness. `words` load an overlay's bank 0 with the model.
[[nodiscard]] std::string units_header_text(const HardwareDesign& design, std::span<const TableWord> words);

}  // namespace kantrig::compiler
