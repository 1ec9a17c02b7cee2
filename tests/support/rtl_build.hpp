// Simulated designs for tests: built by the tools of this machine, kept for the next run of the tests.
#pragma once

#include <filesystem>
#include <memory>

#include "base/result.hpp"
#include "kan/bundle.hpp"
#include "kan/rtl_library.hpp"

namespace kantrig::test {

/// Whether Verilator and g++ are here; a test that needs them is skipped otherwise.
[[nodiscard]] bool can_simulate();
inline constexpr const char* kCannotSimulate = "needs verilator and g++ (deploy/install-deps.sh --hardware)";

/// Where the tests of this build keep what they built.
[[nodiscard]] std::filesystem::path rtl_cache();

/// The shared object of the design that `bundle` holds.
[[nodiscard]] Result<std::filesystem::path> build_library(const kan::Bundle& bundle);

}  // namespace kantrig::test
