#include "synth/lut_inputs.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace kantrig::synth {
namespace {

constexpr std::size_t kInputsMax = 6;

/// The table, bit 0 lowest, from digits as Yosys writes them: the highest first. x counts as 0.
std::optional<std::uint64_t> truth_table(const Cell& cell) {
  for (const char* const name : {"INIT", "LUT_INIT"}) {
    const auto found = cell.parameters.find(name);
    if (found == cell.parameters.end() || found->second.size() > 64) continue;
    std::uint64_t table = 0;
    for (const char digit : found->second) table = table << 1U | (digit == '1' ? 1U : 0U);
    return table;
  }
  return std::nullopt;
}

}  // namespace

std::vector<Net> lut_inputs(const Cell& cell, const Pin& output) {
  std::array<Net, kInputsMax> nets{};  // of I0, I1, ...; a missing one is 0
  std::vector<Net> all;
  for (const Pin& pin : cell.pins) {
    if (pin.output || pin.nets.empty()) continue;
    all.push_back(pin.nets[0]);
    const auto number = static_cast<std::size_t>(pin.name.back() - '0');
    if (pin.name.front() == 'I' && number < kInputsMax) nets[number] = pin.nets[0];
  }
  const auto table = truth_table(cell);
  if (!table) return all;
  std::uint32_t fixed = 0;  // inputs that are constant
  std::uint32_t ones = 0;   // of these, those that are 1
  for (std::uint32_t i = 0; i < kInputsMax; ++i) {
    if (is_constant(nets[i])) fixed |= 1U << i;
    if (nets[i] == kOneNet) ones |= 1U << i;
  }
  if (output.name == "O5") {
    fixed |= 1U << 5U;
    ones &= ~(1U << 5U);
  }
  std::uint32_t used = 0;
  for (std::uint32_t at = 0; at < 64; ++at) {
    if ((at & fixed) != ones) continue;
    for (std::uint32_t i = 0; i < kInputsMax; ++i) {
      const bool differs = ((*table >> at ^ *table >> (at ^ 1U << i)) & 1U) != 0;
      if ((fixed & 1U << i) == 0 && differs) used |= 1U << i;
    }
  }
  std::vector<Net> nets_used;
  for (std::uint32_t i = 0; i < kInputsMax; ++i) {
    if ((used & 1U << i) != 0) nets_used.push_back(nets[i]);
  }
  return nets_used;
}

}  // namespace kantrig::synth
