// Assertions of SystemVerilog that failed: Verilator prints them and calls these instead of stopping.
#pragma once

#include <cstdint>

namespace kantrig::test {

/// How many assertions of simulated modules failed since the last call. 0 is what a test wants.
[[nodiscard]] std::uint64_t take_violations() noexcept;

}  // namespace kantrig::test
