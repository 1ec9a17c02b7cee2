// kantrig status: what the daemon does at this moment.
#include <chrono>
#include <memory>
#include <thread>

#include "apps/kantrig/commands.hpp"
#include "apps/kantrig/control_options.hpp"
#include "apps/kantrig/daemon_call.hpp"
#include "apps/kantrig/print.hpp"

namespace kantrig::apps {
namespace {

struct StatusOptions {
  ControlOptions control;
  std::uint32_t wait_s = 0;
};

/// Asks until the daemon has started, or `wait_s` have passed.
Result<v1::ControlReply> ask_until_started(const StatusOptions& options) {
  v1::ControlRequest request;
  request.mutable_status();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(options.wait_s);
  while (true) {
    auto reply = call_daemon(options.control.endpoint, request);
    const bool started = reply && reply->status().state() != "starting";
    if (started || options.wait_s == 0 || std::chrono::steady_clock::now() >= deadline) return reply;
    std::this_thread::sleep_for(
        std::chrono::milliseconds(20));  // between two questions; the deadline is above
  }
}

int show_status(const StatusOptions& options) {
  const auto reply = ask_until_started(options);
  if (!reply) return report_failure(reply.error(), options.control.json);
  return options.control.json ? print_json(reply->status()) : print_text(status_text(reply->status()));
}

}  // namespace

void add_status_command(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<StatusOptions>();
  CLI::App* command = app.add_subcommand("status", "Show state, run, models, menu and the ledger");
  add_control_options(*command, options->control);
  command->add_option("--wait", options->wait_s,
                      "Wait so many seconds at most for a daemon that is starting");
  command->footer(R"(The residual is received minus all other counts: it must be 0.

Examples:
  kantrig status
  kantrig status --json | jq -r .run_counts.residual)");
  command->callback([options, &exit_code] { exit_code = show_status(*options); });
}

}  // namespace kantrig::apps
