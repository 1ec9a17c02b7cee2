// PipelineWatch: is the data path alive? Judged by what goes through it, not by threads that exist.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.hpp"
#include "pipeline/shard.hpp"
#include "telemetry/health.hpp"

namespace kantrig::apps {

/// Every shard sends golden vectors through its decision path ten times a second. A shard that has not passed
/// them for kStaleNs, or failed them last, is not live.
///
/// Threading: the control thread. Before the first conditions are adopted, shards are idle by design and
/// live.
class PipelineWatch {
 public:
  static constexpr std::uint64_t kStaleNs = 2'000'000'000;

  PipelineWatch(const base::Clock& clock, std::vector<pipeline::Shard*> shards);

  /// Notes what has advanced. To be called several times within kStaleNs.
  void look();
  [[nodiscard]] telemetry::Health live() const;

 private:
  struct Seen {
    std::uint64_t cycles = 0;
    std::uint64_t passed = 0;
    std::uint64_t failed = 0;
    std::uint64_t cycled_ns = 0;  // when its duty cycle last advanced
    std::uint64_t passed_ns = 0;  // when its golden vectors last passed
    bool failing = false;
  };
  const base::Clock& clock_;
  std::vector<pipeline::Shard*> shards_;
  std::vector<Seen> seen_;
};

}  // namespace kantrig::apps
