// Time as the program sees it: handed to whoever needs it, so that a test can own it.
#pragma once

#include <cstdint>

namespace kantrig::base {

class Clock {
 public:
  virtual ~Clock() = default;
  /// Monotonic, ns, from an arbitrary origin. For durations and deadlines.
  [[nodiscard]] virtual std::uint64_t now_ns() const noexcept = 0;
  /// Unix time, ns. For records and messages.
  [[nodiscard]] virtual std::uint64_t unix_ns() const noexcept = 0;
};

/// The machine's own clocks. Thread-safe.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] std::uint64_t now_ns() const noexcept override;
  [[nodiscard]] std::uint64_t unix_ns() const noexcept override;
};

}  // namespace kantrig::base
