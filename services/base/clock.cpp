#include "base/clock.hpp"

#include <ctime>

namespace kantrig::base {
namespace {

std::uint64_t read_ns(clockid_t id) noexcept {
  timespec t{};
  clock_gettime(id, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(t.tv_nsec);
}

}  // namespace

std::uint64_t SystemClock::now_ns() const noexcept {
  return read_ns(CLOCK_MONOTONIC);
}
std::uint64_t SystemClock::unix_ns() const noexcept {
  return read_ns(CLOCK_REALTIME);
}

}  // namespace kantrig::base
