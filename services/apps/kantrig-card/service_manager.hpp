// ServiceManager: what the process tells systemd (sd_notify), or nobody when it was not started by it.
#pragma once

#include <cstdint>
#include <string_view>

namespace kantrig::card_host {

/// Threading: the main thread.
class ServiceManager {
 public:
  void ready(std::string_view status) const;
  void status(std::string_view text) const;
  void stopping() const;
  void alive() const;
  /// Whether alive() is asked for.
  [[nodiscard]] bool watches() const;
};

}  // namespace kantrig::card_host
