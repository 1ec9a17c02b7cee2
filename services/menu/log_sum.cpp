#include "menu/log_sum.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace kantrig::menu {
namespace {

constexpr double kHighest = 16383.0;  // of a score or sum in units: differences then fit 16 bits
constexpr int kShiftMax = 8;
constexpr double kUnitMin = 1e-7;  // far above the rounding of the exact sum, 2^-30

double entropy(double p) {
  return -p * std::log(p) - (1.0 - p) * std::log(1.0 - p);
}

std::int32_t approximate(const LogSum& setup, std::int32_t x) {
  std::int32_t value = 0;
  for (std::size_t i = 0; i < setup.heights.size(); ++i) {
    value = std::max(value, setup.heights[i] - ((x * setup.slopes[i]) >> 16));
  }
  return value;
}

/// One more output joined to the sums. Plain loops that compilers turn into whole registers of 16-bit values;
/// values of padding may wrap around, nobody reads them.
template <bool kShiftedRight>
[[gnu::always_inline]] inline void join(const LogSum& setup, const std::int16_t* output, std::size_t events,
                                        std::int16_t* sums) {
  const auto factor = static_cast<std::int16_t>(1 << setup.shift_left);
  const int right = setup.shift_right;
  const std::array<std::int16_t, 4> heights = setup.heights;
  const std::array<std::int16_t, 4> slopes = setup.slopes;
  for (std::size_t i = 0; i < events; ++i) {
    const auto a = static_cast<std::int16_t>(kShiftedRight ? output[i] >> right : output[i] * factor);
    const std::int16_t b = sums[i];
    const std::int16_t higher = a > b ? a : b;
    const std::int16_t lower = a > b ? b : a;
    const auto x = static_cast<std::int16_t>(higher - lower);
    std::int16_t f = 0;
    for (std::size_t line = 0; line < 4; ++line) {
      const auto fall = static_cast<std::int16_t>((static_cast<std::int32_t>(x) * slopes[line]) >> 16);
      const auto tangent = static_cast<std::int16_t>(heights[line] - fall);
      f = tangent > f ? tangent : f;
    }
    sums[i] = static_cast<std::int16_t>(higher + f);
  }
}

void join_baseline(const LogSum& setup, const std::int16_t* output, std::size_t events, std::int16_t* sums) {
  setup.shift_right != 0 ? join<true>(setup, output, events, sums) : join<false>(setup, output, events, sums);
}

#if defined(__x86_64__)

[[gnu::target("avx2")]] void join_avx2(const LogSum& setup, const std::int16_t* output, std::size_t events,
                                       std::int16_t* sums) {
  setup.shift_right != 0 ? join<true>(setup, output, events, sums) : join<false>(setup, output, events, sums);
}

LogSum::JoinFn* join_of_this_cpu() noexcept {
  return __builtin_cpu_supports("avx2") != 0 ? join_avx2 : join_baseline;
}

#else

LogSum::JoinFn* join_of_this_cpu() noexcept {
  return join_baseline;
}

#endif

}  // namespace

LogSum make_log_sum(const ScoreBounds& bounds) {
  LogSum setup;
  setup.join = join_of_this_cpu();
  const double widest = std::max(std::abs(bounds.low), std::abs(bounds.high));
  const double rise =
      std::log(static_cast<double>(bounds.count)) / bounds.scale;  // of the sum over the highest score
  const auto fits = [&](int shift) { return std::ldexp(widest + rise, shift) + 64.0 <= kHighest; };
  int shift = kShiftMax;
  while (shift > -3 && !fits(shift)) --shift;
  setup.unit = std::ldexp(bounds.scale, -shift);
  if (!fits(shift) || setup.unit < kUnitMin) return setup;
  setup.shift_left = std::max(shift, 0);
  setup.shift_right = std::max(-shift, 0);
  // Slopes sin^2 at equal steps of the angle spread the error evenly, since f'' = slope (1 - slope).
  const double step = std::numbers::pi / 4.0 / 4.5;
  for (std::size_t i = 0; i < 4; ++i) {
    const double slope = std::pow(std::sin(step * static_cast<double>(i + 1)), 2.0);
    setup.slopes[i] = static_cast<std::int16_t>(std::lround(slope * 65536.0));
    const double height = entropy(slope) / setup.unit;
    if (height > kHighest) return setup;
    setup.heights[i] = static_cast<std::int16_t>(height);
  }
  double under = 0.0;
  double over = 0.0;
  for (std::int32_t x = 0; x <= 2 * static_cast<std::int32_t>(kHighest) + 1; ++x) {
    const double difference = approximate(setup, x) - std::log1p(std::exp(-x * setup.unit)) / setup.unit;
    under = std::max(under, -difference);
    over = std::max(over, difference);
  }
  const auto joins = static_cast<double>(bounds.count - 1);
  const double shifted_out = setup.shift_right > 0 ? 1.0 : 0.0;
  setup.under = under * joins + shifted_out;
  setup.over = over * joins;
  setup.usable = std::ldexp(widest + rise, shift) + setup.over <= kHighest;
  return setup;
}

void log_sums(const LogSum& setup, std::span<const std::int16_t* const> outputs, std::size_t first_event,
              std::span<std::int16_t> sums) noexcept {
  const std::int16_t* first = outputs[0] + first_event;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    sums[i] = static_cast<std::int16_t>((first[i] << setup.shift_left) >> setup.shift_right);
  }
  for (std::size_t k = 1; k < outputs.size(); ++k)
    setup.join(setup, outputs[k] + first_event, sums.size(), sums.data());
}

}  // namespace kantrig::menu
