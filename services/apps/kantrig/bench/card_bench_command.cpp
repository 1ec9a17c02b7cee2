// kantrig bench card: slots through shared memory, XRT and the card.
#include <fmt/core.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "apps/kantrig/bench/card_bench.hpp"
#include "apps/kantrig/card/card_client.hpp"
#include "apps/kantrig/commands.hpp"
#include "apps/kantrig/print.hpp"
#include "base/exit_code.hpp"

namespace kantrig::apps {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  CardBenchOptions bench;
  bool json = false;
};

int failed(const Error& error) {
  fmt::print(stderr, "kantrig: {}\n", error.message);
  switch (error.code) {
    case ErrorCode::kCorrupt:
      return base::kExitFailed;
    case ErrorCode::kInvalid:
    case ErrorCode::kUnsupported:
      return base::kExitInput;
    default:
      return base::kExitUnavailable;
  }
}

Json json_of(const CardBench& bench) {
  Json json{{"device", bench.device}, {"events_checked", bench.events_checked}, {"results", Json::array()}};
  for (const CardBenchResult& r : bench.results) {
    json["results"].push_back({{"batch", r.batch},
                               {"events_per_s", r.events_per_s},
                               {"p50_us", r.p50_us},
                               {"p99_us", r.p99_us},
                               {"queue_us", r.queue_us},
                               {"copy_us", r.copy_us},
                               {"submit_us", r.submit_us},
                               {"fabric_us", r.fabric_us},
                               {"complete_us", r.complete_us},
                               {"xrt_us", r.xrt_us},
                               {"overhead_us", r.overhead_us}});
  }
  return json;
}

int run(Options options) {
  if (options.bench.socket.empty()) {
    const auto sockets = usual_card_sockets();
    if (sockets.size() != 1)
      return failed(
          {ErrorCode::kNotFound,
           fmt::format("{} cards in /run/kantrig, expected one: name a kantrig-card's socket with --socket",
                       sockets.size())});
    options.bench.socket = sockets.front();
  }
  fmt::print(stderr, "{:>7} {:>14} {:>9} {:>9} {:>8} {:>8} {:>8} {:>9} {:>9} {:>9} {:>9}\n", "batch",
             "events/s", "p50 us", "p99 us", "queue", "copy", "submit", "fabric", "complete", "XRT",
             "overhead");
  const auto bench = run_card_bench(options.bench, [](const CardBenchResult& r) {
    fmt::print(
        stderr,
        "{:>7} {:>14} {:>9.1f} {:>9.1f} {:>8.1f} {:>8.1f} {:>8.1f} {:>9.1f} {:>9.1f} {:>9.1f} {:>9.1f}\n",
        r.batch, grouped(static_cast<std::uint64_t>(r.events_per_s)), r.p50_us, r.p99_us, r.queue_us,
        r.copy_us, r.submit_us, r.fabric_us, r.complete_us, r.xrt_us, r.overhead_us);
  });
  if (!bench) return failed(bench.error());
  return options.json ? print_text(json_of(*bench).dump(2) + '\n') : base::kExitOk;
}

}  // namespace

void add_bench_card_command(CLI::App& bench, int& exit_code) {
  const auto options = std::make_shared<Options>();
  CLI::App* const command = bench.add_subcommand(
      "card", "Slots through shared memory, kantrig-card, XRT and the card; where the time goes");
  command->add_option("--socket", options->bench.socket,
                      "Where kantrig-card listens (default: the one in /run/kantrig)");
  command->add_option("--model", options->bench.bundle, "Folder of a bundle with fpga/ for the card")
      ->required();
  command->add_option("--batches", options->bench.batches, "Events in a slot")
      ->delimiter(',')
      ->check(CLI::Range(1U, 65'536U))
      ->capture_default_str();
  command->add_option("--slots", options->bench.slots, "Slots in flight in throughput rounds")
      ->check(CLI::Range(1U, 64U))
      ->capture_default_str();
  command
      ->add_option("--lock-step-count", options->bench.lock_step_count,
                   "Slots one after the other, for latencies")
      ->check(CLI::Range(10U, 1'000'000U))
      ->capture_default_str();
  command->add_option("--round-ms", options->bench.round_ms, "Length of a throughput round")
      ->check(CLI::Range(10U, 60'000U))
      ->capture_default_str();
  command->add_option(
      "--before-timing", options->bench.before_timing,
      "A shell command between checking the answers and timing, such as one that makes an emulated "
      "card answer at once");
  command->add_flag("--json", options->json, "Print JSON for scripts");
  command->footer(
      "Joins the card in place of a daemon, which must not run. All answers are compared with the golden "
      "outputs\n"
      "before anything is timed. Latencies and stages are medians of lock step; overhead is p50 less what "
      "XRT alone\n"
      "takes for the same copies, start and wait, measured in the same process.\n\n"
      "Example:\n  kantrig bench card --model models/jets-1.1.0-u250 --json");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace kantrig::apps
