#include "base/histogram.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

namespace kantrig::base {
namespace {

using ::testing::ElementsAre;

std::uint64_t total(const HistogramSnapshot& snapshot) {
  return std::accumulate(snapshot.counts.begin(), snapshot.counts.end(), std::uint64_t{0});
}

/// Durations around every bound and every octave, and random ones over all magnitudes.
std::vector<std::uint64_t> sample_durations_ns() {
  std::vector<std::uint64_t> durations = {0, 1, 7, 8, 9, 15, 16, 17};
  for (const std::uint64_t bound : latency::kBoundsNs) {
    for (const std::uint64_t ns : {bound - 1, bound, bound + 1}) durations.push_back(ns);
  }
  std::mt19937_64 random(1);
  for (int shift = 0; shift < 64; ++shift) {
    for (int i = 0; i < 50; ++i) durations.push_back(random() >> shift);
  }
  return durations;
}

TEST(LatencyHistogram, CountsUnderEachBoundExactlyWhatIsAtMostThatBound) {
  LatencyHistogram histogram;
  const auto durations = sample_durations_ns();
  for (const std::uint64_t ns : durations) histogram.observe_ns(ns);

  const HistogramSnapshot snapshot = histogram.snapshot();
  ASSERT_EQ(snapshot.bounds.size(), latency::kBoundsNs.size());
  ASSERT_EQ(snapshot.counts.size(), snapshot.bounds.size() + 1);
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < snapshot.bounds.size(); ++i) {
    cumulative += snapshot.counts[i];
    std::uint64_t expected = 0;
    for (const std::uint64_t ns : durations) expected += ns <= latency::kBoundsNs[i] ? 1U : 0U;
    EXPECT_EQ(cumulative, expected) << "le=" << snapshot.bounds[i];
  }
  EXPECT_EQ(total(snapshot), durations.size());
  EXPECT_EQ(histogram.count(), durations.size());
}

TEST(LatencyHistogram, HasTheBoundsOfTheServiceLevelObjectives) {
  const auto bounds = LatencyHistogram().snapshot().bounds;
  EXPECT_EQ(bounds.front(), 1e-6);
  EXPECT_EQ(bounds.back(), 10.0);
  EXPECT_THAT(bounds, ::testing::Contains(100e-6));
  EXPECT_THAT(bounds, ::testing::Contains(250e-6));
  EXPECT_TRUE(std::is_sorted(bounds.begin(), bounds.end()));
}

TEST(LatencyHistogram, PutsEveryDurationBelowTheUpperEdgeOfItsBucketAndNotBelowThatOfTheOneBefore) {
  for (const std::uint64_t ns : sample_durations_ns()) {
    if (ns >= (std::uint64_t{1} << 43)) continue;  // the last bucket has no end
    const std::size_t index = LatencyHistogram::bucket_of(ns);
    EXPECT_LT(ns, LatencyHistogram::upper_bound_ns(index));
    if (index == 0) continue;
    EXPECT_GE(ns, LatencyHistogram::upper_bound_ns(index - 1));
  }
}

TEST(LatencyHistogram, TakesTheLongestDurationThatCanBeWritten) {
  LatencyHistogram histogram;
  histogram.observe_ns(std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(histogram.snapshot().counts.back(), 1U);
}

TEST(LatencyHistogram, FindsQuantilesToAnEighth) {
  LatencyHistogram histogram;
  for (std::uint64_t us = 1; us <= 1000; ++us) histogram.observe_ns(us * 1000);
  for (const double q : {0.01, 0.5, 0.99, 0.999}) {
    const double exact_ns = q * 1000.0 * 1000.0;
    const auto found_ns = static_cast<double>(histogram.quantile_ns(q));
    EXPECT_GE(found_ns, exact_ns);
    EXPECT_LE(found_ns, exact_ns * 1.125 + 1) << q;
  }
  EXPECT_EQ(histogram.quantile_ns(0.0), histogram.quantile_ns(0.001));
  EXPECT_GE(histogram.quantile_ns(1.0), 1'000'000U);
  EXPECT_EQ(LatencyHistogram().quantile_ns(0.5), 0U);
}

TEST(LatencyHistogram, SumsInSeconds) {
  LatencyHistogram histogram;
  histogram.observe_ns(1'500'000'000);
  histogram.observe_ns(500'000'000);
  EXPECT_DOUBLE_EQ(histogram.snapshot().sum, 2.0);
}

TEST(HistogramSnapshot, MergesShardsIntoOne) {
  LatencyHistogram first;
  LatencyHistogram second;
  first.observe_ns(900);
  second.observe_ns(900);
  second.observe_ns(90'000);
  HistogramSnapshot merged;
  merged.merge(first.snapshot());
  merged.merge(second.snapshot());
  EXPECT_EQ(total(merged), 3U);
  EXPECT_EQ(merged.counts.front(), 2U);
  EXPECT_DOUBLE_EQ(merged.sum, 91.8e-6);
}

TEST(SizeHistogram, CountsByPowersOfTwo) {
  SizeHistogram histogram;
  for (const std::uint64_t size : {0ULL, 1ULL, 2ULL, 3ULL, 4ULL, 1ULL << 20U, (1ULL << 20U) + 1})
    histogram.observe(size);
  const HistogramSnapshot snapshot = histogram.snapshot();
  ASSERT_EQ(snapshot.bounds.size(), 21U);
  ASSERT_EQ(snapshot.counts.size(), 22U);
  EXPECT_EQ(snapshot.bounds.back(), 1048576.0);
  EXPECT_THAT(std::vector<std::uint64_t>(snapshot.counts.begin(), snapshot.counts.begin() + 3),
              ElementsAre(2, 1, 2));
  EXPECT_EQ(snapshot.counts[20], 1U);
  EXPECT_EQ(snapshot.counts[21], 1U);
}

}  // namespace
}  // namespace kantrig::base
