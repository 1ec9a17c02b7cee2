// The few transcendental functions of a training, computed here with IEEE additions and products only: the C
// library picks variants by CPU, whose last bits differ, and a training must give the same bundle on every
// machine.
#pragma once

#include <cstdint>

namespace kantrig::learned {

/// What an edge adds beside its spline.
enum class BaseFunction : std::uint8_t { kNone, kSilu, kGelu };

/// Relative error below 1e-15; the argument is clamped to [-700, 700].
[[nodiscard]] double exponential(double x) noexcept;
/// Natural logarithm, error below 1e-15 absolute or relative. Precondition: x > 0, normal.
[[nodiscard]] double logarithm(double x) noexcept;
/// Gauss error function, absolute error below 1e-14.
[[nodiscard]] double error_function(double x) noexcept;

/// Sine and cosine, absolute error below 1e-14 for |x| < 1e4; beyond, the error of reducing x grows with |x|.
[[nodiscard]] double sine(double x) noexcept;
[[nodiscard]] double cosine(double x) noexcept;
/// Absolute error below 1e-14.
[[nodiscard]] double arctangent(double x) noexcept;

/// Value and slope of the base function at x: silu x/(1+e^-x), gelu x Phi(x), none 0.
struct ValueAndSlope {
  double value = 0.0;
  double slope = 0.0;
};
[[nodiscard]] ValueAndSlope base_function_at(BaseFunction function, double x) noexcept;

/// Nearest integer, ties to even. Precondition: |x| < 2^51.
[[nodiscard]] inline double round_half_even(double x) noexcept {
  constexpr double kMagic =
      0x1.8p52;  // where doubles are the integers; one addition rounds, and it vectorises
  return (x + kMagic) - kMagic;
}

}  // namespace kantrig::learned
