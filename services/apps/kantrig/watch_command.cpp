// kantrig watch: the status again and again, with rates.
#include <unistd.h>

#include <fmt/core.h>

#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include "apps/kantrig/commands.hpp"
#include "apps/kantrig/control_options.hpp"
#include "apps/kantrig/daemon_call.hpp"
#include "apps/kantrig/print.hpp"
#include "base/exit_code.hpp"

namespace kantrig::apps {
namespace {

constexpr std::string_view kClearScreen = "\x1b[H\x1b[2J";

struct WatchOptions {
  ControlOptions control;
  double interval_seconds = 1.0;
  std::uint64_t count = 0;  // 0: until interrupted
};

/// Counts at one moment: two of them make a rate.
struct Sample {
  std::chrono::steady_clock::time_point at;
  v1::Counts counts;
};

double rate_hz(std::uint64_t before, std::uint64_t after, double seconds) {
  return after < before || seconds <= 0 ? 0.0 : static_cast<double>(after - before) / seconds;
}

std::string rates_text(const Sample& before, const Sample& after) {
  const double seconds = std::chrono::duration<double>(after.at - before.at).count();
  return fmt::format("received {:.0f} events/s, accepted {:.0f} events/s\n",
                     rate_hz(before.counts.received(), after.counts.received(), seconds),
                     rate_hz(before.counts.accepted(), after.counts.accepted(), seconds));
}

int watch(const WatchOptions& options) {
  const bool screen = !options.control.json && isatty(STDOUT_FILENO) == 1;
  std::optional<Sample> before;
  for (std::uint64_t shown = 0; options.count == 0 || shown < options.count; ++shown) {
    if (shown > 0) std::this_thread::sleep_for(std::chrono::duration<double>(options.interval_seconds));
    v1::ControlRequest request;
    request.mutable_status();
    const auto reply = call_daemon(options.control.endpoint, request);
    if (!reply) return report_failure(reply.error(), options.control.json);
    const Sample now{std::chrono::steady_clock::now(), reply->status().total_counts()};
    int written = base::kExitOk;
    if (options.control.json) {
      written = print_json(reply->status());
    } else {
      const std::string rates = before ? rates_text(*before, now) : std::string("\n");
      written = print_text(
          fmt::format("{}{}\n{}", screen ? kClearScreen : "", status_text(reply->status()), rates));
    }
    if (written != base::kExitOk) return written;
    before = now;
  }
  return base::kExitOk;
}

}  // namespace

void add_watch_command(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<WatchOptions>();
  CLI::App* command =
      app.add_subcommand("watch", "Show the status again and again, with rates, until interrupted");
  add_control_options(*command, options->control);
  command->add_option("--interval", options->interval_seconds, "Seconds between two looks")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  command->add_option("--count", options->count, "Stop after this many looks; 0: never")
      ->capture_default_str();
  command->footer(R"(Examples:
  kantrig watch
  kantrig watch --interval 10 --json >> status.log)");
  command->callback([options, &exit_code] { exit_code = watch(*options); });
}

}  // namespace kantrig::apps
