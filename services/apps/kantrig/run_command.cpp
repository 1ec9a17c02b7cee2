// kantrig run: start and stop runs.
#include <fmt/core.h>
#include <google/protobuf/util/json_util.h>

#include <memory>

#include "apps/kantrig/commands.hpp"
#include "apps/kantrig/control_options.hpp"
#include "apps/kantrig/daemon_call.hpp"
#include "apps/kantrig/print.hpp"
#include "base/exit_code.hpp"
#include "kantrig/v1/record.pb.h"

namespace kantrig::apps {
namespace {

struct RunOptions {
  ControlOptions control;
  std::string comment;
};

int start_run(const RunOptions& options) {
  v1::ControlRequest request;
  request.mutable_run_start()->set_comment(options.comment);
  const auto reply = call_daemon(options.control.endpoint, request);
  if (!reply) return report_failure(reply.error(), options.control.json);
  return options.control.json ? print_json(reply->run())
                              : print_text(fmt::format("run {} started\n", reply->run().run()));
}

std::string record_text(const v1::RunReply& run, const v1::RunRecord& record) {
  const v1::Counts& totals = record.totals();
  return fmt::format(
      "run {} stopped after {} blocks\nreceived {}, accepted {}, rejected {}, residual {}\nledger balances: "
      "{}; clients agree: "
      "{}\nrecord {}\n",
      run.run(), record.blocks_size(), grouped(totals.received()), grouped(totals.accepted()),
      grouped(totals.rejected()), totals.residual(), record.residual_is_zero() ? "yes" : "NO",
      record.clients_agree() ? "yes" : "NO", run.record_path());
}

int stop_run(const RunOptions& options) {
  v1::ControlRequest request;
  request.mutable_run_stop()->set_comment(options.comment);
  const auto reply = call_daemon(options.control.endpoint, request);
  if (!reply) return report_failure(reply.error(), options.control.json);
  v1::RunRecord record;
  google::protobuf::util::JsonParseOptions lenient;
  lenient.ignore_unknown_fields = true;  // a later daemon may say more
  if (!google::protobuf::util::JsonStringToMessage(reply->run().record_json(), &record, lenient).ok()) {
    return report_failure({ErrorCode::kCorrupt, "the daemon's run record cannot be read"},
                          options.control.json);
  }
  const int written =
      options.control.json ? print_json(reply->run()) : print_text(record_text(reply->run(), record));
  if (written != base::kExitOk) return written;
  return record.residual_is_zero() && record.clients_agree() ? base::kExitOk : base::kExitFailed;
}

CLI::App* add_verb(CLI::App& run, const char* name, const char* description,
                   const std::shared_ptr<RunOptions>& options) {
  CLI::App* command = run.add_subcommand(name, description);
  add_control_options(*command, options->control);
  command->add_option("--comment", options->comment, "Kept in the run record");
  return command;
}

}  // namespace

void add_run_command(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<RunOptions>();
  CLI::App* run = app.add_subcommand("run", "Start or stop a run");
  run->require_subcommand(1);
  run->footer(
      R"(Events are decided only while a run is on. Stopping lets the clients finish what they have sent, then writes the
run record; it exits with 1 when the ledger does not balance or a client counted otherwise.

Examples:
  kantrig run start --comment "cosmics, magnet off"
  kantrig run stop --json | jq -r .record_json | jq .totals)");
  add_verb(*run, "start", "Start a run", options)->callback([options, &exit_code] {
    exit_code = start_run(*options);
  });
  add_verb(*run, "stop", "Stop the run that is on", options)->callback([options, &exit_code] {
    exit_code = stop_run(*options);
  });
}

}  // namespace kantrig::apps
