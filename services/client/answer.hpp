// Answer: what became of a batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "wire/messages.hpp"

namespace kantrig::client {

/// Every batch gets exactly one.
enum class Outcome : std::uint8_t {
  kDecided,  // event by event
  kRefused,  // finally, as a whole: `decision.reason` and `decision.detail` say why
  kUnknown,  // decided or not, nobody can tell: the daemon no longer has the books of this lane
  kClosed,   // the client was closed before an answer came
};

/// Handed to the callback; everything it points to is valid during the call only.
struct Answer {
  Outcome outcome = Outcome::kDecided;
  Sequence sequence;
  std::uint64_t first_event_id = 0;
  std::uint32_t event_count = 0;
  std::uint64_t round_trip_ns = 0;  // from the first time it was sent
  wire::DecisionView decision;      // of kDecided and kRefused; the detail of kUnknown

  /// Precondition: kDecided and event < event_count.
  [[nodiscard]] bool accepted(std::uint32_t event) const noexcept {
    return ((static_cast<unsigned>(decision.accept_bitmap[event / 8]) >> (event % 8)) & 1U) != 0;
  }
};

using AnswerCallback = std::function<void(const Answer&)>;

/// An answer that keeps what it holds.
struct Decisions {
  Outcome outcome = Outcome::kDecided;
  wire::Reason reason = wire::Reason::kNone;
  std::string detail;
  Sequence sequence;
  std::uint64_t first_event_id = 0;
  std::uint32_t event_count = 0;
  std::uint32_t accepted_count = 0;
  std::uint32_t rejected_count = 0;
  std::uint32_t malformed_count = 0;
  std::vector<bool> accepted;            // one an event
  std::vector<bool> malformed;           // one an event, or empty when none is
  std::vector<std::uint64_t> line_bits;  // one an event, when asked for
  std::vector<std::uint8_t> classes;     // one an event, when asked for
  std::vector<std::int16_t> scores;      // event by event, when asked for
  std::uint32_t score_count = 0;         // an event
  Generation generation;
  wire::Path path = wire::Path::kUnspecified;
  RunNumber run;
  BlockNumber block;
  bool duplicate = false;
  std::uint64_t round_trip_ns = 0;

  [[nodiscard]] static Decisions of(const Answer& answer);
};

}  // namespace kantrig::client
