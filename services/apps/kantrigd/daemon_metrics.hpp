// DaemonMetrics: folds what the shards and their ledgers counted into the page of metrics.
#pragma once

#include <cstdint>
#include <vector>

#include "control/controller.hpp"
#include "pipeline/shard.hpp"
#include "telemetry/metric_writer.hpp"

namespace kantrig::apps {

/// Threading: the control thread.
class DaemonMetrics {
 public:
  DaemonMetrics(const control::Controller& controller, std::vector<pipeline::Shard*> shards);

  /// At every scrape.
  void write(telemetry::MetricWriter& writer);
  /// Every ten seconds: closes the window over which the out-of-range ratios are taken.
  void close_range_window();

 private:
  void write_ledger(telemetry::MetricWriter& writer);
  void write_lines(telemetry::MetricWriter& writer) const;
  void write_latencies(telemetry::MetricWriter& writer) const;
  void write_gauges(telemetry::MetricWriter& writer) const;
  void write_conditions(telemetry::MetricWriter& writer) const;
  void write_ranges(telemetry::MetricWriter& writer) const;
  void write_shadow_and_canaries(telemetry::MetricWriter& writer) const;

  const control::Controller& controller_;
  std::vector<pipeline::Shard*> shards_;
  ledger::ShardLedger::Snapshot snapshot_;  // large: kept off the stack

  struct RangeTotals {
    std::uint64_t sampled = 0;
    std::vector<std::uint64_t> clamped;
  };
  [[nodiscard]] RangeTotals range_totals() const;
  RangeTotals window_start_;
  std::vector<double> range_ratios_;
};

}  // namespace kantrig::apps
