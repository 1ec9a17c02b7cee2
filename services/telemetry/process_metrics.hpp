// The process as Prometheus names it, from /proc/self, and what this build is.
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "telemetry/metric_writer.hpp"

namespace kantrig::telemetry {

struct ProcessState {
  double cpu_seconds = 0.0;         // user and system
  double start_time_seconds = 0.0;  // Unix time
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t threads = 0;
  std::uint64_t open_fds = 0;
  std::uint64_t max_fds = 0;
};

[[nodiscard]] Result<ProcessState> read_process_state();

/// process_*: the standard names. Writes nothing where /proc cannot be read.
void write_process_metrics(MetricWriter& writer);

/// kantrig_build_info{version, revision, compiler}.
void write_build_info(MetricWriter& writer);

}  // namespace kantrig::telemetry
