// Random: the generator behind every training, so that a seed gives the same bundle on every machine.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace kantrig::learned {

/// xoshiro256** (Blackman, Vigna 2018), its state filled by splitmix64. The distributions of the standard
/// library are not used: they differ between implementations.
///
/// Threading: owned by one thread.
class Random {
 public:
  using State = std::array<std::uint64_t, 4>;

  explicit Random(std::uint64_t seed) noexcept;
  /// Goes on where another one stood.
  explicit Random(const State& state) noexcept : state_(state) {}
  [[nodiscard]] const State& state() const noexcept { return state_; }

  [[nodiscard]] std::uint64_t next() noexcept;
  /// In [low, high), 53 random bits.
  [[nodiscard]] double uniform(double low, double high) noexcept;
  /// In [0, bound), without bias. Precondition: bound > 0.
  [[nodiscard]] std::uint32_t below(std::uint32_t bound) noexcept;
  /// Fisher and Yates.
  void shuffle(std::span<std::uint32_t> values) noexcept;

 private:
  State state_{};
};

}  // namespace kantrig::learned
