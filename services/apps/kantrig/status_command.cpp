// kantrig status: what the daemon does at this moment.
#include <memory>

#include "apps/kantrig/commands.hpp"
#include "apps/kantrig/control_options.hpp"
#include "apps/kantrig/daemon_call.hpp"
#include "apps/kantrig/print.hpp"

namespace kantrig::apps {
namespace {

int show_status(const ControlOptions& options) {
  v1::ControlRequest request;
  request.mutable_status();
  const auto reply = call_daemon(options.endpoint, request);
  if (!reply) return report_failure(reply.error(), options.json);
  return options.json ? print_json(reply->status()) : print_text(status_text(reply->status()));
}

}  // namespace

void add_status_command(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<ControlOptions>();
  CLI::App* command = app.add_subcommand("status", "Show state, run, models, menu and the ledger");
  add_control_options(*command, *options);
  command->footer(R"(The residual is received minus all other counts: it must be 0.

Examples:
  kantrig status
  kantrig status --json | jq -r .run_counts.residual)");
  command->callback([options, &exit_code] { exit_code = show_status(*options); });
}

}  // namespace kantrig::apps
