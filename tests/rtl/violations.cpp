#include "rtl/violations.hpp"

#include <verilated.h>

#include <utility>

namespace kantrig::test {
namespace {
std::uint64_t count = 0;
}  // namespace

std::uint64_t take_violations() noexcept {
  return std::exchange(count, 0);
}

void add_violation() noexcept {
  ++count;
}
}  // namespace kantrig::test

// Verilator's hooks, declared in verilated.h. A failed assertion has been printed when they are called.
void vl_stop(const char*, int, const char*) VL_MT_UNSAFE {
  kantrig::test::add_violation();
}
void vl_fatal(const char*, int, const char*, const char* message) VL_MT_UNSAFE {
  VL_PRINTF("%%Error: %s\n", message);
  kantrig::test::add_violation();
}
