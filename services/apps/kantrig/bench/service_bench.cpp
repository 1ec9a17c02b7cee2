#include "apps/kantrig/bench/service_bench.hpp"

#include <zmq.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <utility>

#include "apps/kantrig/bench/child_process.hpp"
#include "apps/kantrig/bench/load.hpp"
#include "base/clock.hpp"
#include "kan/bundle.hpp"

namespace kantrig::apps {
namespace {

/// A folder for sockets and state that goes with the benchmark.
class WorkFolder {
 public:
  WorkFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "kantrig-bench-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  ~WorkFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Events whose codes are spread evenly over each feature's range.
std::vector<std::byte> make_payload(const kan::Model& model, wire::Encoding encoding, std::uint32_t events) {
  std::mt19937_64 random(20260101);
  std::vector<std::byte> payload;
  const auto append = [&payload](const auto& value) {
    const auto bytes = std::as_bytes(std::span(&value, 1));
    payload.insert(payload.end(), bytes.begin(), bytes.end());
  };
  for (std::uint32_t i = 0; i < events; ++i) {
    for (const kan::InputFeature& input : model.inputs) {
      const auto code = static_cast<std::uint16_t>(random() >> (64 - input.bits));
      if (encoding == wire::Encoding::kCode8) append(static_cast<std::uint8_t>(code));
      if (encoding == wire::Encoding::kCode16) append(code);
      if (encoding == wire::Encoding::kFloat32)
        append((static_cast<float>(code) - input.offset) / input.scale);
    }
  }
  return payload;
}

/// As many batches as keep the server busy and stay far inside a lane's credit.
std::uint32_t window_for(std::uint32_t batch_events) {
  return std::clamp(65'536U / batch_events, 8U, 256U);
}

double quantile_us(const std::vector<std::uint64_t>& sorted_ns, double q) {
  const auto index = static_cast<std::size_t>(q * static_cast<double>(sorted_ns.size() - 1));
  return static_cast<double>(sorted_ns[index]) * 1e-3;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

struct Rounds {
  std::vector<double> events_per_s;
  std::vector<double> p50_us;
  std::vector<double> p99_us;
};

Result<void> run_round(Load& load, LoadShape shape, const ServiceBenchOptions& options, Rounds& into) {
  shape.window = window_for(shape.batch_events);
  const auto rate = load.throughput(shape, std::uint64_t{options.round_ms} * 1'000'000);
  if (!rate) return tl::unexpected<Error>(rate.error());
  shape.window = 1;
  const auto times = load.lock_step(shape, options.lock_step_count);
  if (!times) return tl::unexpected<Error>(times.error());
  into.events_per_s.push_back(*rate);
  into.p50_us.push_back(quantile_us(*times, 0.5));
  into.p99_us.push_back(quantile_us(*times, 0.99));
  return {};
}

Result<ServiceBenchResult> run_case(Load& echo, Load& daemon, const LoadShape& shape,
                                    const ServiceBenchOptions& options) {
  Rounds of_echo;
  Rounds of_daemon;
  for (std::uint32_t round = 0; round < options.rounds + 1; ++round) {
    Rounds warm_up;  // the first round is not counted
    if (auto ok = run_round(echo, shape, options, round == 0 ? warm_up : of_echo); !ok)
      return tl::unexpected<Error>(ok.error());
    if (auto ok = run_round(daemon, shape, options, round == 0 ? warm_up : of_daemon); !ok)
      return tl::unexpected<Error>(ok.error());
  }
  std::vector<double> throughput_ratios;
  std::vector<double> p99_ratios;
  for (std::uint32_t round = 0; round < options.rounds; ++round) {
    throughput_ratios.push_back(of_daemon.events_per_s[round] / of_echo.events_per_s[round]);
    p99_ratios.push_back(of_daemon.p99_us[round] / of_echo.p99_us[round]);
  }
  return ServiceBenchResult{.encoding = shape.encoding,
                            .batch = shape.batch_events,
                            .echo_events_per_s = median(of_echo.events_per_s),
                            .daemon_events_per_s = median(of_daemon.events_per_s),
                            .throughput_ratio = median(throughput_ratios),
                            .echo_p50_us = median(of_echo.p50_us),
                            .daemon_p50_us = median(of_daemon.p50_us),
                            .echo_p99_us = median(of_echo.p99_us),
                            .daemon_p99_us = median(of_daemon.p99_us),
                            .p99_ratio = median(p99_ratios)};
}

std::vector<std::string> daemon_arguments(const std::filesystem::path& folder,
                                          const ServiceBenchOptions& options) {
  const auto bundle = std::filesystem::absolute(options.bundle);
  std::vector<std::string> settings = {
      "events.endpoints=ipc://" + (folder / "events").string(),
      "control.endpoint=ipc://" + (folder / "control").string(),
      "ledger.state_directory=" + folder.string(),
      "model.repository=" + bundle.parent_path().string(),
      "model.active=" + bundle.filename().string(),
      "menu.file=" + std::filesystem::absolute(options.menu).string(),
      "telemetry.listen=127.0.0.1:0",
      "events.lane_timeout_ms=600000",  // the lane waits while the echo has its turn
      "stop.drain_timeout_ms=100",      // the load does not take part in a drain
      "log.level=error",
  };
  settings.insert(settings.end(), options.daemon_settings.begin(), options.daemon_settings.end());
  std::vector<std::string> arguments;
  for (const std::string& setting : settings) {
    arguments.emplace_back("--set");
    arguments.push_back(setting);
  }
  return arguments;
}

}  // namespace

Result<std::vector<ServiceBenchResult>> run_service_bench(
    const ServiceBenchOptions& options, const std::function<void(const ServiceBenchResult&)>& progress) {
  const auto bundle = kan::load_bundle(options.bundle);
  if (!bundle) return tl::unexpected<Error>(bundle.error());
  const WorkFolder folder;
  const std::string echo_endpoint = "ipc://" + (folder.path() / "echo").string();
  auto echo_process = ChildProcess::start(program_folder() / "kantrig",
                                          {"bench", "echo-server", "--endpoint", echo_endpoint});
  if (!echo_process) return tl::unexpected<Error>(echo_process.error());
  auto daemon_process =
      ChildProcess::start(program_folder() / "kantrigd", daemon_arguments(folder.path(), options));
  if (!daemon_process) return tl::unexpected<Error>(daemon_process.error());

  const std::unique_ptr<void, int (*)(void*)> context(zmq_ctx_new(), zmq_ctx_term);
  auto echo = Load::connect(context.get(), echo_endpoint, Load::Server::kEcho, 0);
  if (!echo) return tl::unexpected<Error>(echo.error());
  auto daemon =
      Load::connect(context.get(), "ipc://" + (folder.path() / "events").string(), Load::Server::kDaemon, 0);
  if (!daemon) return tl::unexpected<Error>(daemon.error());

  std::vector<ServiceBenchResult> results;
  for (const wire::Encoding encoding : {wire::Encoding::kCode8, wire::Encoding::kFloat32}) {
    for (const std::uint32_t batch : options.batches) {
      const LoadShape shape{.encoding = encoding,
                            .batch_events = batch,
                            .feature_count = bundle->model.input_count(),
                            .payload = make_payload(bundle->model, encoding, batch)};
      auto result = run_case(*echo, *daemon, shape, options);
      if (!result) return tl::unexpected<Error>(result.error());
      progress(*result);
      results.push_back(*result);
    }
  }
  return results;
}

}  // namespace kantrig::apps
