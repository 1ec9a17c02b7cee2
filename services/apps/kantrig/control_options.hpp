// The options that every subcommand which talks to the daemon has.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace kantrig::apps {

struct ControlOptions {
  std::string endpoint = "ipc:///run/kantrig/control";
  bool json = false;
};

void add_control_options(CLI::App& command, ControlOptions& options);

}  // namespace kantrig::apps
