// The client's half of the codec: what it sends, written; what the daemon sends, read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "wire/messages.hpp"

namespace kantrig::wire {

/// Room for any one message below but a hello, whose name adds to it.
inline constexpr std::size_t kClientMessageBytesMax = 160;

// Each writes one message into `out` and returns the bytes written; 0 when `out` is too small. Nothing
// allocates.
/// The first frame of a two-frame batch.
[[nodiscard]] std::size_t encode_header(const BatchHeader& header, std::span<std::byte> out) noexcept;
[[nodiscard]] std::size_t encode_hello(const Hello& hello, std::span<std::byte> out) noexcept;
[[nodiscard]] std::size_t encode_heartbeat(const Heartbeat& heartbeat, std::span<std::byte> out) noexcept;
[[nodiscard]] std::size_t encode_drain_ack(const DrainAck& ack, std::span<std::byte> out) noexcept;
[[nodiscard]] std::size_t encode_bye(const Bye& bye, std::span<std::byte> out) noexcept;

enum class ServerMessageKind : std::uint8_t { kMalformed, kWelcome, kDecision, kHeartbeat, kCredit, kBye };

/// One message of the daemon; `kind` says which member means something.
struct ServerMessage {
  ServerMessageKind kind = ServerMessageKind::kMalformed;
  WelcomeView welcome;
  DecisionView decision;
  Heartbeat heartbeat;
  Credit credit;
  Bye bye;
};

/// Threading:  one owner.
/// Allocation: what protobuf takes for the sub-message and its byte strings.
class ServerDecoder {
 public:
  ServerDecoder();
  ~ServerDecoder();
  ServerDecoder(ServerDecoder&&) noexcept;
  ServerDecoder& operator=(ServerDecoder&&) noexcept;

  /// The result and its views are valid until the next call.
  [[nodiscard]] const ServerMessage& decode(std::span<const std::byte> frame) noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kantrig::wire
