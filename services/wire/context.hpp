// Context: the ZeroMQ context of a process and its I/O threads.
#pragma once

#include <cstdint>

#include "base/result.hpp"

namespace kantrig::wire {

/// Outlives every socket made from it. Thread-safe.
class Context {
 public:
  /// Errors: more I/O threads than the system gives (file descriptors, threads).
  [[nodiscard]] static Result<Context> create(std::uint32_t io_threads);
  Context(Context&& other) noexcept;
  Context& operator=(Context&& other) noexcept;
  ~Context();

  /// For wire and client only.
  [[nodiscard]] void* handle() const noexcept { return handle_; }

 private:
  explicit Context(void* handle) noexcept : handle_(handle) {}
  void* handle_ = nullptr;
};

}  // namespace kantrig::wire
