// Metrics: what was counted, as families of kantrig_card_*.
#pragma once

#include "apps/kantrig-card/figures.hpp"
#include "apps/kantrig-card/supervisor.hpp"
#include "telemetry/metric_writer.hpp"

namespace kantrig::card_host {

/// At every scrape.
void write_metrics(telemetry::MetricWriter& writer, const Figures& figures, const CardSnapshot& card,
                   std::uint64_t daemon_pid);

}  // namespace kantrig::card_host
