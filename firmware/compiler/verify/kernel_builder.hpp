// From the SystemVerilog of a design to a shared object that simulates kan_kernel around it.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/result.hpp"
#include "compiler/hardware/design.hpp"
#include "compiler/verify/library_build.hpp"
#include "kan/bundle.hpp"

namespace kantrig::compiler {

/// The shared object (card/kernel_abi.h) of the kernel over `design`, whose sources `bundle` holds, with at
/// most `lanes_max` events a clock, a power of two. An overlay's tables are empty. Precondition: `design` is
/// read_design(bundle).
[[nodiscard]] Result<std::filesystem::path> build_kernel_library(const kan::Bundle& bundle,
                                                                 const HardwareDesign& design,
                                                                 std::uint32_t lanes_max,
                                                                 const RtlBuildOptions& options);

}  // namespace kantrig::compiler
