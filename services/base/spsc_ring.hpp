// SpscRing: a bounded queue between one producer thread and one consumer thread.
//
// Layout: each index has a cache line of its own, and beside it the last value seen of the other side's
// index, so that a side touches the other's line only when its own view says full or empty.
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "base/assert.hpp"

namespace kantrig::base {

template <typename T>
class SpscRing {
 public:
  /// Holds up to `capacity` elements, at least 1. Allocates here and nowhere else.
  explicit SpscRing(std::size_t capacity) : slots_(capacity + 1) { KANTRIG_ASSERT(capacity >= 1); }

  /// Producer only. False when full; then `value` is untouched.
  [[nodiscard]] bool try_push(T&& value) noexcept {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);  // ours alone
    const std::size_t next = tail + 1 == slots_.size() ? 0 : tail + 1;
    if (next == head_seen_) {
      head_seen_ =
          head_.load(std::memory_order_acquire);  // pairs with the release in try_pop: the slot is free
      if (next == head_seen_) return false;
    }
    slots_[tail] = std::move(value);
    tail_.store(next, std::memory_order_release);  // pairs with the acquire in try_pop: the slot is filled
    return true;
  }

  /// Consumer only. Empty when there is nothing.
  [[nodiscard]] std::optional<T> try_pop() noexcept {
    const std::size_t head = head_.load(std::memory_order_relaxed);  // ours alone
    if (head == tail_seen_) {
      tail_seen_ = tail_.load(std::memory_order_acquire);  // pairs with the release in try_push
      if (head == tail_seen_) return std::nullopt;
    }
    std::optional<T> value(std::move(slots_[head]));
    slots_[head] = T{};
    head_.store(head + 1 == slots_.size() ? 0 : head + 1, std::memory_order_release);  // pairs with try_push
    return value;
  }

 private:
  static constexpr std::size_t kCacheLineBytes = 64;
  std::vector<T> slots_;
  alignas(kCacheLineBytes) std::atomic<std::size_t> head_{0};
  std::size_t tail_seen_ = 0;  // consumer's
  alignas(kCacheLineBytes) std::atomic<std::size_t> tail_{0};
  std::size_t head_seen_ = 0;  // producer's
};

}  // namespace kantrig::base
