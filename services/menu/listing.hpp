// Lists of names in messages.
#pragma once

#include <string>
#include <string_view>

namespace kantrig::menu {

/// The names with a blank between. (fmt::join would do, but its header trips -Wstringop-overflow in GCC 12.)
template <typename Names>
[[nodiscard]] std::string listed(const Names& names) {
  std::string text;
  for (const std::string_view name : names) {
    if (!text.empty()) text += ' ';
    text += name;
  }
  return text;
}

}  // namespace kantrig::menu
