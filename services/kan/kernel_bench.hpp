// Kernel benchmark: how fast every kernel set of this CPU runs one model. A time counts only after the
// answers agree.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "kan/model.hpp"

namespace kantrig::kan {

struct KernelBenchOptions {
  std::uint64_t seed = 1;             // of the random events
  std::uint32_t repeats = 51;         // samples a figure, 1..1000; the figure is their median
  std::uint64_t sample_ns = 200'000;  // shortest time of a sample: short, so that few samples lose the CPU
};

/// From codes to outputs and class. A batch of 1 is a latency: each event waits for the class of the one
/// before.
struct KernelTiming {
  std::string kernel_set;
  std::uint32_t batch = 0;
  double ns_per_event = 0.0;
  double events_per_s = 0.0;
};

/// From rows as a client sends them to codes.
struct LoadTiming {
  std::string kernel_set;
  std::string encoding;  // "float32" or "code8"
  std::uint32_t batch = 0;
  double ns_per_event = 0.0;
  double events_per_s = 0.0;
};

struct KernelBench {
  std::uint32_t events_checked = 0;  // per kernel set, batch size and encoding, equal to the reference
  std::vector<KernelTiming> results;
  std::vector<LoadTiming> loads;
};

/// Runs every supported kernel set on batches of 1, 64 and 4096 random events. First compares all codes,
/// outputs and classes with the reference evaluator, and fails on the first that differs; then times, the
/// sets taking turns. Takes one thread for about sets x batches x repeats x sample_ns. Allocates.
[[nodiscard]] Result<KernelBench> bench_kernels(const Model& model, const base::Clock& clock,
                                                KernelBenchOptions options = {});

}  // namespace kantrig::kan
