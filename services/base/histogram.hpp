// Histogram: fixed buckets, written by one thread on the data path and folded into Prometheus at scrape time.
// prometheus::Histogram takes a mutex on every observation, so it is never used there.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/counter.hpp"

namespace kantrig::base {

/// A moment's content: counts per bucket (not cumulative), the last one for what lies above every bound.
struct HistogramSnapshot {
  std::vector<double> bounds;         // upper, inclusive, rising, in base units
  std::vector<std::uint64_t> counts;  // bounds.size() + 1
  double sum = 0.0;

  void merge(const HistogramSnapshot& other);  // precondition: the same bounds, or this one empty
};

namespace latency {

/// The exported bounds: 1-2-5 steps from 1 us to 10 s, and 250 us, which with 100 us is a service level
/// objective.
inline constexpr std::array<std::uint64_t, 23> kBoundsNs = {
    1'000,       2'000,         5'000,         10'000,        20'000,        50'000,
    100'000,     200'000,       250'000,       500'000,       1'000'000,     2'000'000,
    5'000'000,   10'000'000,    20'000'000,    50'000'000,    100'000'000,   200'000'000,
    500'000'000, 1'000'000'000, 2'000'000'000, 5'000'000'000, 10'000'000'000};
inline constexpr std::size_t kSubBits = 3;  // 8 fine buckets an octave
inline constexpr std::size_t kFineBuckets = (40 + 1) << kSubBits;

/// By bit scan: 0, 1, ... 15 ns, then eight equal steps an octave.
[[nodiscard]] constexpr std::size_t fine_bucket_of(std::uint64_t ns) noexcept {
  constexpr std::uint64_t kFirst = 1U << kSubBits;
  if (ns < kFirst) return static_cast<std::size_t>(ns);
  const auto octave = static_cast<std::size_t>(std::bit_width(ns)) - kSubBits - 1;
  const auto index = (octave << kSubBits) + static_cast<std::size_t>(ns >> octave);
  return index < kFineBuckets ? index : kFineBuckets - 1;
}

/// The smallest ns of a fine bucket.
[[nodiscard]] constexpr std::uint64_t fine_lower_ns(std::size_t fine) noexcept {
  constexpr std::size_t kFirst = std::size_t{1} << kSubBits;
  if (fine < kFirst) return fine;
  return static_cast<std::uint64_t>(fine % kFirst + kFirst) << (fine / kFirst - 1);
}

/// For each fine bucket, how many bounds lie below all of it. At most one lies inside.
inline constexpr std::array<std::uint8_t, kFineBuckets> kBoundsBelow = [] {
  std::array<std::uint8_t, kFineBuckets> below{};
  for (std::size_t fine = 0; fine < kFineBuckets; ++fine) {
    for (const std::uint64_t bound : kBoundsNs) {
      if (bound < fine_lower_ns(fine)) ++below[fine];
    }
  }
  return below;
}();

}  // namespace latency

/// Durations in ns. Two sets of edges, merged: eight equal steps an octave, so that a quantile is known
/// to 12.5 %, and the exported bounds themselves. A fine bucket that holds an exported bound is cut in two
/// there, so folding is exact: a duration counts under `le` if and only if it is at most that bound. Finding
/// the bucket is a bit scan, one table look-up and one comparison; above 2^43 ns (2.4 hours) everything falls
/// into the last bucket.
class LatencyHistogram {
 public:
  static constexpr std::size_t kBuckets = latency::kFineBuckets + latency::kBoundsNs.size();

  void observe_ns(std::uint64_t ns) noexcept {
    buckets_[bucket_of(ns)].add(1);
    sum_ns_.add(ns);
  }

  [[nodiscard]] static constexpr std::size_t bucket_of(std::uint64_t ns) noexcept {
    const std::size_t fine = latency::fine_bucket_of(ns);
    const std::size_t below = latency::kBoundsBelow[fine];
    const bool above_inner = below < latency::kBoundsNs.size() && ns > latency::kBoundsNs[below];
    return fine + below + (above_inner ? 1 : 0);
  }
  /// The smallest ns above bucket `index`; for the last bucket, which has no end, the edge it would have.
  [[nodiscard]] static std::uint64_t upper_bound_ns(std::size_t index) noexcept;

  /// In seconds, by latency::kBoundsNs. The count is the sum of the counts; the sum of durations is read
  /// after them and may be ahead by what was observed meanwhile.
  [[nodiscard]] HistogramSnapshot snapshot() const;
  /// Upper edge of the bucket that holds quantile q in [0, 1]; 0 when empty. In ns.
  [[nodiscard]] std::uint64_t quantile_ns(double q) const noexcept;
  [[nodiscard]] std::uint64_t count() const noexcept;
  /// Adds what `other` has observed. The caller is this histogram's one writer.
  void merge(const LatencyHistogram& other) noexcept {
    for (std::size_t i = 0; i < kBuckets; ++i) buckets_[i].add(other.buckets_[i].value());
    sum_ns_.add(other.sum_ns_.value());
  }

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

}  // namespace kantrig::base
