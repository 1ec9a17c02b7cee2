#include "apps/kantrigd/pipeline_watch.hpp"

#include <utility>

#include <fmt/core.h>

namespace kantrig::apps {

PipelineWatch::PipelineWatch(const base::Clock& clock, std::vector<pipeline::Shard*> shards)
    : clock_(clock), shards_(std::move(shards)), seen_(shards_.size()) {
  for (Seen& seen : seen_) seen.cycled_ns = seen.passed_ns = clock_.now_ns();
}

void PipelineWatch::look() {
  const std::uint64_t now_ns = clock_.now_ns();
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    const pipeline::ShardProbe& probe = shards_[i]->probe();
    Seen& seen = seen_[i];
    if (const std::uint64_t cycles = probe.cycles.value(); cycles != std::exchange(seen.cycles, cycles)) {
      seen.cycled_ns = now_ns;
    }
    const std::uint64_t failed = probe.canaries_failed.value();
    const std::uint64_t passed = probe.canaries_passed.value();
    if (passed != std::exchange(seen.passed, passed)) {
      seen.passed_ns = now_ns;
      seen.failing = false;
    }
    if (failed != std::exchange(seen.failed, failed)) seen.failing = true;
    if (!shards_[i]->adopted()) seen.passed_ns = now_ns;  // nothing to decide with yet
  }
}

telemetry::Health PipelineWatch::live() const {
  const std::uint64_t now_ns = clock_.now_ns();
  telemetry::Health health;
  for (std::size_t i = 0; i < seen_.size(); ++i) {
    const Seen& seen = seen_[i];
    if (now_ns - seen.cycled_ns > kStaleNs) {
      health.ok = false;
      health.text += fmt::format("shard {}: stuck for {} ms\n", i, (now_ns - seen.cycled_ns) / 1'000'000);
    } else if (seen.failing || now_ns - seen.passed_ns > kStaleNs) {
      health.ok = false;
      health.text += fmt::format("shard {}: does not reproduce its golden vectors\n", i);
    }
  }
  if (health.ok) health.text = fmt::format("shards: {}, all reproduce their golden vectors\n", seen_.size());
  return health;
}

}  // namespace kantrig::apps
