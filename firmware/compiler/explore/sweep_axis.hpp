// What a sweep varies: `model.bits[0]=2..8`, fields of a specification with the values that they take in
// turn.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace kantrig::explore {

inline constexpr std::size_t kAxisValuesMax = 1'000;
inline constexpr std::size_t kAxisFieldsMax = 16;

/// One field with one value. The field is a path such as `model.bits[0]`; the value is TOML.
struct Assignment {
  std::string field;
  std::string value;
  friend bool operator==(const Assignment&, const Assignment&) = default;
};

struct Axis {
  std::vector<std::string> fields;  // all take the same value
  std::vector<std::string> values;  // TOML

  [[nodiscard]] std::string name() const;  // the fields, joined by +
};

/// `FIELD[+FIELD...]=VALUES`. VALUES is a list of values and ranges, parted by commas outside brackets and
/// quotes: `2..8`, `0.5..2:0.5` (both ends included), `silu,none`, `[16,8,5],[16,10,5]`, `4..8:2,12`. A word
/// without quotes is a text. The error says what was expected.
[[nodiscard]] Result<Axis> parse_axis(std::string_view text);

/// `FIELD[+FIELD...]=VALUE`, one value, commas included.
[[nodiscard]] Result<std::vector<Assignment>> parse_setting(std::string_view text);

}  // namespace kantrig::explore
