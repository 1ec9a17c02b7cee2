// ServerSocket: the ROUTER that clients connect to. Receives without copying, sends without waiting.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "wire/context.hpp"
#include "wire/frame.hpp"

namespace kantrig::wire {

/// Names a connection on its socket: up to 255 bytes chosen by the peer or by ZeroMQ.
struct Identity {
  static constexpr std::size_t kBytesMax = 255;
  std::uint8_t size = 0;
  std::array<std::byte, kBytesMax> data{};

  Identity() = default;
  explicit Identity(std::span<const std::byte> bytes) noexcept
      : size(static_cast<std::uint8_t>(bytes.size() < kBytesMax ? bytes.size() : kBytesMax)) {
    if (size > 0) std::memcpy(data.data(), bytes.data(), size);
  }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data.data(), size}; }
  friend bool operator==(const Identity& a, const Identity& b) noexcept {
    return a.size == b.size && std::memcmp(a.data.data(), b.data.data(), a.size) == 0;
  }
};

struct IdentityHash {
  [[nodiscard]] std::size_t operator()(const Identity& identity) const noexcept;
};

struct ServerSocketOptions {
  std::vector<std::string> endpoints;   // ipc://PATH or tcp://ADDRESS:PORT (PORT * takes a free one)
  std::uint32_t receive_hwm = 100'000;  // messages per connection; above the credit: a fuse, not the valve
  std::uint32_t send_hwm = 100'000;
  std::uint64_t message_bytes_max = 64U << 20;  // larger ones close their connection
  std::uint32_t handshake_timeout_ms = 5'000;
  std::uint32_t linger_ms = 0;            // how long close() tries to get rid of what was sent
  std::uint32_t kernel_buffer_bytes = 0;  // SO_SNDBUF and SO_RCVBUF; 0: the system's
};

/// One message as received; reused for the next. Spans point into ZeroMQ's own memory.
/// Not to be moved while it holds a message: a frame of up to 33 bytes lies in the object itself.
class ServerMessageFrames {
 public:
  static constexpr std::size_t kFramesMax = 3;

  [[nodiscard]] const Identity& identity() const noexcept { return identity_; }
  /// The frames after the identity, kFramesMax at most. Valid until the next receive().
  [[nodiscard]] std::span<const std::span<const std::byte>> frames() const noexcept {
    return {spans_.data(), count_};
  }
  /// True when the message had more frames than that; they were read and thrown away with it.
  [[nodiscard]] bool too_many_frames() const noexcept { return too_many_; }
  /// Gives the memory back to ZeroMQ before the next receive().
  void clear() noexcept;

 private:
  friend class ServerSocket;
  Identity identity_;
  Frame identity_frame_;
  std::array<Frame, kFramesMax> frames_;
  std::array<std::span<const std::byte>, kFramesMax> spans_{};
  std::size_t count_ = 0;
  bool too_many_ = false;
};

enum class SendResult : std::uint8_t {
  kSent,  // handed to ZeroMQ
  kFull,  // the connection's high-water mark is reached: the peer does not read
  kGone,  // no such connection
};

struct WaitResult {
  bool readable = false;  // receive() may find something
  bool woken = false;     // wake_fd is readable
};

/// Threading:  owned by one agent; made in any thread, then used in one.
/// Allocation: none of ours; ZeroMQ allocates for frames above 33 bytes.
class ServerSocket {
 public:
  /// Binds every endpoint or none. An ipc path on which somebody answers is in use; one that nobody serves is
  /// replaced. Errors name the endpoint and the cause.
  [[nodiscard]] static Result<ServerSocket> bind(Context& context, const ServerSocketOptions& options);
  ServerSocket(ServerSocket&& other) noexcept;
  ServerSocket& operator=(ServerSocket&& other) noexcept;
  ~ServerSocket();

  /// As bound: with the port that was chosen for *.
  [[nodiscard]] const std::vector<std::string>& endpoints() const noexcept { return endpoints_; }

  /// The next message, without waiting. False when there is none.
  [[nodiscard]] bool receive(ServerMessageFrames& message) noexcept;

  /// One frame, `head` followed by `tail`, without waiting.
  [[nodiscard]] SendResult send(const Identity& to, std::span<const std::byte> head,
                                std::span<const std::byte> tail = {}) noexcept;

  /// Waits until there may be a message, `wake_fd` is readable (-1: none) or `timeout_ms` have passed.
  /// Precondition: receive() was the last call on this socket, and said that there is none.
  [[nodiscard]] WaitResult wait(std::uint32_t timeout_ms, int wake_fd) noexcept;

  /// Becomes readable when there may be a message (edge triggered: ask receive() until it says no).
  [[nodiscard]] int fd() const noexcept;

 private:
  explicit ServerSocket(void* handle) noexcept : handle_(handle) {}
  void* handle_ = nullptr;
  std::vector<std::string> endpoints_;
};

}  // namespace kantrig::wire
