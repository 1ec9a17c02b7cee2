// A clock that stands still until the test moves it.
#pragma once

#include "base/clock.hpp"

namespace kantrig::test {

class ManualClock final : public base::Clock {
 public:
  [[nodiscard]] std::uint64_t now_ns() const noexcept override { return now; }
  [[nodiscard]] std::uint64_t unix_ns() const noexcept override { return 1'700'000'000'000'000'000U + now; }
  std::uint64_t now = 0;
};

}  // namespace kantrig::test
