// Where the marks of an axis stand and what they say.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "picture/chart.hpp"

namespace kantrig::picture {

struct Tick {
  double value = 0.0;
  std::string label;  // empty: a small mark between others
};

/// What an axis spans: `low` < `high`, both positive on a logarithmic one.
struct Span {
  double low = 0.0;
  double high = 1.0;
};

/// About `wanted` marks inside the span, at 1, 2 or 5 times powers of ten; on a logarithmic axis at powers of
/// ten, with marks between them where these are few.
[[nodiscard]] std::vector<Tick> ticks(const Span& span, Scale scale, std::uint32_t wanted);

/// The span from the least to the largest of `values` with a little room at both ends. Values that cannot be
/// shown are passed over; without any it is [0, 1], or [1, 10] on a logarithmic axis.
[[nodiscard]] Span span_of(const std::vector<double>& values, Scale scale);

/// Whether an axis of this scale can show the value: up to 1e300, and above 1e-300 on a logarithmic one.
[[nodiscard]] bool can_show(double value, Scale scale) noexcept;

/// Where the value stands between the ends of the span: 0 at `low`, 1 at `high`.
[[nodiscard]] double share_of(double value, const Span& span, Scale scale) noexcept;

}  // namespace kantrig::picture
