// kantrig send: events in, decisions out, and whether the two sides agree on how many.
#include <fmt/core.h>

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "apps/kantrig/commands.hpp"
#include "apps/kantrig/daemon_call.hpp"
#include "apps/kantrig/print.hpp"
#include "apps/kantrig/send/sender.hpp"
#include "base/exit_code.hpp"
#include "base/file.hpp"

namespace kantrig::apps {
namespace {

using Json = nlohmann::ordered_json;

struct CommandOptions {
  SendOptions send;
  std::string control;  // empty: the daemon is not asked for its counts
  std::string file;
  bool from_stdin = false;
  std::string encoding = "float32";
  std::string summary_file;
  std::string decisions_file;
  bool json = false;
  bool quiet = false;
};

SendProgress progress;  // a signal handler can reach nothing else

void stop_on_signal(int) {
  progress.stop = true;
}

wire::Encoding encoding_of(const std::string& name) {
  if (name == "code8") return wire::Encoding::kCode8;
  if (name == "code16") return wire::Encoding::kCode16;
  return wire::Encoding::kFloat32;
}

/// A line a second on a terminal, until destroyed.
class ProgressLine {
 public:
  explicit ProgressLine(bool shown) {
    if (shown) thread_ = std::jthread([](const std::stop_token& token) { show(token); });
  }
  ~ProgressLine() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
    fmt::print(stderr, "\r\033[K");
  }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

 private:
  static void show(const std::stop_token& token) {
    std::uint64_t before = 0;
    for (int tick = 1; !token.stop_requested(); ++tick) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));  // a display's pace; nothing waits for it
      if (tick % 10 != 0) continue;
      const std::uint64_t answered = progress.events_answered;
      const std::uint64_t accepted = progress.events_accepted;
      fmt::print(stderr, "\r\033[K{} events decided, {} /s, {:.2f} % accepted", grouped(answered),
                 grouped(answered - before),
                 answered == 0 ? 0.0 : 100.0 * static_cast<double>(accepted) / static_cast<double>(answered));
      before = answered;
    }
  }
  std::jthread thread_;
};

std::optional<v1::StatusReply> daemon_status(const std::string& control) {
  if (control.empty()) return std::nullopt;
  v1::ControlRequest request;
  request.mutable_status();
  const auto reply = call_daemon(control, request);
  if (!reply) return std::nullopt;
  return reply->status();
}

Json summary_of(const SendTotals& totals) {
  const client::Statistics& s = totals.statistics;
  const std::uint64_t decided = s.events_accepted + s.events_rejected;
  const auto quantile_us = [&totals](double q) {
    return static_cast<double>(totals.latency->quantile_ns(q)) * 1e-3;
  };
  return {{"events_sent", s.events_sent},
          {"events_accepted", s.events_accepted},
          {"events_rejected", s.events_rejected},
          {"events_malformed", s.events_malformed},
          {"events_refused", s.events_refused},
          {"events_unknown", s.events_unknown},
          {"accept_fraction",
           decided == 0 ? 0.0 : static_cast<double>(s.events_accepted) / static_cast<double>(decided)},
          {"batches_sent", s.batches_sent},
          {"batches_resent", s.batches_resent},
          {"reconnects", s.reconnects},
          {"seconds", totals.seconds},
          {"throughput_events_per_s", static_cast<double>(s.events_sent) / totals.seconds},
          {"latency_p50_us", quantile_us(0.5)},
          {"latency_p99_us", quantile_us(0.99)},
          {"latency_p999_us", quantile_us(0.999)},
          {"events_by_path", {{"cpu", totals.events_by_cpu}, {"fpga", totals.events_by_fpga}}},
          {"run", totals.run.value},
          {"generations", totals.generations}};
}

/// What the daemon counted in between, and whether it is what the client counted.
void add_daemon_counts(Json& summary, const v1::StatusReply& before, const v1::StatusReply& after) {
  const v1::Counts& a = before.total_counts();
  const v1::Counts& b = after.total_counts();
  const std::uint64_t duplicate = b.duplicate() - a.duplicate();
  const std::uint64_t refused = b.refused() - a.refused();
  const std::uint64_t distinct = b.received() - a.received() - duplicate - refused;
  summary["events_received"] = distinct;
  summary["daemon"] = {{"received", b.received() - a.received()},
                       {"accepted", b.accepted() - a.accepted()},
                       {"rejected", b.rejected() - a.rejected()},
                       {"duplicate", duplicate},
                       {"malformed", b.malformed() - a.malformed()},
                       {"refused", refused},
                       {"in_flight", b.in_flight()}};
  summary["ledger_residual"] = b.residual();
  const Json& client = summary;
  summary["balance"] =
      b.residual() == 0 && b.accepted() - a.accepted() == client["events_accepted"].get<std::uint64_t>() &&
      b.rejected() - a.rejected() == client["events_rejected"].get<std::uint64_t>() &&
      b.malformed() - a.malformed() == client["events_malformed"].get<std::uint64_t>() &&
      distinct + client["events_refused"].get<std::uint64_t>() == client["events_sent"].get<std::uint64_t>();
  summary["lines"] = Json::array();
  for (const v1::LineStatus& line : after.lines()) {
    summary["lines"].push_back({{"name", line.name()},
                                {"kind", line.kind()},
                                {"before_prescale", line.before_prescale()},
                                {"after_prescale", line.after_prescale()},
                                {"after_veto", line.after_veto()}});
  }
}

std::string text_of(const Json& s, const std::string& lines) {
  const auto number = [&s](const char* key) { return grouped(s[key].get<std::uint64_t>()); };
  std::string text = fmt::format(
      "sent        {} events in {} batches, {:.2f} s\n"
      "throughput  {} events/s\n"
      "latency     p50 {:.0f} us, p99 {:.0f} us, p99.9 {:.0f} us (a batch, as the client sees it)\n"
      "accepted    {} ({:.3f} %), rejected {}, malformed {}, refused {}\n"
      "decided by  CPU {}, FPGA {}\n"
      "again       {} batches sent again, {} reconnects\n",
      number("events_sent"), number("batches_sent"), s["seconds"].get<double>(),
      grouped(static_cast<std::uint64_t>(s["throughput_events_per_s"].get<double>())),
      s["latency_p50_us"].get<double>(), s["latency_p99_us"].get<double>(),
      s["latency_p999_us"].get<double>(), number("events_accepted"),
      100.0 * s["accept_fraction"].get<double>(), number("events_rejected"), number("events_malformed"),
      number("events_refused"), grouped(s["events_by_path"]["cpu"].get<std::uint64_t>()),
      grouped(s["events_by_path"]["fpga"].get<std::uint64_t>()), number("batches_resent"),
      number("reconnects"));
  if (!s.contains("balance")) return text;
  text += fmt::format("balance     {}: the daemon counted {} events, residual {}\n",
                      s["balance"].get<bool>() ? "the books agree" : "THE BOOKS DISAGREE",
                      number("events_received"), s["ledger_residual"].get<std::int64_t>());
  return text + '\n' + lines;
}

int report(const CommandOptions& options, const Json& summary, const std::string& lines) {
  if (!options.summary_file.empty()) {
    if (auto written = base::write_file_atomic(options.summary_file, summary.dump(2) + '\n'); !written) {
      fmt::print(stderr, "kantrig: {}\n", written.error().message);
      return base::kExitOutput;
    }
  }
  return options.json ? print_text(summary.dump(2) + '\n') : print_text(text_of(summary, lines));
}

Result<SendTotals> send_events(const CommandOptions& options) {
  const ProgressLine line(!options.quiet && ::isatty(STDERR_FILENO) != 0);
  if (options.from_stdin) return send_text(options.send, progress);
  const auto rows = read_event_rows(options.file, encoding_of(options.encoding));
  if (!rows) return tl::unexpected<Error>(rows.error());
  return send_rows(*rows, options.send, progress);
}

int run_send(CommandOptions options) {
  std::unique_ptr<DecisionFile> decisions;
  if (!options.decisions_file.empty()) {
    auto created = DecisionFile::create(options.decisions_file);
    if (!created) {
      fmt::print(stderr, "kantrig: {}\n", created.error().message);
      return base::kExitOutput;
    }
    decisions = std::move(*created);
    options.send.decisions = decisions.get();
  }
  std::signal(SIGINT, stop_on_signal);
  std::signal(SIGTERM, stop_on_signal);
  const auto before = daemon_status(options.control);
  if (!options.control.empty() && !before) {
    return report_failure(
        {ErrorCode::kTimeout, "no answer from " + options.control + ": is kantrigd running?"}, options.json);
  }
  const auto totals = send_events(options);
  if (!totals) {
    fmt::print(stderr, "kantrig: {}\n", totals.error().message);
    const bool input =
        totals.error().code == ErrorCode::kInvalid || totals.error().code == ErrorCode::kNotFound;
    return input ? base::kExitInput : base::kExitUnavailable;
  }
  if (decisions) {
    if (auto written = decisions->close(); !written) {
      fmt::print(stderr, "kantrig: {}\n", written.error().message);
      return base::kExitOutput;
    }
  }
  Json summary = summary_of(*totals);
  std::string lines;
  if (before) {
    const auto after = daemon_status(options.control);
    if (!after)
      return report_failure({ErrorCode::kTimeout, "the daemon stopped answering on " + options.control},
                            options.json);
    add_daemon_counts(summary, *before, *after);
    lines = lines_text(after->lines());
  }
  if (!totals->refusal.empty()) {
    summary["first_refusal"] = totals->refusal;
    fmt::print(stderr, "kantrig: some events got no decision: {}\n", totals->refusal);
  }
  if (const int code = report(options, summary, lines); code != base::kExitOk) return code;
  const bool all_answered = totals->statistics.events_unknown == 0;
  if (!all_answered || !summary.value("balance", true)) return base::kExitFailed;
  return totals->refusal.empty() ? base::kExitOk : base::kExitInput;
}

}  // namespace

void add_send_command(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<CommandOptions>();
  CLI::App* command = app.add_subcommand("send", "Send events from a file or the standard input, and report");
  auto* source = command->add_option_group("events");
  source->add_option("--x", options->file, "Events: .npy (rows x features) or .csv with a header line")
      ->type_name("FILE");
  source->add_flag("--stdin", options->from_stdin, "Events from the standard input, one a line");
  source->require_option(1);
  SendOptions& send = options->send;
  command->add_option("--endpoint", send.endpoint, "Where kantrigd takes events")->capture_default_str();
  command->add_option("--control", options->control,
                      "Where kantrigd takes commands: to compare its counts with ours");
  command->add_option("--events", send.events, "How many to send, going round the file; 0: each row once")
      ->capture_default_str();
  command->add_flag("--loop", send.loop, "Go round the file until stopped (Ctrl-C)");
  command->add_option("--rate", send.rate_hz, "Events a second; 0: as fast as they are taken")
      ->capture_default_str();
  command->add_option("--batch", send.batch_events, "Events in a batch")
      ->check(CLI::Range(1U, 1U << 20))
      ->capture_default_str();
  command->add_option("--pending", send.pending_max, "Batches in flight on a lane")
      ->check(CLI::Range(1U, 1U << 16))
      ->capture_default_str();
  command->add_option("--lanes", send.lanes, "Lanes, each a connection and a thread")
      ->check(CLI::Range(1U, 64U))
      ->capture_default_str();
  command->add_option("--lane", send.first_lane, "Number of the first lane")->capture_default_str();
  command->add_option("--source", send.source, "Source id")->capture_default_str();
  command
      ->add_option("--encoding", options->encoding,
                   "float32: physical values; code8, code16: the file holds codes")
      ->check(CLI::IsMember({"float32", "code8", "code16"}))
      ->capture_default_str();
  command
      ->add_option("--answer-timeout-ms", send.answer_timeout_ms, "Give up when no answer comes for so long")
      ->capture_default_str();
  command->add_option("--summary", options->summary_file, "Write the summary there, as JSON")
      ->type_name("FILE");
  command
      ->add_option(
          "--decisions", options->decisions_file,
          "Write every event's decision there, as CSV with class, path, generation, model and scores")
      ->type_name("FILE");
  command->add_flag("--json", options->json, "Print the summary as JSON");
  command->add_flag("--quiet", options->quiet, "No progress line");
  command->footer(
      R"(Each event gets exactly one decision, also when the daemon is killed and comes back in between: what has no answer is
sent again, and the daemon decides it once.

Examples:
  kantrig send --x jets.npy
  kantrig send --x jets.npy --control ipc:///run/kantrig/control --events 1000000 --json
  my-detector | kantrig send --stdin --rate 10000

Exit codes: 0 sent and answered (and the books agree, with --control), 1 they do not agree or an answer was lost for good,
3 the events cannot be read, or were refused since they do not fit the model, 4 the daemon cannot be reached or stopped answering.)");
  command->callback([options, &exit_code] { exit_code = run_send(*options); });
}

}  // namespace kantrig::apps
