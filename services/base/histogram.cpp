#include "base/histogram.hpp"

#include <cmath>

#include "base/assert.hpp"

namespace kantrig::base {
namespace {

constexpr double kSecondsPerNs = 1e-9;

using Edges = std::array<std::uint64_t, LatencyHistogram::kBuckets>;

/// Upper edges of the merged buckets. Where a bound is the last value of its fine bucket, nothing is left
/// above it there: that bucket stays empty and has the edge of its predecessor.
constexpr Edges kUpperNs = [] {
  Edges upper{};
  for (std::size_t fine = 0; fine < latency::kFineBuckets; ++fine) {
    const std::size_t below = latency::kBoundsBelow[fine];
    const std::uint64_t end_ns = latency::fine_lower_ns(fine + 1);
    const bool cut = below < latency::kBoundsNs.size() && latency::kBoundsNs[below] < end_ns;
    upper[fine + below] = cut ? latency::kBoundsNs[below] + 1 : end_ns;
    if (cut) upper[fine + below + 1] = end_ns;
  }
  return upper;
}();

constexpr bool rising(const Edges& edges) {
  for (std::size_t i = 1; i < edges.size(); ++i) {
    if (edges[i] < edges[i - 1] || edges[i] == 0) return false;
  }
  return true;
}
static_assert(rising(kUpperNs), "two bounds share a fine bucket");

}  // namespace

void HistogramSnapshot::merge(const HistogramSnapshot& other) {
  if (counts.empty()) {
    *this = other;
    return;
  }
  KANTRIG_ASSERT(bounds == other.bounds && counts.size() == other.counts.size());
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
  sum += other.sum;
}

std::uint64_t LatencyHistogram::upper_bound_ns(std::size_t index) noexcept {
  KANTRIG_ASSERT(index < kBuckets);
  return kUpperNs[index];
}

HistogramSnapshot LatencyHistogram::snapshot() const {
  HistogramSnapshot snapshot;
  snapshot.bounds.reserve(latency::kBoundsNs.size());
  // A division gives the double nearest to the decimal (0.00025), so that it prints as the bound it is.
  for (const std::uint64_t bound : latency::kBoundsNs)
    snapshot.bounds.push_back(static_cast<double>(bound) / 1e9);
  snapshot.counts.assign(latency::kBoundsNs.size() + 1, 0);
  std::size_t exported = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    while (exported < latency::kBoundsNs.size() && kUpperNs[i] > latency::kBoundsNs[exported] + 1) ++exported;
    snapshot.counts[exported] += buckets_[i].value();
  }
  snapshot.sum = static_cast<double>(sum_ns_.value()) * kSecondsPerNs;
  return snapshot;
}

std::uint64_t LatencyHistogram::quantile_ns(double q) const noexcept {
  std::array<std::uint64_t, kBuckets> counts{};
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) total += counts[i] = buckets_[i].value();
  if (total == 0) return 0;
  const double wanted = std::ceil(q * static_cast<double>(total));
  const std::uint64_t rank = wanted < 1.0 ? 1 : static_cast<std::uint64_t>(wanted);
  std::uint64_t seen = 0;
  std::size_t last = 0;
  for (std::size_t i = 0; i < kBuckets && seen < rank; ++i) {
    if (counts[i] == 0) continue;
    seen += counts[i];
    last = i;
  }
  return kUpperNs[last];
}

std::uint64_t LatencyHistogram::count() const noexcept {
  std::uint64_t total = 0;
  for (const Counter& bucket : buckets_) total += bucket.value();
  return total;
}

HistogramSnapshot SizeHistogram::snapshot() const {
  HistogramSnapshot snapshot;
  for (std::size_t i = 0; i + 1 < kBuckets; ++i)
    snapshot.bounds.push_back(static_cast<double>(std::uint64_t{1} << i));
  for (const Counter& bucket : buckets_) snapshot.counts.push_back(bucket.value());
  snapshot.sum = static_cast<double>(sum_.value());
  return snapshot;
}

}  // namespace kantrig::base
