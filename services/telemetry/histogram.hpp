// Histogram: fixed buckets, written by one thread on the data path and folded into Prometheus at scrape time.
// prometheus::Histogram takes a mutex on every observation, so it is never used there.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "telemetry/counter.hpp"

namespace kantrig::telemetry {

/// A moment's content: counts per bucket (not cumulative), the last one for what lies above every bound.
struct HistogramSnapshot {
  std::vector<double> bounds;  // upper, inclusive, rising, in base units
  std::vector<std::uint64_t> counts;  // bounds.size() + 1
  double sum = 0.0;

  void merge(const HistogramSnapshot& other);  // precondition: the same bounds, or this one empty
};

/// Durations in ns by the powers of two and their halves from 256 ns up to about 34 s; exported in seconds with
/// the bounds 1-2-5 from 1 us to 10 s... see snapshot(). Finding the bucket is a bit scan.
class LatencyHistogram {
 public:
  static constexpr std::size_t kSubBits = 3;  // 8 buckets an octave: 12.5 % resolution for quantiles
  static constexpr std::size_t kBuckets = (40 + 1) << kSubBits;

  void observe_ns(std::uint64_t ns) noexcept {
    buckets_[bucket_of(ns)].add(1);
    sum_ns_.add(ns);
  }

  [[nodiscard]] static constexpr std::size_t bucket_of(std::uint64_t ns) noexcept {
    constexpr std::uint64_t kFirst = 1U << kSubBits;
    if (ns < kFirst) return static_cast<std::size_t>(ns);
    const auto octave = static_cast<std::size_t>(std::bit_width(ns)) - kSubBits - 1;
    const auto index = (octave << kSubBits) + static_cast<std::size_t>(ns >> octave);
    return index < kBuckets ? index : kBuckets - 1;
  }
  /// The smallest ns above bucket `index`.
  [[nodiscard]] static std::uint64_t upper_bound_ns(std::size_t index) noexcept;

  /// In seconds, with bounds that are bucket edges close to 1-2-5 steps from 1 us to 10 s.
  [[nodiscard]] HistogramSnapshot snapshot() const;
  /// Upper edge of the bucket that holds quantile q in [0, 1]; 0 when empty. In ns.
  [[nodiscard]] std::uint64_t quantile_ns(double q) const noexcept;
  [[nodiscard]] std::uint64_t count() const noexcept;

 private:
  std::array<Counter, kBuckets> buckets_;
  Counter sum_ns_;
};

/// Sizes (events in a batch) by powers of two up to 2^20.
class SizeHistogram {
 public:
  static constexpr std::size_t kBuckets = 22;  // <= 1, 2, 4, ... 2^20, above
  void observe(std::uint64_t size) noexcept {
    const std::size_t index = size <= 1 ? 0 : static_cast<std::size_t>(std::bit_width(size - 1));
    buckets_[index < kBuckets ? index : kBuckets - 1].add(1);
    sum_.add(size);
  }
  [[nodiscard]] HistogramSnapshot snapshot() const;

 private:
  std::array<Counter, kBuckets> buckets_;
  Counter sum_;
};

}  // namespace kantrig::telemetry
