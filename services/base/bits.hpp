// Bit counting for code that is built for every x86-64, where std::popcount is a call and not an instruction.
#pragma once

#include <cstdint>

namespace kantrig::base {

/// How many bits of `word` are set: by neighbours, pairs and nibbles (Warren, Hacker's Delight, 5-1).
[[nodiscard]] constexpr std::uint32_t count_bits(std::uint64_t word) noexcept {
  word -= (word >> 1U) & 0x5555555555555555U;
  word = (word & 0x3333333333333333U) + ((word >> 2U) & 0x3333333333333333U);
  word = (word + (word >> 4U)) & 0x0F0F0F0F0F0F0F0FU;
  return static_cast<std::uint32_t>((word * 0x0101010101010101U) >> 56U);
}

}  // namespace kantrig::base
