// kantrig bench: how fast the kernels and the whole service are on this machine.
#include <fmt/core.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "apps/kantrig/bench/child_process.hpp"
#include "apps/kantrig/bench/load.hpp"
#include "apps/kantrig/bench/service_bench.hpp"
#include "apps/kantrig/commands.hpp"
#include "apps/kantrig/print.hpp"
#include "base/clock.hpp"
#include "base/exit_code.hpp"
#include "kan/bundle.hpp"
#include "kan/kernel_bench.hpp"

namespace kantrig::apps {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kDefaultBundle = "models/jets/jets-1.1.0";

int failed(const Error& error) {
  fmt::print(stderr, "kantrig: {}\n", error.message);
  return error.code == ErrorCode::kNotFound || error.code == ErrorCode::kCorrupt ? base::kExitInput
                                                                                 : base::kExitFailed;
}

std::string cpu_name() {
  std::string name = "unknown";
  if (std::FILE* file = std::fopen("/proc/cpuinfo", "re"); file != nullptr) {
    char line[512];
    while (std::fgets(line, sizeof line, file) != nullptr) {
      const std::string_view text(line);
      if (!text.starts_with("model name")) continue;
      name = text.substr(text.find(':') + 2);
      name.erase(name.find_last_not_of('\n') + 1);
      break;
    }
    std::fclose(file);
  }
  return name;
}

struct KernelOptions {
  std::string bundle;
  bool json = false;
};

int bench_kernels(const KernelOptions& options) {
  const auto bundle = kan::load_bundle(options.bundle);
  if (!bundle) return failed(bundle.error());
  const base::SystemClock clock;
  const auto bench = kan::bench_kernels(bundle->model, clock);
  if (!bench) return failed(bench.error());
  if (options.json) {
    Json json{{"model", bundle->full_name()}, {"cpu", cpu_name()}, {"events_checked", bench->events_checked}};
    for (const auto& r : bench->results) {
      json["results"].push_back({{"kernel_set", r.kernel_set},
                                 {"batch", r.batch},
                                 {"ns_per_event", r.ns_per_event},
                                 {"events_per_s", r.events_per_s}});
    }
    for (const auto& r : bench->loads) {
      json["loads"].push_back({{"kernel_set", r.kernel_set},
                               {"encoding", r.encoding},
                               {"batch", r.batch},
                               {"ns_per_event", r.ns_per_event},
                               {"events_per_s", r.events_per_s}});
    }
    return print_text(json.dump(2) + '\n');
  }
  Table table({{"from", Align::kLeft},
               {"kernel set", Align::kLeft},
               {"batch", Align::kRight},
               {"ns an event", Align::kRight},
               {"events/s", Align::kRight}});
  for (const auto& r : bench->results) {
    table.add({"codes to class", r.kernel_set, std::to_string(r.batch), fmt::format("{:.2f}", r.ns_per_event),
               grouped(static_cast<std::uint64_t>(r.events_per_s))});
  }
  for (const auto& r : bench->loads) {
    table.add({r.encoding + " to codes", r.kernel_set, std::to_string(r.batch),
               fmt::format("{:.2f}", r.ns_per_event), grouped(static_cast<std::uint64_t>(r.events_per_s))});
  }
  return print_text(fmt::format("{} on {}; {} events equal to the reference in every set\n{}",
                                bundle->full_name(), cpu_name(), bench->events_checked, table.text()));
}

struct ServiceOptions {
  ServiceBenchOptions bench;
  std::string bundle;
  std::string menu;
  bool json = false;
};

Json json_of(const ServiceBenchResult& r) {
  return {{"encoding", wire::name_of(r.encoding)},    {"batch", r.batch},
          {"echo_events_per_s", r.echo_events_per_s}, {"daemon_events_per_s", r.daemon_events_per_s},
          {"throughput_ratio", r.throughput_ratio},   {"echo_p50_us", r.echo_p50_us},
          {"daemon_p50_us", r.daemon_p50_us},         {"echo_p99_us", r.echo_p99_us},
          {"daemon_p99_us", r.daemon_p99_us},         {"p99_ratio", r.p99_ratio}};
}

int bench_service(ServiceOptions options) {
  options.bench.bundle = options.bundle;
  options.bench.menu = options.menu;
  if (options.bundle.empty() || options.menu.empty()) {
    return failed(
        {ErrorCode::kNotFound, "no shipped bundle or menu found: name them with --model and --menu"});
  }
  const auto results = run_service_bench(options.bench, [](const ServiceBenchResult& r) {
    fmt::print(stderr,
               "{:>7} x {:<5} echo {:>12} /s  daemon {:>12} /s  ratio {:.2f}   p99 {:.1f} / {:.1f} us  ratio "
               "{:.2f}\n",
               wire::name_of(r.encoding), r.batch, grouped(static_cast<std::uint64_t>(r.echo_events_per_s)),
               grouped(static_cast<std::uint64_t>(r.daemon_events_per_s)), r.throughput_ratio,
               r.daemon_p99_us, r.echo_p99_us, r.p99_ratio);
  });
  if (!results) return failed(results.error());
  if (!options.json) return base::kExitOk;
  Json json{{"cpu", cpu_name()}};
  for (const auto& r : *results) json["results"].push_back(json_of(r));
  return print_text(json.dump(2) + '\n');
}

}  // namespace

void add_bench_command(CLI::App& app, int& exit_code) {
  CLI::App* bench = app.add_subcommand("bench", "Measure this machine: kernels, service, card");
  bench->require_subcommand(1);

  const auto kernels = std::make_shared<KernelOptions>();
  kernels->bundle = shipped_file(kDefaultBundle).string();
  CLI::App* kernel_command = bench->add_subcommand(
      "kernels", "Each kernel set on one thread, after comparing it with the reference");
  kernel_command->add_option("--model", kernels->bundle, "Folder of a bundle")->capture_default_str();
  kernel_command->add_flag("--json", kernels->json, "Print JSON for scripts");
  kernel_command->footer("Example:\n  kantrig bench kernels --model models/jets-1.1.0 --json");
  kernel_command->callback([kernels, &exit_code] { exit_code = bench_kernels(*kernels); });

  const auto service = std::make_shared<ServiceOptions>();
  service->bundle = kernels->bundle;
  service->menu = shipped_file("menu.toml").string();
  CLI::App* service_command = bench->add_subcommand(
      "service",
      "The daemon's whole work against a plain ROUTER/DEALER echo of the same frames, over ipc, in one run");
  service_command->add_option("--model", service->bundle, "Folder of a bundle")->capture_default_str();
  service_command->add_option("--menu", service->menu, "Menu file")->capture_default_str();
  service_command->add_option("--batches", service->bench.batches, "Events in a batch")
      ->delimiter(',')
      ->capture_default_str();
  service_command->add_option("--rounds", service->bench.rounds, "Rounds of each case; medians are reported")
      ->check(CLI::Range(1U, 1000U))
      ->capture_default_str();
  service_command->add_option("--round-ms", service->bench.round_ms, "Length of a throughput round")
      ->check(CLI::Range(10U, 60'000U))
      ->capture_default_str();
  service_command
      ->add_option("--lock-step-count", service->bench.lock_step_count, "Batches of a lock-step round")
      ->check(CLI::Range(10U, 1'000'000U))
      ->capture_default_str();
  service_command
      ->add_option("--daemon-set", service->bench.daemon_settings,
                   "A setting of the daemon, as section.key=value")
      ->allow_extra_args(false)
      ->take_all();
  service_command->add_flag("--json", service->json, "Print JSON for scripts");
  service_command->footer(
      "Throughput keeps a window of batches in flight; p99 is of lock step, one batch at a time.\nA ratio "
      "above 1 of throughput or below 1 of p99 means that the daemon beats the echo.");
  service_command->callback([service, &exit_code] { exit_code = bench_service(*service); });

  add_bench_card_command(*bench, exit_code);

  const auto endpoint = std::make_shared<std::string>();
  CLI::App* echo =
      bench->add_subcommand("echo-server", "The echo that bench service starts beside the daemon")->group("");
  echo->add_option("--endpoint", *endpoint)->required();
  echo->callback([endpoint, &exit_code] { exit_code = run_echo_server(*endpoint); });
}

}  // namespace kantrig::apps
