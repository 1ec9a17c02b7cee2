// Frame: one frame of a ZeroMQ message, whose content is shared and not copied.
#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace kantrig::wire {

/// Owns a zmq_msg_t, which this header need not name.
///
/// Threading: one owner; shared() copies may belong to other threads.
class Frame {
 public:
  /// Called when nobody reads `data` any more, maybe from an I/O thread of ZeroMQ.
  using Release = void (*)(void* data, void* hint);

  Frame() noexcept;  // empty
  /// `bytes` of uninitialised memory. Empty when there is none to be had.
  [[nodiscard]] static Frame with_size(std::size_t bytes) noexcept;
  [[nodiscard]] static Frame copy_of(std::span<const std::byte> bytes) noexcept;
  /// Reads `bytes` where they lie; they stay as they are until `release`, which is called exactly once.
  [[nodiscard]] static Frame borrowed(std::span<const std::byte> bytes, Release release, void* hint) noexcept;

  Frame(Frame&& other) noexcept;
  Frame& operator=(Frame&& other) noexcept;
  ~Frame();

  /// Another frame with the same content.
  [[nodiscard]] Frame shared() const noexcept;

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept;
  /// Precondition: made by with_size() and not yet shared.
  [[nodiscard]] std::span<std::byte> writable() noexcept;
  void clear() noexcept;

  /// The zmq_msg_t. For wire and client only.
  [[nodiscard]] void* handle() noexcept { return storage_.data(); }

 private:
  alignas(void*) mutable std::array<std::byte, 64> storage_;
};

}  // namespace kantrig::wire
