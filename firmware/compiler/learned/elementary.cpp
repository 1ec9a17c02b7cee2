#include "compiler/learned/elementary.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

namespace kantrig::learned {
namespace {

constexpr double kLn2High = 0x1.62e42fee00000p-1;  // trailing zeros: a product with a small integer is exact
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;

constexpr double kHalfPiHigh = 0x1.921fb54400000p+0;  // pi / 2 in two parts, the first with 19 trailing zeros
constexpr double kHalfPiLow = 0x1.0b4611a626331p-34;

/// sin of the quarter turn `quarters` and the rest r, |r| <= pi / 4.
double sine_of_reduced(std::int64_t quarters, double r) noexcept {
  const double square = r * r;
  const bool odd = (quarters & 1) != 0;
  double sum = 1.0;  // Taylor in Horner's form: cosine for odd quarters, sine over r for even
  for (int k = odd ? 18 : 19; k >= 2; k -= 2) sum = 1.0 - sum * square / (k * (k - 1));
  const double value = odd ? sum : r * sum;
  return (quarters & 2) != 0 ? -value : value;
}

double sine_shifted(double x, std::int64_t quarters) noexcept {
  const double n = round_half_even(x / (kHalfPiHigh + kHalfPiLow));
  const double r = (x - n * kHalfPiHigh) - n * kHalfPiLow;
  return sine_of_reduced(static_cast<std::int64_t>(n) + quarters, r);
}

/// 2 / sqrt(pi) * sum of (-1)^n x^(2n+1) / (n! (2n+1)), for |x| < 2.
double erf_series(double x) noexcept {
  double term = x;
  double sum = x;
  for (int n = 1; n < 40; ++n) {
    term *= -x * x / n;
    sum += term / (2 * n + 1);
  }
  return 2.0 * std::numbers::inv_sqrtpi * sum;
}

/// erfc by its continued fraction (Abramowitz and Stegun 7.1.14), for x >= 2.
double erfc_fraction(double x) noexcept {
  double tail = x;
  for (int n = 80; n >= 1; --n) tail = x + 0.5 * n / tail;
  return exponential(-x * x) * std::numbers::inv_sqrtpi / tail;
}

}  // namespace

double exponential(double x) noexcept {
  x = std::clamp(x, -700.0, 700.0);
  const double n = round_half_even(x * std::numbers::log2e);
  const double r = (x - n * kLn2High) - n * kLn2Low;  // |r| <= ln2 / 2
  double sum = 1.0;
  for (int k = 13; k >= 1; --k) sum = 1.0 + sum * r / k;  // Taylor in Horner's form
  const auto exponent = static_cast<std::uint64_t>(static_cast<std::int64_t>(n) + 1023);
  return sum * std::bit_cast<double>(exponent << 52);
}

double logarithm(double x) noexcept {
  KANTRIG_ASSERT(x > 0.0);
  int exponent = 0;
  double mantissa = std::frexp(x, &exponent);  // exact
  if (mantissa < std::numbers::sqrt2 / 2) {
    mantissa *= 2.0;
    --exponent;
  }
  const double s = (mantissa - 1.0) / (mantissa + 1.0);  // log m = 2 atanh s, |s| <= 0.172
  double sum = 0.0;
  for (int k = 21; k >= 1; k -= 2) sum = sum * s * s + 1.0 / k;
  return exponent * kLn2High + (exponent * kLn2Low + 2.0 * s * sum);
}

double error_function(double x) noexcept {
  if (std::abs(x) < 2.0) return erf_series(x);
  return x > 0.0 ? 1.0 - erfc_fraction(x) : erfc_fraction(-x) - 1.0;
}

double sine(double x) noexcept {
  return sine_shifted(x, 0);
}
double cosine(double x) noexcept {
  return sine_shifted(x, 1);
}

double arctangent(double x) noexcept {
  if (x < 0.0) return -arctangent(-x);
  if (x > 1.0) return std::numbers::pi / 2.0 - arctangent(1.0 / x);
  double scale = 1.0;
  while (x > 0.1) {  // atan x = 2 atan(x / (1 + sqrt(1 + x^2)))
    x = x / (1.0 + std::sqrt(1.0 + x * x));
    scale *= 2.0;
  }
  double sum = 0.0;
  for (int k = 17; k >= 1; k -= 2) sum = 1.0 / k - sum * x * x;
  return scale * x * sum;
}

ValueAndSlope base_function_at(BaseFunction function, double x) noexcept {
  switch (function) {
    case BaseFunction::kNone:
      return {};
    case BaseFunction::kSilu: {
      const double sigmoid = 1.0 / (1.0 + exponential(-x));
      return {.value = x * sigmoid, .slope = sigmoid * (1.0 + x * (1.0 - sigmoid))};
    }
    case BaseFunction::kGelu: {
      const double phi = 0.5 * (1.0 + error_function(x / std::numbers::sqrt2));
      const double density = exponential(-0.5 * x * x) * std::numbers::inv_sqrtpi / std::numbers::sqrt2;
      return {.value = x * phi, .slope = phi + x * density};
    }
  }
  return {};
}

}  // namespace kantrig::learned
