// Connection: the client's DEALER and what its monitor says. Internal to client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/result.hpp"
#include "wire/context.hpp"
#include "wire/frame.hpp"

namespace kantrig::client {

/// Threading: one owner.
class Connection {
 public:
  /// `routing_id` names this client to the daemon's ROUTER: the same one after each reconnect.
  [[nodiscard]] static Result<Connection> open(wire::Context& context, const std::string& endpoint,
                                               std::span<const std::byte> routing_id,
                                               std::uint32_t kernel_buffer_bytes);
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&& other) noexcept;
  ~Connection();

  /// One frame, without waiting. False when there is no connection or it takes no more.
  [[nodiscard]] bool send(std::span<const std::byte> bytes) noexcept;
  /// Two frames, the second by reference to `payload`'s content.
  [[nodiscard]] bool send(std::span<const std::byte> header, const wire::Frame& payload) noexcept;
  /// The next message of one frame, without waiting; messages of more frames are skipped.
  [[nodiscard]] bool receive(wire::Frame& frame) noexcept;
  /// True when the connection was lost since the last question, even if there is another by now: what was
  /// under way will not be answered. A connection that comes back by itself says nothing.
  [[nodiscard]] bool lost() noexcept;
  /// Waits for a message, an event or, if asked, room to send.
  void wait(std::uint32_t timeout_ms, bool for_room) noexcept;

  [[nodiscard]] const std::string& endpoint() const noexcept { return endpoint_; }

 private:
  Connection() = default;
  void* dealer_ = nullptr;
  void* monitor_ = nullptr;
  std::string endpoint_;
};

}  // namespace kantrig::client
