// Prescale: keeps 1 in n of the events that a line chose, the same ones however the events are cut into
// batches.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace kantrig::menu {

/// The finaliser of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA
/// 2014).
[[nodiscard]] constexpr std::uint64_t mix64(std::uint64_t z) noexcept {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

/// Different for every line and seed, so that the prescales of two lines are independent.
[[nodiscard]] std::uint64_t prescale_key(std::uint64_t seed, std::string_view line_name) noexcept;

/// The 64-bit number of one event: uniform, and the same whatever batch the event comes in. The event is kept
/// when it is at most (2^64 - 1) / n. Bit i, counted from the top, is bit id % 64 of mix64(key + gamma * (id
/// - id % 64 + i)): 64 neighbouring events share their random words, which is what makes 64 decisions cost
/// about one.
[[nodiscard]] std::uint64_t prescale_number(std::uint64_t key, std::uint64_t event_id) noexcept;

/// Clears the bits of events that prescale `n` drops. Bit i of word w is event first_event_id + 64 w + i.
/// `n` 0 drops all, 1 none.
void apply_prescale(std::uint64_t key, std::uint64_t n, std::uint64_t first_event_id,
                    std::span<std::uint64_t> words) noexcept;

}  // namespace kantrig::menu
