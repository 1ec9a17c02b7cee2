// The control socket: one request, one reply, each a string of bytes (kantrig.v1.ControlRequest and
// ControlReply).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"
#include "wire/context.hpp"
#include "wire/server_socket.hpp"

namespace kantrig::wire {

inline constexpr std::uint64_t kControlMessageBytesMax = 16U << 20;

struct ControlCall {
  Identity from;
  std::string request;
};

/// Threading: owned by the control thread.
class ControlServer {
 public:
  /// `endpoint`: ipc://PATH or tcp://ADDRESS:PORT. Errors as ServerSocket::bind().
  [[nodiscard]] static Result<ControlServer> bind(Context& context, std::string endpoint);

  /// As bound.
  [[nodiscard]] const std::string& endpoint() const noexcept { return socket_.endpoints().front(); }

  /// The next request, without waiting; messages of another shape are skipped. False when there is none.
  [[nodiscard]] bool receive(ControlCall& call);
  /// False when the caller is gone or does not read.
  [[nodiscard]] bool reply(const Identity& to, std::string_view reply) noexcept;

  /// For an event loop: when this descriptor becomes readable, call receive() until it says false; do so once
  /// after every reply() too, since the descriptor is edge triggered.
  [[nodiscard]] int fd() const noexcept { return socket_.fd(); }
  [[nodiscard]] WaitResult wait(std::uint32_t timeout_ms, int wake_fd) noexcept {
    return socket_.wait(timeout_ms, wake_fd);
  }

 private:
  explicit ControlServer(ServerSocket socket) : socket_(std::move(socket)) {}
  ServerSocket socket_;
  ServerMessageFrames message_;
};

/// Threading: one thread. The context must outlive it.
class ControlClient {
 public:
  ControlClient(Context& context, std::string endpoint)
      : context_(&context), endpoint_(std::move(endpoint)) {}

  /// Sends and waits for the reply, over a connection of its own, so that a late reply to an earlier request
  /// cannot be taken for this one's. kIo: nobody serves the endpoint. kTimeout: no reply within `timeout_ms`;
  /// the request may have been carried out.
  [[nodiscard]] Result<std::string> request(std::string_view request, std::uint32_t timeout_ms);

 private:
  Context* context_;
  std::string endpoint_;
};

}  // namespace kantrig::wire
