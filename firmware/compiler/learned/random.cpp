#include "compiler/learned/random.hpp"

#include "base/assert.hpp"

#include <bit>
#include <utility>

namespace kantrig::learned {

Random::Random(std::uint64_t seed) noexcept {
  for (std::uint64_t& word : state_) {
    seed += 0x9E3779B97F4A7C15U;
    std::uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    word = z ^ (z >> 31);
  }
}

std::uint64_t Random::next() noexcept {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double Random::uniform(double low, double high) noexcept {
  constexpr double kUnit = 0x1.0p-53;
  return low + (high - low) * (static_cast<double>(next() >> 11) * kUnit);
}

std::uint32_t Random::below(std::uint32_t bound) noexcept {
  KANTRIG_ASSERT(bound > 0);
  // Lemire 2019: the high word of a product, with the few values thrown back that would make it uneven.
  const std::uint32_t uneven = (0U - bound) % bound;
  while (true) {
    const std::uint64_t product = (next() >> 32) * bound;
    if (static_cast<std::uint32_t>(product) >= uneven) return static_cast<std::uint32_t>(product >> 32);
  }
}

void Random::shuffle(std::span<std::uint32_t> values) noexcept {
  for (std::size_t left = values.size(); left > 1; --left) {
    std::swap(values[left - 1], values[below(static_cast<std::uint32_t>(left))]);
  }
}

}  // namespace kantrig::learned
