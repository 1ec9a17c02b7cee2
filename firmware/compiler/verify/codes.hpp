// Codes to drive a unit with: drawn by number, so that a stage of verification can be run a second time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compiler/hardware/design.hpp"

namespace kantrig::compiler {

/// A well mixed word for each (seed, number): SplitMix64's finaliser (Steele, Lea and Flood, 2014).
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t seed, std::uint64_t number) noexcept {
  std::uint64_t z = seed + (number + 1) * 0x9E3779B97F4A7C15U;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

/// Which codes each input of a unit can take: the reachable ones.
class CodeSpace {
 public:
  explicit CodeSpace(const std::vector<HardwareField>& inputs);

  [[nodiscard]] std::size_t input_count() const { return codes_.size(); }
  /// Ascending, never empty.
  [[nodiscard]] const std::vector<std::uint16_t>& codes(std::size_t input) const { return codes_[input]; }
  /// One code for each input; the same seed and number give the same row.
  void random_row(std::uint64_t seed, std::uint64_t number, std::span<std::uint16_t> row) const;
  /// How many rows there are over `inputs`; `most` + 1 when there are more than `most`.
  [[nodiscard]] std::uint64_t combinations(std::span<const std::uint32_t> inputs, std::uint64_t most) const;
  /// Writes combination `number` of `inputs` into their places of `row`.
  void combination(std::span<const std::uint32_t> inputs, std::uint64_t number,
                   std::span<std::uint16_t> row) const;

 private:
  std::vector<std::vector<std::uint16_t>> codes_;
};

}  // namespace kantrig::compiler
