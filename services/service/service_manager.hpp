// ServiceManager: what a program of ours tells systemd (sd_notify), or nobody when it was not started by it.
#pragma once

#include <cstdint>
#include <string_view>

namespace kantrig::service {

/// Threading: any one thread.
class ServiceManager {
 public:
  void ready(std::string_view status) const;
  void status(std::string_view text) const;
  /// Before a reload; ready() ends it.
  void reloading(std::uint64_t monotonic_ns) const;
  void stopping(std::string_view status) const;
  /// Asks for more time than TimeoutStopSec gives, while draining.
  void extend_timeout(std::uint64_t timeout_ms) const;
  void alive() const;
  /// How often alive() must come, halved as is the custom; 0 when no watchdog is set.
  [[nodiscard]] std::uint64_t watchdog_interval_ms() const;
};

}  // namespace kantrig::service
