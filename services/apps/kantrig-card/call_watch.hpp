// CallWatch: notices a call into XRT that does not return. Nothing can be done about one in this process, so
// the process ends, and its service manager starts it again.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.hpp"

namespace kantrig::card_host {

/// One thread makes the calls, another looks.
class CallWatch {
 public:
  explicit CallWatch(const base::Clock& clock) : clock_(clock) {}

  /// A call is going on as long as this lives. Not nested.
  class Call {
   public:
    Call(CallWatch& watch, const char* what, std::uint64_t limit_ns) : watch_(watch) {
      watch_.what_.store(what, std::memory_order_relaxed);
      watch_.limit_ns_.store(limit_ns, std::memory_order_relaxed);
      watch_.since_ns_.store(watch_.clock_.now_ns(), std::memory_order_release);  // pairs with stuck()
    }
    ~Call() { watch_.since_ns_.store(0, std::memory_order_release); }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

   private:
    CallWatch& watch_;
  };

  /// What has been going on for longer than its limit.
  [[nodiscard]] std::optional<std::string> stuck(std::uint64_t now_ns) const {
    const std::uint64_t since_ns = since_ns_.load(std::memory_order_acquire);  // pairs with Call()
    if (since_ns == 0 || now_ns < since_ns + limit_ns_.load(std::memory_order_relaxed)) return std::nullopt;
    return what_.load(std::memory_order_relaxed);
  }

 private:
  const base::Clock& clock_;
  std::atomic<std::uint64_t> since_ns_{0};
  std::atomic<std::uint64_t> limit_ns_{0};
  std::atomic<const char*> what_{""};
};

}  // namespace kantrig::card_host
