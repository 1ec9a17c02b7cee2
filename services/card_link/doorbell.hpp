// Doorbell: an eventfd that wakes the other process.
#pragma once

#include <cstdint>
#include <utility>

#include "base/result.hpp"

namespace kantrig::card_link {

/// Owns the descriptor. ring() from any thread; drain() and waiting by whoever it wakes.
class Doorbell {
 public:
  [[nodiscard]] static Result<Doorbell> create();
  /// Takes a descriptor over that came from elsewhere; refused unless it is an eventfd.
  [[nodiscard]] static Result<Doorbell> adopt(int fd);
  /// Another descriptor of the same eventfd, of which `fd` stays the caller's.
  [[nodiscard]] static Result<Doorbell> duplicate(int fd);
  ~Doorbell();
  Doorbell(Doorbell&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Doorbell& operator=(Doorbell&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Doorbell(const Doorbell&) = delete;
  Doorbell& operator=(const Doorbell&) = delete;

  [[nodiscard]] int fd() const noexcept { return fd_; }
  void ring() const noexcept;
  /// Rearms it.
  void drain() const noexcept;
  /// Waits until it rings or `timeout_ms` have passed, and rearms it. True when it rang.
  [[nodiscard]] bool wait(std::uint32_t timeout_ms) const noexcept;

 private:
  explicit Doorbell(int fd) noexcept : fd_(fd) {}
  int fd_;
};

}  // namespace kantrig::card_link
