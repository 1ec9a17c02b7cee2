// kantrig: the command line for operators and users.
#include <exception>
#include <iostream>

#include "apps/kantrig/commands.hpp"
#include "base/build_info.hpp"
#include "base/exit_code.hpp"

#include <fmt/core.h>

namespace {

constexpr const char* kFooter = R"(Each command explains itself: kantrig COMMAND --help

Exit codes:
  0  done
  1  the answer is no: vectors disagree, the ledger does not balance
  2  the command line is wrong
  3  a file, bundle or menu is wrong or missing
  4  the daemon cannot be reached, or refused
  5  a result could not be written)";

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Operate a running kantrigd and check what it is to run.", "kantrig");
  const auto build = kantrig::base::build_info();
  app.set_version_flag("--version",
                       fmt::format("kantrig {} ({}, {})", build.version, build.revision, build.compiler));
  app.require_subcommand(1);
  app.footer(kFooter);
  int exit_code = kantrig::base::kExitOk;
  kantrig::apps::add_send_command(app, exit_code);
  kantrig::apps::add_status_command(app, exit_code);
  kantrig::apps::add_watch_command(app, exit_code);
  kantrig::apps::add_run_command(app, exit_code);
  kantrig::apps::add_model_command(app, exit_code);
  kantrig::apps::add_menu_command(app, exit_code);
  kantrig::apps::add_explain_command(app, exit_code);
  kantrig::apps::add_card_command(app, exit_code);
  kantrig::apps::add_bench_command(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kantrig::base::kExitOk
                                : kantrig::base::kExitUsage;  // 0: --help or --version
  } catch (const std::exception& error) {
    std::cerr << "kantrig: " << error.what() << '\n';
    return kantrig::base::kExitFailed;
  }
  return exit_code;
}
