// The control socket: one request, one reply, each a string of bytes (kantrig.v1.ControlRequest and
// ControlReply).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

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

/// Threading: one thread.
class ControlClient {
 public:
  /// Connecting happens in the background: an endpoint that nobody serves shows in request().
  [[nodiscard]] static Result<ControlClient> connect(Context& context, std::string endpoint);
  ControlClient(ControlClient&& other) noexcept;
  ControlClient& operator=(ControlClient&& other) noexcept;
  ~ControlClient();

  /// Sends and waits for the reply. kTimeout says that nobody serves the endpoint, or that the reply did not
  /// come.
  [[nodiscard]] Result<std::string> request(std::string_view request, std::uint32_t timeout_ms);

 private:
  ControlClient(void* handle, std::string endpoint) noexcept
      : handle_(handle), endpoint_(std::move(endpoint)) {}
  void* handle_ = nullptr;
  std::string endpoint_;
};

}  // namespace kantrig::wire
