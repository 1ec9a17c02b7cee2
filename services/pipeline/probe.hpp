// ShardProbe: what one shard counts for the metrics, beyond its ledger. Written by the shard, read by the scrape.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "telemetry/counter.hpp"
#include "telemetry/histogram.hpp"

namespace kantrig::pipeline {

/// What one line of the menu counted, by its name and so across menus.
struct LineProbe {
  telemetry::Counter before_prescale;
  telemetry::Counter after_prescale;
  telemetry::Counter after_veto;
};

/// Owned by the shard. Every member has one writer, the shard's thread.
struct ShardProbe {
  explicit ShardProbe(std::uint32_t features_max) : clamped(features_max) {}

  void batch_received(std::uint32_t events) noexcept {
    batches.add(1);
    batch_events.observe(events);
  }
  void batch_answered(std::uint64_t receive_ns, std::uint64_t decided_ns, std::uint64_t sent_ns) noexcept {
    receive_to_decision.observe_ns(decided_ns - receive_ns);
    decision_to_send.observe_ns(sent_ns - decided_ns);
    whole.observe_ns(sent_ns - receive_ns);
  }

  telemetry::Counter cycles;               // turns of the duty cycle: the shard is alive
  telemetry::Counter batches;
  telemetry::Counter messages_unreadable;  // no header could be read
  telemetry::Counter answers_undelivered;  // the client was gone or never read; the answer is kept for a repeat
  telemetry::Counter lanes_cut;            // for not reading their answers
  telemetry::Counter canaries_passed;
  telemetry::Counter canaries_failed;
  telemetry::Gauge canary_last_pass_unix_s;
  telemetry::Gauge lanes_live;
  telemetry::Gauge credit_events;          // granted to live lanes
  telemetry::Gauge answers_unsent;         // waiting for their client to read
  telemetry::Gauge drained;                // 1 when every live lane has acknowledged a credit of 0
  telemetry::LatencyHistogram receive_to_decision;
  telemetry::LatencyHistogram decision_to_send;
  telemetry::LatencyHistogram whole;
  telemetry::SizeHistogram batch_events;
  telemetry::Counter shadow_compared;
  telemetry::Counter shadow_class_disagreements;
  telemetry::Counter shadow_accept_disagreements;
  telemetry::Counter range_sampled_events;      // of FLOAT32 batches looked at for range
  std::vector<telemetry::Counter> clamped;      // of those, per feature: out of range
};

}  // namespace kantrig::pipeline
