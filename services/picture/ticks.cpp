#include "picture/ticks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace kantrig::picture {
namespace {

constexpr double kLargest = 1e300;  // beyond, the length of an axis could overflow
constexpr double kMargin = 0.04;    // of the span, beyond the outermost values
constexpr int kDecadesDense = 3;    // with no more, 2 and 5 have labels too

/// 1, 2 or 5 times a power of ten, the first that gives at most `wanted` steps.
double nice_step(double length, std::uint32_t wanted) {
  const double least = length / std::max(wanted, 1U);
  const double power = std::pow(10.0, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= least * (1.0 - 1e-9)) return factor * power;
  }
  return 10.0 * power;
}

std::string power_label(double value) {
  if (value >= 1e-3 && value < 1e6) return fmt::format("{:.12g}", value);
  return fmt::format("{:.0e}", value);
}

std::vector<Tick> linear_ticks(const Span& span, std::uint32_t wanted) {
  std::vector<Tick> found;
  const double step = nice_step(span.high - span.low, wanted);
  const double first = std::ceil(span.low / step - 1e-9);
  const double last = std::floor(span.high / step + 1e-9);
  const double largest = std::max(std::abs(span.low), std::abs(span.high));
  const int decimals = std::clamp(static_cast<int>(std::ceil(-std::log10(step) - 1e-9)), 0, 12);
  const bool long_numbers = largest >= 1e7 || largest < 1e-4;
  for (double k = first; k <= last && found.size() < 100; k += 1.0) {
    const double value = k * step + 0.0;
    found.push_back({value, long_numbers && value != 0.0 ? fmt::format("{:.3g}", value)
                                                         : fmt::format("{:.{}f}", value, decimals)});
  }
  return found;
}

std::vector<Tick> logarithmic_ticks(const Span& span, std::uint32_t wanted) {
  std::vector<Tick> found;
  const int first = static_cast<int>(std::floor(std::log10(span.low)));
  const int last = static_cast<int>(std::ceil(std::log10(span.high)));
  const int every = std::max(1, (last - first) / static_cast<int>(std::max(wanted, 1U)));
  const bool dense = last - first <= kDecadesDense;
  for (int power = first; power <= last; ++power) {
    for (int digit = 1; digit <= 9; ++digit) {
      const double value = digit * std::pow(10.0, power);
      if (value < span.low * (1.0 - 1e-9) || value > span.high * (1.0 + 1e-9)) continue;
      const bool labelled = digit == 1 ? (power - first) % every == 0 : dense && (digit == 2 || digit == 5);
      if (digit > 1 && every > 1) continue;
      found.push_back({value, labelled ? power_label(value) : std::string()});
    }
  }
  return found;
}

}  // namespace

bool can_show(double value, Scale scale) noexcept {
  if (scale == Scale::kLogarithmic && !(value >= 1.0 / kLargest)) return false;
  return std::abs(value) <= kLargest;
}

Span span_of(const std::vector<double>& values, Scale scale) {
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const double value : values) {
    if (!can_show(value, scale)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  if (scale == Scale::kLogarithmic) {
    if (!(low <= high)) return {1.0, 10.0};
    const double decades = std::log10(high) - std::log10(low);
    const double room = std::pow(10.0, std::max(kMargin * decades, decades > 0.0 ? 0.01 : 0.3));
    return {low / room, high * room};
  }
  if (!(low <= high)) return {0.0, 1.0};
  const double least = std::max(1e-9 * std::max(std::abs(low), std::abs(high)), 1e-300);
  const double room = high - low > least ? kMargin * (high - low) : std::max(0.5 * std::abs(low), 0.5);
  return {low - room, high + room};
}

double share_of(double value, const Span& span, Scale scale) noexcept {
  if (scale == Scale::kLinear) return (value - span.low) / (span.high - span.low);
  return (std::log10(value) - std::log10(span.low)) / (std::log10(span.high) - std::log10(span.low));
}

std::vector<Tick> ticks(const Span& span, Scale scale, std::uint32_t wanted) {
  return scale == Scale::kLinear ? linear_ticks(span, wanted) : logarithmic_ticks(span, wanted);
}

}  // namespace kantrig::picture
