// StartPlan: what a starting daemon puts on, from its configuration and from what was on when it ended.
#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "control/menus.hpp"
#include "control/options.hpp"
#include "control/state_file.hpp"

namespace kantrig::control {

/// The last word counts, item by item. An operator's command came after the configuration that the daemon had
/// read, so what was on goes on; a configuration that was edited since came after the command, so it decides.
struct StartPlan {
  Configured configured;
  std::string model;
  std::string previous;  // empty: none
  std::string shadow;    // empty: none
  MenuText menu;
  std::string column;  // empty: the menu's default
  bool model_resumed = false;
  bool menu_resumed = false;
};

/// Reads the menu file, resumed or not: a configuration that names a file that is not there is wrong.
[[nodiscard]] Result<StartPlan> plan_start(const ControllerOptions& options,
                                           const std::optional<PersistedState>& was);

}  // namespace kantrig::control
