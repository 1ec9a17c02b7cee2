// Decoder: what a client sent, checked and as plain structs. Formats: proto/kantrig/v1/event.proto and
// session.proto.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "wire/messages.hpp"

namespace kantrig::wire {

enum class ClientMessageKind : std::uint8_t { kMalformed, kBatch, kHello, kHeartbeat, kDrainAck, kBye };

/// One message of a client; `kind` says which members mean something.
struct ClientMessage {
  ClientMessageKind kind = ClientMessageKind::kMalformed;
  /// kBatch; kMalformed too when `header_read`, so that the refusal can be tied to its lane and sequence.
  BatchHeader header;
  bool header_read = false;
  /// kBatch: event_count x feature_count values, in the frame or, for the one-frame form, in the decoder:
  /// then valid until the next decode(). Not aligned in general.
  std::span<const std::byte> payload;
  Hello hello;  // `name` is valid until the next decode()
  Heartbeat heartbeat;
  DrainAck drain_ack;
  Bye bye;
  /// kMalformed: what is wrong, and what was expected (static text).
  Reason reason = Reason::kNone;
  std::string_view detail;
};

/// Reads the frames of one message. Nothing that a peer sends is trusted; what cannot be read is kMalformed.
///
/// A batch is checked for protocol version, encoding, zero events or features, and a payload of exactly
/// event_count x feature_count values. Whether its feature count fits the model, its event count the limit
/// and its sequence the lane is for the shard to say.
///
/// Threading:  owned by one agent.
/// Allocation: none for two-frame batches once warm; the others take what protobuf takes for a sub-message.
class Decoder {
 public:
  /// Frames above `frame_bytes_max` are malformed, however right the rest is.
  explicit Decoder(std::size_t frame_bytes_max = std::size_t{1} << 30U);
  ~Decoder();
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  /// `frames` without the identity: two are header and payload of a batch, one is a kantrig.v1.ClientMessage.
  /// The result and its views are valid until the next call.
  [[nodiscard]] const ClientMessage& decode(std::span<const std::span<const std::byte>> frames) noexcept;

 private:
  struct Messages;
  void decode_two(std::span<const std::byte> header, std::span<const std::byte> payload) noexcept;
  void decode_one(std::span<const std::byte> frame) noexcept;
  void decode_floats() noexcept;
  void accept_batch(const BatchHeader& header, std::span<const std::byte> payload) noexcept;
  void refuse(Reason reason, std::string_view detail) noexcept;
  ClientMessage result_;
  std::size_t frame_bytes_max_;
  std::unique_ptr<Messages> messages_;
};

}  // namespace kantrig::wire
