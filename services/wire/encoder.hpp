// Encoder: the daemon's messages, written where the caller wants them. Formats: decision.proto and
// session.proto.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "wire/messages.hpp"

namespace kantrig::wire {

/// What a client asked its answer to hold.
struct AnswerWants {
  bool lines = false;
  bool classes = false;
  bool scores = false;
};

/// The detail of a refusal is cut to this many bytes.
inline constexpr std::size_t kDetailBytesMax = 512;

/// An upper bound of the bytes of the answer to a batch of `event_count` events.
[[nodiscard]] std::size_t encoded_bytes_max(std::uint32_t event_count, std::uint32_t score_count,
                                            AnswerWants wants) noexcept;

/// Room for a suffix, a heartbeat, a credit or a bye.
inline constexpr std::size_t kSmallMessageBytesMax = 128;

/// Writes one kantrig.v1.ServerMessage per call into `out` and returns the bytes written; 0 when `out` is too
/// small, in which case `out` is as it was.
///
/// Threading:  owned by one agent.
/// Allocation: none, but for a welcome.
class Encoder {
 public:
  Encoder();
  ~Encoder();
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  /// Bitmaps, lines, classes and scores are copied once, from the view to `out`. All of credit is written,
  /// zeros too.
  [[nodiscard]] std::size_t encode(const DecisionView& decision, std::span<std::byte> out) noexcept;
  [[nodiscard]] std::size_t encode(const WelcomeView& welcome, std::span<std::byte> out) noexcept;
  [[nodiscard]] std::size_t encode(const Heartbeat& heartbeat, std::span<std::byte> out) noexcept;
  [[nodiscard]] std::size_t encode(const Credit& credit, std::span<std::byte> out) noexcept;
  [[nodiscard]] std::size_t encode(const Bye& bye, std::span<std::byte> out) noexcept;

  /// The answer to a repeated batch is the kept bytes followed by this suffix, in one frame: a parser merges
  /// the two (protobuf: the same member of a oneof given twice), so that the client reads the kept answer
  /// with `duplicate` set and `credit` renewed.
  [[nodiscard]] std::size_t encode_duplicate_suffix(const Credit& credit, std::span<std::byte> out) noexcept;

  /// Bytes that encode(welcome) needs.
  [[nodiscard]] std::size_t encoded_bytes(const WelcomeView& welcome) noexcept;

 private:
  struct Messages;
  std::unique_ptr<Messages> messages_;
};

}  // namespace kantrig::wire
