// Options of a client, what the daemon told it, and what it counted.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "wire/context.hpp"
#include "wire/messages.hpp"

namespace kantrig::client {

struct Options {
  std::string endpoint =
      "ipc:///run/kantrig/events";  // of any shard: the daemon says which one owns the lane
  SourceId source{1};
  LaneId lane{0};    // of the source; each lane is one client
  std::string name;  // for people: host and program
  std::uint32_t connect_timeout_ms = 5'000;
  std::uint32_t submit_wait_ms = 0;           // how long submit() may poll for room; 0: kBusy at once
  std::uint32_t batches_pending_max = 1'024;  // without a final answer, sent or not
  std::uint64_t bytes_pending_max = 256U << 20;
  std::uint32_t resend_after_ms =
      2'000;                          // an answer this late makes the client send again; doubles up to 30 s
  std::uint32_t retry_after_ms = 10;  // pause after a passing refusal
  std::uint32_t silence_max_ms = 0;   // unanswered heartbeat after which to reconnect; 0: three intervals
  std::uint32_t kernel_buffer_bytes = 0;  // SO_SNDBUF and SO_RCVBUF; 0: the system's
  wire::Context* context = nullptr;       // shared by the clients of a program; empty: one of its own
  const base::Clock* clock = nullptr;     // empty: the machine's
};

/// As the last Welcome said.
struct Session {
  std::string endpoint;  // of the shard that owns the lane
  wire::Credit credit;
  std::uint32_t events_per_batch_max = 0;
  std::uint32_t heartbeat_interval_ms = 0;
  RunNumber run;
  Generation generation;
  std::vector<std::byte> model_digest;
  std::vector<std::byte> menu_digest;
  std::vector<std::string> features;
  std::vector<std::string> classes;
  std::vector<std::string> lines;  // of the menu, by bit
  std::vector<std::uint32_t> feature_bits;
  bool codes_only = false;  // the model takes codes, no floats

  [[nodiscard]] static Session of(const wire::WelcomeView& welcome, std::string endpoint);
};

/// Events by how they ended, and what it took. events_sent = accepted + rejected + malformed + refused +
/// unknown + pending.
struct Statistics {
  std::uint64_t batches_sent = 0;  // distinct ones
  std::uint64_t events_sent = 0;   // distinct ones
  std::uint64_t bytes_sent = 0;    // of payload, repetitions included
  std::uint64_t events_accepted = 0;
  std::uint64_t events_rejected = 0;
  std::uint64_t events_malformed = 0;
  std::uint64_t events_refused = 0;  // finally
  std::uint64_t events_unknown = 0;
  std::uint64_t batches_answered = 0;
  std::uint64_t batches_resent = 0;   // copies beyond the first
  std::uint64_t answers_ignored = 0;  // to batches that had theirs
  std::uint64_t answers_passing = 0;  // refusals for a passing reason
  std::uint64_t reconnects = 0;
  std::uint64_t resend_timeouts = 0;
  std::uint64_t books_lost = 0;  // the daemon no longer knew the lane
};

}  // namespace kantrig::client
