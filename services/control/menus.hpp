// A menu compiled for a model: the one place that tells menus what a bundle's scores are.
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "kan/bundle.hpp"
#include "menu/menu.hpp"

namespace kantrig::control {

struct MenuText {
  std::string text;    // TOML
  std::string origin;  // file name, for messages
};

inline constexpr std::size_t kMenuBytesMax = 1U << 20;

/// What conditions can speak of under `bundle`. Classes without a name go by their number.
[[nodiscard]] menu::ScoreSpace score_space(const kan::Bundle& bundle);

/// The error names the model too: the same text may fit another.
[[nodiscard]] Result<std::shared_ptr<const menu::Menu>> compile_menu(const MenuText& menu,
                                                                     const kan::Bundle& bundle);

}  // namespace kantrig::control
