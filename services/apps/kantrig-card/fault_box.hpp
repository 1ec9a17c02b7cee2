// FaultBox: the first fault that the data path met, until the supervisor deals with it.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <utility>

#include "apps/kantrig-card/xrt/fault.hpp"

namespace kantrig::card_host {

/// Any thread. Only faults take the lock.
class FaultBox {
 public:
  void put(Fault fault) {
    const std::scoped_lock lock(mutex_);
    if (!fault_) fault_ = std::move(fault);
    full_.store(true, std::memory_order_release);  // pairs with full()
  }
  [[nodiscard]] bool full() const noexcept {
    return full_.load(std::memory_order_acquire);  // pairs with put()
  }
  /// Empties it.
  [[nodiscard]] std::optional<Fault> take() {
    const std::scoped_lock lock(mutex_);
    full_.store(false, std::memory_order_relaxed);  // who puts the next one holds the lock
    return std::exchange(fault_, std::nullopt);
  }

 private:
  std::mutex mutex_;
  std::optional<Fault> fault_;
  std::atomic<bool> full_{false};
};

}  // namespace kantrig::card_host
