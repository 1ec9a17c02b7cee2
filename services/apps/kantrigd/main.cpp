// kantrigd: the trigger daemon. The command line; the daemon itself is daemon.cpp.
#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "apps/kantrigd/daemon.hpp"
#include "base/build_info.hpp"
#include "base/exit_code.hpp"
#include "settings/settings.hpp"

namespace {

constexpr const char* kFooter = R"(
Example: a daemon for yourself, with everything it needs in one folder
  kantrigd --set 'events.endpoints=ipc:///tmp/me/events' --set control.endpoint=ipc:///tmp/me/control \
           --set ledger.state_directory=/tmp/me --set model.repository=firmware/models/jets \
           --set model.active=jets-1.1.0 --set menu.file=config/menu.toml
Then, in another shell: kantrig --control ipc:///tmp/me/control status

Signals: TERM and INT let the clients finish what they have sent, then stop; HUP reads the configuration again and takes
over log.level, card.route, menu.file and menu.column (the rest needs a restart).

Exit codes: 0 stopped as asked, 2 wrong command line, 3 wrong configuration, model or menu, or something it names is
missing or taken, 1 anything else.)";

}  // namespace

int main(int argc, char** argv) {
  using namespace kantrig;
  CLI::App app(
      "kantrigd receives detector events over ZeroMQ, runs a KAN on each, decides by a trigger menu and "
      "answers.\n"
      "Every event is accounted for: a batch has exactly one effect, even when the daemon is killed.");
  std::string config;
  std::vector<std::string> overrides;
  bool check_config = false;
  bool print_config = false;
  app.add_option("-c,--config", config, "Configuration file (TOML). Without one: the defaults")
      ->type_name("FILE");
  app.add_option("--set", overrides,
                 "One setting, as section.key=value; after the file, may be given many times")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false)
      ->take_all();
  app.add_flag("--check-config", check_config, "Say whether the configuration is right, and end");
  app.add_flag("--print-config", print_config,
               "Print the configuration as it would be used, with what each key means, and end");
  app.set_version_flag("--version", std::string(base::build_info().version));
  app.footer(kFooter);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? base::kExitOk : base::kExitUsage;
  }

  const auto file = config.empty() ? std::nullopt : std::optional<std::filesystem::path>(config);
  const auto settings = settings::load(file, overrides);
  if (!settings) {
    std::fprintf(stderr, "kantrigd: %s\n", settings.error().message.c_str());
    return base::kExitInput;
  }
  if (print_config) {
    std::fputs(settings::print(*settings).c_str(), stdout);
    return base::kExitOk;
  }
  if (check_config) {
    std::printf("configuration is right\n");
    return base::kExitOk;
  }
  return apps::run_daemon(*settings, {.config_file = file, .overrides = overrides});
}
