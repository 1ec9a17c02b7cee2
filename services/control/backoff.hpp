// Backoff: when to try again what has failed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>

namespace kantrig::control {

/// A pause that doubles with each failure, up to a bound, and ends up to a quarter sooner or later, so that
/// several who lost the same thing do not come back all at once.
class Backoff {
 public:
  Backoff(std::uint64_t min_ns, std::uint64_t max_ns, std::uint64_t seed)
      : min_ns_(min_ns), max_ns_(max_ns), random_(seed) {}

  /// What was tried has failed at `now_ns`. `held`: after it had held for long, so that this is the first
  /// time.
  void failed(std::uint64_t now_ns, bool held) {
    wait_ns_ = std::clamp(held ? 0 : wait_ns_ * 2, min_ns_, max_ns_);
    const double jitter = std::uniform_real_distribution<double>(0.75, 1.25)(random_);
    next_ns_ = now_ns + static_cast<std::uint64_t>(static_cast<double>(wait_ns_) * jitter);
  }
  [[nodiscard]] bool over(std::uint64_t now_ns) const noexcept { return now_ns >= next_ns_; }

 private:
  std::uint64_t min_ns_;
  std::uint64_t max_ns_;
  std::uint64_t wait_ns_ = 0;
  std::uint64_t next_ns_ = 0;
  std::mt19937_64 random_;
};

}  // namespace kantrig::control
