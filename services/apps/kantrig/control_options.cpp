#include "apps/kantrig/control_options.hpp"

namespace kantrig::apps {

void add_control_options(CLI::App& command, ControlOptions& options) {
  command
      .add_option("--control", options.endpoint,
                  "Endpoint of the daemon's control socket (control.endpoint of its configuration)")
      ->capture_default_str()
      ->type_name("ENDPOINT");
  command.add_flag("--json", options.json,
                   "Print JSON for scripts; 64-bit numbers are text, as protobuf JSON has them");
}

}  // namespace kantrig::apps
