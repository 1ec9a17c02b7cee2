// The messages of proto/kantrig/v1 as plain structs: what the other libraries see of the protocol.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/ids.hpp"

namespace kantrig::wire {

inline constexpr std::uint32_t kProtocol = 1;  // the version that is spoken here

/// How the values of a payload are stored. Numbers as in event.proto.
enum class Encoding : std::uint8_t { kUnspecified = 0, kFloat32 = 1, kCode8 = 2, kCode16 = 3 };

/// Bytes of one value; 0 for kUnspecified.
[[nodiscard]] constexpr std::uint32_t value_bytes(Encoding encoding) noexcept {
  switch (encoding) {
    case Encoding::kFloat32:
      return 4;
    case Encoding::kCode8:
      return 1;
    case Encoding::kCode16:
      return 2;
    case Encoding::kUnspecified:
      break;
  }
  return 0;
}

/// What evaluated a batch. Numbers as in decision.proto.
enum class Path : std::uint8_t { kUnspecified = 0, kCpu = 1, kFpga = 2 };

/// Why a batch, or an event of it, got no decision. Numbers and meanings as in decision.proto.
enum class Reason : std::uint8_t {
  kNone = 0,
  kHeader = 1,
  kProtocolVersion = 2,
  kEncoding = 3,
  kFeatureCount = 4,
  kEventCount = 5,
  kPayloadSize = 6,
  kNotFinite = 7,
  kSourceUnknown = 8,
  kNotWelcomed = 9,
  kSequenceGap = 10,
  kSequenceOld = 11,
  kCredit = 12,
  kNoRun = 13,
  kRunMismatch = 14,
  kLaneLimit = 15,
};
inline constexpr std::uint32_t kReasonCount = 16;

/// As labels and people spell it: "payload_size"; "none" for kNone.
[[nodiscard]] std::string_view name_of(Reason reason) noexcept;
[[nodiscard]] std::string_view name_of(Encoding encoding) noexcept;  // "float32", "code8", "code16"
[[nodiscard]] std::string_view name_of(Path path) noexcept;          // "cpu", "fpga"

/// True for the reasons after which the client keeps the batch and sends it again.
[[nodiscard]] bool is_passing(Reason reason) noexcept;

/// What a lane may have unanswered at any time. 0 events: stop until told otherwise.
struct Credit {
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;  // of payload
  std::uint32_t batches = 0;
  friend bool operator==(const Credit&, const Credit&) = default;
};

// From the client.

struct BatchHeader {
  std::uint32_t protocol_version = 0;
  SourceId source;
  LaneId lane;
  RunNumber run;  // 0: whatever run is on
  Sequence sequence;
  std::uint64_t first_event_id = 0;
  std::uint32_t event_count = 0;
  std::uint32_t feature_count = 0;
  Encoding encoding = Encoding::kUnspecified;
  std::uint64_t send_time_ns = 0;  // the client's clock, Unix time
  bool want_lines = false;
  bool want_classes = false;
  bool want_scores = false;
  friend bool operator==(const BatchHeader&, const BatchHeader&) = default;
};

struct Hello {
  std::uint32_t protocol_version = 0;
  SourceId source;
  LaneId lane;
  std::string_view name;  // for people: host and program
  std::uint64_t instance = 0;
};

struct Heartbeat {
  std::uint64_t number = 0;  // echoed
};

struct DrainAck {
  SourceId source;
  LaneId lane;
  Sequence last_sequence;
};

/// Also echoed by the daemon.
struct Bye {
  SourceId source;
  LaneId lane;
  RunNumber run;
  std::uint64_t events_sent = 0;  // distinct events
  std::uint64_t events_accepted = 0;
  std::uint64_t events_rejected = 0;
  std::uint64_t events_malformed = 0;
  std::uint64_t events_refused = 0;  // finally, not those sent again
};

// To the client. Views: whoever makes one keeps what it points to.

struct DecisionView {
  SourceId source;
  LaneId lane;
  Sequence sequence;
  std::uint64_t first_event_id = 0;
  std::uint32_t event_count = 0;
  std::uint32_t accepted_count = 0;
  std::uint32_t rejected_count = 0;
  std::uint32_t malformed_count = 0;
  std::span<const std::byte> accept_bitmap;     // bit i % 8 of byte i / 8; (event_count + 7) / 8 bytes
  std::span<const std::byte> malformed_bitmap;  // as accept_bitmap; empty when malformed_count is 0
  std::span<const std::byte> line_bits;         // on request: event_count x uint64 little endian
  std::span<const std::byte> classes;           // on request: one byte an event
  std::span<const std::byte> scores;            // on request: event_count x score_count int16 little endian
  std::uint32_t score_count = 0;
  Generation generation;
  std::span<const std::byte> model_digest;
  std::span<const std::byte> menu_digest;
  Path path = Path::kUnspecified;
  Reason reason = Reason::kNone;
  RunNumber run;
  BlockNumber block;
  std::uint32_t column = 0;
  Sequence expected_sequence;  // with Reason::kSequenceGap
  std::uint64_t receive_time_ns = 0;
  std::uint64_t send_time_ns = 0;
  std::uint64_t client_send_time_ns = 0;
  bool duplicate = false;
  std::string_view detail;  // with a reason: what was expected
  Credit credit;
};

struct WelcomeView {
  std::uint32_t protocol_version = kProtocol;
  Reason reason = Reason::kNone;  // set when not welcome
  std::string_view detail;
  std::string_view endpoint;  // of the shard that owns the lane, when it is another
  Sequence next_sequence;
  Credit credit;
  std::uint32_t events_per_batch_max = 0;
  std::uint32_t heartbeat_interval_ms = 0;
  RunNumber run;
  Generation generation;
  std::span<const std::byte> model_digest;
  std::span<const std::byte> menu_digest;
  std::span<const std::string> features;  // of the active model
  std::span<const std::string> classes;
  std::span<const std::string> lines;  // of the active menu, by bit
  bool codes_only = false;
  std::span<const std::uint32_t> feature_bits;
};

}  // namespace kantrig::wire
