#include "synth/cells.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace kantrig::synth {
namespace {

using enum CellKind;

// Xilinx: UG574 (UltraScale CLB), UG974 (UltraScale libraries). iCE40: the iCE technology library.
constexpr std::array kTypes = std::to_array<std::pair<std::string_view, CellType>>({
    {"LUT1", {.kind = kLut, .luts = 1}},
    {"LUT2", {.kind = kLut, .luts = 1}},
    {"LUT3", {.kind = kLut, .luts = 1}},
    {"LUT4", {.kind = kLut, .luts = 1}},
    {"LUT5", {.kind = kLut, .luts = 1}},
    {"LUT6", {.kind = kLut, .luts = 1}},
    {"LUT6_2", {.kind = kLut, .luts = 1, .dual_output = true}},
    {"SB_LUT4", {.kind = kLut, .luts = 1}},
    {"INV", {.kind = kInverter}},
    {"MUXF7", {.kind = kWideMux7}},
    {"MUXF8", {.kind = kWideMux8}},
    {"CARRY4", {.kind = kCarry, .positions = 4}},
    {"CARRY8", {.kind = kCarry, .positions = 8}},
    {"SB_CARRY", {.kind = kCarry, .positions = 1}},
    {"FDRE", {.kind = kRegister}},
    {"FDSE", {.kind = kRegister}},
    {"FDCE", {.kind = kRegister}},
    {"FDPE", {.kind = kRegister}},
    {"SRL16E", {.kind = kShiftRegister, .luts = 1}},
    {"SRLC32E", {.kind = kShiftRegister, .luts = 1}},
    {"RAM32X1S", {.kind = kMemory, .luts = 1}},
    {"RAM64X1S", {.kind = kMemory, .luts = 1}},
    {"RAM32X1D", {.kind = kMemory, .luts = 2}},
    {"RAM64X1D", {.kind = kMemory, .luts = 2}},
    {"RAM128X1S", {.kind = kMemory, .luts = 2}},
    {"RAM128X1D", {.kind = kMemory, .luts = 4}},
    {"RAM256X1S", {.kind = kMemory, .luts = 4}},
    {"RAM256X1D", {.kind = kMemory, .luts = 8}},
    {"RAM32M", {.kind = kMemory, .luts = 4}},
    {"RAM64M", {.kind = kMemory, .luts = 4}},
    {"RAM32M16", {.kind = kMemory, .luts = 8}},
    {"RAM64M8", {.kind = kMemory, .luts = 8}},
    {"GND", {.kind = kConstant}},
    {"VCC", {.kind = kConstant}},
    {"BUFG", {.kind = kBuffer}},
    {"IBUF", {.kind = kBuffer}},
    {"OBUF", {.kind = kBuffer}},
    {"SB_GB", {.kind = kBuffer}},
});

}  // namespace

CellType cell_type(std::string_view name) noexcept {
  if (name.starts_with("SB_DFF")) return {.kind = kRegister};
  const auto found = std::ranges::find(kTypes, name, &std::pair<std::string_view, CellType>::first);
  return found == kTypes.end() ? CellType{} : found->second;
}

}  // namespace kantrig::synth
