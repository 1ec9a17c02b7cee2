// LogSum: a bracket around log(sum of exp) of an event's scores, in 16-bit integers. Mathematics: README.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace kantrig::menu {

/// The scores of one model: `count` outputs in [low, high], real score = integer x scale.
struct ScoreBounds {
  std::size_t count = 0;
  std::int32_t low = 0;
  std::int32_t high = 0;
  double scale = 1.0;
};

/// Scores in finer units, v = (y << shift_left) >> shift_right, are joined one after the other by
/// log(e^a + e^b) = max(a, b) + f(|a - b|). f is convex: the highest of 0 and four tangents is close to it.
/// The result only decides which events need an exact sum, so it may be wrong by `under` or `over`, not by
/// more.
struct LogSum {
  using JoinFn = void(const LogSum& setup, const std::int16_t* output, std::size_t events,
                      std::int16_t* sums);

  bool usable = false;  // false: scores too wide or too flat for 16 bits
  int shift_left = 0;
  int shift_right = 0;
  std::array<std::int16_t, 4> heights{};  // of the tangents at 0
  std::array<std::int16_t, 4> slopes{};   // downwards, in 2^-16
  double unit = 0.0;                      // natural logarithm that one unit stands for
  double under = 0.0;                     // units by which the result may be too small
  double over = 0.0;                      // units by which it may be too large
  JoinFn* join = nullptr;  // adds one output to the sums, with the widest registers of this CPU
};

[[nodiscard]] LogSum make_log_sum(const ScoreBounds& bounds);

/// Precondition: setup.usable. Writes the sums of the 64-event words from `first_event` on: sums.size() is a
/// multiple of 64.
void log_sums(const LogSum& setup, std::span<const std::int16_t* const> outputs, std::size_t first_event,
              std::span<std::int16_t> sums) noexcept;

}  // namespace kantrig::menu
