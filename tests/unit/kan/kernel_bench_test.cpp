#include <gtest/gtest.h>

#include <set>

#include "contract/kernels/random_model.hpp"
#include "kan/kernel_bench.hpp"
#include "kernels/kernels.hpp"

namespace kantrig::kan {
namespace {

/// A microsecond passes at each reading.
class SteppingClock final : public base::Clock {
 public:
  [[nodiscard]] std::uint64_t now_ns() const noexcept override { return now_ += 1'000; }
  [[nodiscard]] std::uint64_t unix_ns() const noexcept override { return 0; }

 private:
  mutable std::uint64_t now_ = 0;
};

Model jets() {
  return test::random_model(
      {.name = "", .input_bits = std::vector<std::uint32_t>(16, 6), .nodes = {8, 5}, .codes_max = 128}, 3);
}

TEST(KernelBench, TimesEverySupportedSetAtEveryBatchSize) {
  const auto bench = bench_kernels(jets(), SteppingClock{}, {.seed = 1, .repeats = 3, .sample_ns = 1'000});
  ASSERT_TRUE(bench.has_value()) << bench.error().message;
  std::set<std::pair<std::string, std::uint32_t>> timed;
  for (const KernelTiming& timing : bench->results) {
    timed.emplace(timing.kernel_set, timing.batch);
    EXPECT_GT(timing.ns_per_event, 0.0);
    EXPECT_DOUBLE_EQ(timing.events_per_s * timing.ns_per_event, 1e9);
  }
  for (const kernels::KernelSet& set : kernels::sets()) {
    for (const std::uint32_t batch : {1U, 64U, 4096U})
      EXPECT_EQ(timed.contains({std::string(set.name), batch}), set.supported());
  }
  EXPECT_EQ(bench->loads.size(), 2 * bench->results.size());
  EXPECT_EQ(bench->events_checked, 4096U);
}

TEST(KernelBench, TimesTheClockThatItIsGiven) {
  // 4096 events a call, one call between two readings that lie a microsecond apart.
  const auto bench = bench_kernels(jets(), SteppingClock{}, {.seed = 1, .repeats = 3, .sample_ns = 1'000});
  ASSERT_TRUE(bench.has_value());
  EXPECT_DOUBLE_EQ(bench->results.back().ns_per_event, 1'000.0 / 4096);
}

TEST(KernelBench, LeavesOutEncodingsThatTheModelDoesNotTake) {
  Model model = jets();
  model.codes_only = true;
  const auto bench = bench_kernels(model, SteppingClock{}, {.seed = 1, .repeats = 1, .sample_ns = 1});
  ASSERT_TRUE(bench.has_value());
  for (const LoadTiming& timing : bench->loads) EXPECT_EQ(timing.encoding, "code8");
  EXPECT_EQ(bench->loads.size(), bench->results.size());
}

TEST(KernelBench, RefusesAModelThatFailsItsCheck) {
  Model model = jets();
  model.layers.clear();
  EXPECT_FALSE(bench_kernels(model, SteppingClock{}, {}).has_value());
}

}  // namespace
}  // namespace kantrig::kan
