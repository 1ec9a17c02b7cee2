// How many descriptors this process has open: what a test of leaks compares.
#pragma once

#include <filesystem>
#include <iterator>

namespace kantrig::test {

[[nodiscard]] inline std::ptrdiff_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return std::distance(begin(all), end(all));
}

}  // namespace kantrig::test
