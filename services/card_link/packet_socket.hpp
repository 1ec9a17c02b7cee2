// PacketSocket: one end of a Unix SEQPACKET connection that carries packets with file descriptors. Listener:
// where they come from. Neither blocks; the descriptor is for whoever waits.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace kantrig::card_link {

inline constexpr std::size_t kDescriptorsMax = 66;  // region, card's doorbell, one doorbell a port

/// A file descriptor with an owner.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  explicit operator bool() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

struct Packet {
  std::string bytes;
  std::vector<Descriptor> descriptors;
};

/// Threading: owned by one thread.
class PacketSocket {
 public:
  explicit PacketSocket(Descriptor fd) : fd_(std::move(fd)) {}
  /// kNotFound when nobody listens at `path`, kBusy when whoever does accepts nobody.
  [[nodiscard]] static Result<PacketSocket> connect(const std::filesystem::path& path);

  /// kBusy when the other side does not read; kIo when it is gone.
  [[nodiscard]] Result<void> send(std::string_view bytes, std::span<const int> descriptors = {});
  /// The next packet, or nothing yet. kIo when the other side has closed; kInvalid for a packet that is too
  /// long or carries too many descriptors.
  [[nodiscard]] Result<std::optional<Packet>> receive();
  /// Waits until there may be a packet. False after `timeout_ms`.
  [[nodiscard]] bool wait(std::uint32_t timeout_ms) const;
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /// The process at the other end, as the kernel knows it; 0 when it does not.
  [[nodiscard]] std::uint64_t peer_pid() const;

 private:
  Descriptor fd_;
  std::string buffer_;
};

/// Threading: owned by one thread.
class Listener {
 public:
  /// Takes `path`, with access for owner and group. A socket that a dead process left there is replaced;
  /// kBusy when a living one listens.
  [[nodiscard]] static Result<Listener> open(const std::filesystem::path& path);
  ~Listener();
  Listener(Listener&&) noexcept = default;
  Listener& operator=(Listener&&) = delete;

  /// The next connection, or nothing yet.
  [[nodiscard]] Result<std::optional<PacketSocket>> accept();
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

 private:
  Listener(Descriptor fd, std::filesystem::path path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Descriptor fd_;
  std::filesystem::path path_;
};

}  // namespace kantrig::card_link
