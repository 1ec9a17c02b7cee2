// ShardProbe: what one shard counts for the metrics, beyond its ledger. Written by the shard, read by the
// scrape.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/counter.hpp"
#include "base/histogram.hpp"

namespace kantrig::pipeline {

/// What one line of the menu counted, by its name and so across menus.
struct LineProbe {
  base::Counter before_prescale;
  base::Counter after_prescale;
  base::Counter after_veto;
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

  base::Counter cycles;  // turns of the duty cycle: the shard is alive
  base::Counter batches;
  base::Counter messages_unreadable;  // no header could be read
  base::Counter answers_undelivered;  // the client was gone or never read; the answer is kept for a repeat
  base::Counter lanes_cut;            // for not reading their answers
  base::Counter canaries_passed;
  base::Counter canaries_failed;
  base::Gauge canary_last_pass_unix_s;
  base::Gauge lanes_live;
  base::Gauge credit_events;   // granted to live lanes
  base::Gauge answers_unsent;  // waiting for their client to read
  base::Gauge drained;         // 1 when every live lane has acknowledged a credit of 0
  base::LatencyHistogram receive_to_decision;
  base::LatencyHistogram decision_to_send;
  base::LatencyHistogram whole;
  base::SizeHistogram batch_events;
  base::Counter shadow_compared;
  base::Counter shadow_class_disagreements;
  base::Counter shadow_accept_disagreements;
  base::Counter range_sampled_events;  // of FLOAT32 batches looked at for range
  std::vector<base::Counter> clamped;  // of those, per feature: out of range
};

}  // namespace kantrig::pipeline
