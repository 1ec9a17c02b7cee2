// The daemon: puts the libraries together, starts them in order and ends them in the reverse one.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "settings/settings.hpp"

namespace kantrig::apps {

/// Where the settings came from: read again on SIGHUP.
struct SettingsSource {
  std::optional<std::filesystem::path> config_file;
  std::vector<std::string> overrides;
};

/// Runs until SIGTERM or SIGINT. Returns an exit code (base/exit_code.hpp); errors are logged.
[[nodiscard]] int run_daemon(const settings::Settings& settings, const SettingsSource& source);

}  // namespace kantrig::apps
