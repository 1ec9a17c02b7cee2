// MenuText: what a menu file says, checked but for its conditions. The one place that knows TOML.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "menu/menu.hpp"

namespace kantrig::menu {

inline constexpr std::size_t kTextBytesMax = 256U << 10;
inline constexpr std::size_t kNameBytesMax = 64;

struct LineText {
  LineInfo info;          // without its integer form
  std::uint32_t row = 0;  // of the condition in the file, from 1
};

struct MenuText {
  std::string name;
  std::string description;
  std::uint64_t seed = 0;
  std::vector<std::string> columns;
  std::uint32_t default_column = 0;
  std::vector<LineText> lines;
};

/// Errors: "<origin>:<row>: ...". Unknown keys are errors.
[[nodiscard]] Result<MenuText> read_menu_text(std::string_view toml_text, std::string_view origin);

}  // namespace kantrig::menu
