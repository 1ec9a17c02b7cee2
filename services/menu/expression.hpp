// Expression: the condition of a line, parsed and with its names resolved. Grammar: README.md.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "menu/menu.hpp"

namespace kantrig::menu {

inline constexpr std::size_t kConditionBytesMax = 4096;
inline constexpr std::uint32_t kConditionDepthMax = 32;  // of parentheses and `not`

enum class Comparison : std::uint8_t { kAtLeast, kAbove, kAtMost, kBelow };

/// One node of the tree. Only the fields of its kind mean something.
struct Expression {
  enum class Kind : std::uint8_t { kAny, kClass, kScore, kScoreDifference, kProbability, kNot, kAnd, kOr };

  Kind kind = Kind::kAny;
  std::uint32_t first = 0;   // class: kClass, kProbability; output: kScore, kScoreDifference
  std::uint32_t second = 0;  // output: kScoreDifference
  Comparison comparison = Comparison::kAtLeast;
  double value = 0.0;
  std::vector<Expression> operands;  // kNot: 1; kAnd, kOr: 2 or more
};

/// Errors name the character of `text` and what was expected there, with the known classes where one was.
/// Precondition: check_space(space).
[[nodiscard]] Result<Expression> parse_expression(std::string_view text, const ScoreSpace& space);

/// One class per output, or two for one output; ranges of int16.
[[nodiscard]] Result<void> check_space(const ScoreSpace& space);

}  // namespace kantrig::menu
