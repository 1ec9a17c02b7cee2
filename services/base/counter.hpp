// Counter and Gauge: written by one thread on the data path, read by the scrape. One relaxed store, no locked
// instruction.
#pragma once

#include <atomic>
#include <cstdint>

namespace kantrig::base {

/// Monotonic. One writer, any number of readers.
class Counter {
 public:
  void add(std::uint64_t n) noexcept {
    // Relaxed: a counter orders nothing; only its one writer stores, so load and store need not be one
    // operation.
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// The latest value. One writer, any number of readers.
class Gauge {
 public:
  void set(double v) noexcept { value_.store(v, std::memory_order_relaxed); }  // relaxed: as in Counter
  [[nodiscard]] double value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0.0};
};

}  // namespace kantrig::base
