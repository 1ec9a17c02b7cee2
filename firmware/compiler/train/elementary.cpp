#include "compiler/train/elementary.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

namespace kantrig::train {
namespace {

constexpr double kLn2High = 0x1.62e42fee00000p-1;  // trailing zeros: a product with a small integer is exact
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;

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

}  // namespace kantrig::train
