// Where the inner numbers of a formula are looked for. Samples are scaled to [-1/2, 1/2]; a function is put
// at slope x (z - place).
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/learned/formula.hpp"

namespace kantrig::insight {

struct Inner {
  double slope = 1.0;
  double place = 0.0;
};

/// Which of slope and place a function is fitted by: what it is homogeneous in goes into the outer numbers.
enum class Family : std::uint8_t {
  kLine,     // neither
  kPlace,    // of a vertex
  kPole,     // outside the range
  kSlope,    // alone
  kWave,     // frequency; phase and amplitude are linear
  kTangent,  // both, before its poles
  kBoth,
};

inline constexpr double kSlopeLeast = 0.5;
inline constexpr double kPeriodsMost = 10.0;  // of a wave in the range

[[nodiscard]] Family family_of(learned::Function function) noexcept;
[[nodiscard]] std::uint32_t fitted_numbers(Family family) noexcept;
/// Whether a search or a refinement may go there.
[[nodiscard]] bool allowed(Family family, const Inner& inner) noexcept;
[[nodiscard]] std::vector<Inner> first_grid(learned::Function function, Family family);
/// Points around `best`: slopes between best / slope_ratio and best x slope_ratio, places within place_step.
[[nodiscard]] std::vector<Inner> zoomed_grid(Family family, const Inner& best, double slope_ratio,
                                             double place_step);

}  // namespace kantrig::insight
