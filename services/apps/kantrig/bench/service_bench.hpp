// The service benchmark: the daemon's whole work against a plain echo of the same frames, in one run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "wire/messages.hpp"

namespace kantrig::apps {

struct ServiceBenchOptions {
  std::filesystem::path bundle;  // the model that decides
  std::filesystem::path menu;
  std::vector<std::uint32_t> batches = {1, 64, 1024, 4096};
  std::uint32_t rounds = 5;  // of each case, echo and daemon in turn; the median ratio is reported
  std::uint32_t round_ms = 300;
  std::uint32_t lock_step_count = 2000;      // per round
  std::vector<std::string> daemon_settings;  // more "section.key=value" for the daemon
};

/// One case. Latencies are of lock step: one batch in flight.
struct ServiceBenchResult {
  wire::Encoding encoding = wire::Encoding::kCode8;
  std::uint32_t batch = 0;
  double echo_events_per_s = 0.0;
  double daemon_events_per_s = 0.0;
  double throughput_ratio = 0.0;  // daemon / echo, median over the rounds
  double echo_p50_us = 0.0;
  double daemon_p50_us = 0.0;
  double echo_p99_us = 0.0;
  double daemon_p99_us = 0.0;
  double p99_ratio = 0.0;  // daemon / echo, median over the rounds
};

/// Starts both servers as processes of their own on ipc endpoints in a folder that goes afterwards.
/// `progress` is told each case as it is done.
[[nodiscard]] Result<std::vector<ServiceBenchResult>> run_service_bench(
    const ServiceBenchOptions& options, const std::function<void(const ServiceBenchResult&)>& progress);

}  // namespace kantrig::apps
