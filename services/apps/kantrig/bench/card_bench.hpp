// The card benchmark: slots through shared memory, kantrig-card, XRT and the card, and where the time goes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace kantrig::apps {

struct CardBenchOptions {
  std::filesystem::path socket;  // of a kantrig-card that no daemon has joined
  std::filesystem::path bundle;
  std::vector<std::uint32_t> batches = {1, 16, 64, 256, 1024, 4096};
  std::uint32_t slots = 4;               // in flight in throughput rounds
  std::uint32_t lock_step_count = 2000;  // slots one after the other, for latencies
  std::uint32_t round_ms = 500;          // of a throughput round
  std::string before_timing;  // a shell command between checking the answers and timing; may be empty
};

/// One batch size. Latencies are of lock step; the stages are medians and need not add up.
struct CardBenchResult {
  std::uint32_t batch = 0;
  double events_per_s = 0.0;
  double p50_us = 0.0;
  double p99_us = 0.0;
  double queue_us = 0.0;     // from submission until kantrig-card has the slot
  double copy_us = 0.0;      // to the card and back
  double submit_us = 0.0;    // starting the run
  double fabric_us = 0.0;    // until the run is known to be complete
  double complete_us = 0.0;  // until the submitter has the slot back
  double xrt_us = 0.0;       // XRT alone for the same, nothing of ours around it
  double overhead_us = 0.0;  // p50_us - xrt_us
};

struct CardBench {
  std::string device;
  std::uint64_t events_checked = 0;  // before timing, equal to the golden outputs
  std::vector<CardBenchResult> results;
};

[[nodiscard]] Result<CardBench> run_card_bench(const CardBenchOptions& options,
                                               const std::function<void(const CardBenchResult&)>& progress);

}  // namespace kantrig::apps
