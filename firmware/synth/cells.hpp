// What the cells of a device family are to a count of area and a walk along its paths.
#pragma once

#include <cstdint>
#include <string_view>

namespace kantrig::synth {

enum class CellKind : std::uint8_t {
  kLut,            // one lookup table
  kInverter,       // vanishes into the cell that it feeds or is fed by
  kWideMux7,       // F7: joins two LUTs, belongs to them
  kWideMux8,       // F8: joins two F7
  kCarry,          // 1, 4 or 8 positions of a carry chain
  kRegister,       // one bit
  kShiftRegister,  // several registers in one LUT
  kMemory,         // LUTs as memory: read without a clock
  kConstant,       // drives 0 or 1
  kBuffer,         // of a clock or a pad
  kOther,          // anything else: named in the report
};

struct CellType {
  CellKind kind = CellKind::kOther;
  std::uint32_t luts = 0;       // lookup tables that it takes
  std::uint32_t positions = 0;  // kCarry: positions of a chain
  bool dual_output = false;     // kLut: gives two functions
};

/// By the name of the cell, of Xilinx UltraScale+ or iCE40.
[[nodiscard]] CellType cell_type(std::string_view name) noexcept;

}  // namespace kantrig::synth
