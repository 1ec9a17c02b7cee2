// explain_condition(): why a condition of a menu holds for one event or does not, comparison by comparison.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "menu/menu.hpp"

namespace kantrig::menu {

/// A condition, or a part of one. `not`, `and` and `or` have parts; a comparison has none.
struct ConditionPart {
  std::string text;          // "prob(t) >= 0.6", or "not", "and", "or"
  std::string integer_form;  // of a comparison: what is compared
  std::string seen;          // of a comparison: the event's own values, "prob(t) = 0.731"
  bool holds = false;
  std::vector<ConditionPart> parts;
};

/// Every comparison is decided by the same integers as in a compiled menu. `scores` has one output each of
/// `space`. Allocates: not for the data path.
[[nodiscard]] Result<ConditionPart> explain_condition(std::string_view condition, const ScoreSpace& space,
                                                      std::span<const std::int16_t> scores,
                                                      std::uint8_t event_class);

}  // namespace kantrig::menu
