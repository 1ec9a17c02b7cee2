// Sender: sends events through the client library, one lane a thread, and adds up what became of them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "apps/kantrig/send/decision_file.hpp"
#include "apps/kantrig/send/event_source.hpp"
#include "base/histogram.hpp"
#include "base/result.hpp"
#include "client/client.hpp"

namespace kantrig::apps {

struct SendOptions {
  std::string endpoint = "ipc:///run/kantrig/events";
  std::uint32_t source = 1;
  std::uint32_t first_lane = 0;
  std::uint32_t lanes = 1;
  std::uint64_t events = 0;  // in all; 0: each row once, or all of the standard input
  bool loop = false;         // again and again, until stopped
  double rate_hz = 0.0;      // events a second over all lanes; 0: as fast as the daemon takes them
  std::uint32_t batch_events = 1024;
  std::uint32_t pending_max = 64;  // batches of a lane without an answer
  std::uint32_t answer_timeout_ms = 30'000;
  DecisionFile* decisions = nullptr;  // gets every decision, when there is one
};

/// What the client's side counted.
struct SendTotals {
  client::Statistics statistics;
  std::unique_ptr<base::LatencyHistogram> latency = std::make_unique<base::LatencyHistogram>();  // all lanes
  double seconds = 0.0;
  std::string refusal;                     // the first final refusal's reason and detail
  RunNumber run;                           // the last one that decided
  std::vector<std::uint64_t> generations;  // that decided, ascending
  std::uint64_t events_by_cpu = 0;         // of the decided ones
  std::uint64_t events_by_fpga = 0;
};

/// What there is to see while it goes on.
struct SendProgress {
  std::atomic<std::uint64_t> events_answered{0};
  std::atomic<std::uint64_t> events_accepted{0};
  std::atomic<bool> stop{false};  // asked to end early
};

/// Sends `rows`, split over the lanes, each lane in a thread. Event ids count from 0 over all lanes.
[[nodiscard]] Result<SendTotals> send_rows(const EventRows& rows, const SendOptions& options,
                                           SendProgress& progress);
/// Sends the standard input on one lane.
[[nodiscard]] Result<SendTotals> send_text(const SendOptions& options, SendProgress& progress);

}  // namespace kantrig::apps
