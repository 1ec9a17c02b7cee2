// From the SystemVerilog of a design to a shared object that simulates its units.
#pragma once

#include <filesystem>

#include "base/result.hpp"
#include "compiler/hardware/design.hpp"
#include "compiler/verify/library_build.hpp"
#include "kan/bundle.hpp"

namespace kantrig::compiler {

/// The shared object of `design`, whose sources `bundle` holds; into an overlay each instance of it writes
/// the bundle's model, bank 0, before its first event.
[[nodiscard]] Result<std::filesystem::path> build_rtl_library(const kan::Bundle& bundle,
                                                              const HardwareDesign& design,
                                                              const RtlBuildOptions& options);

}  // namespace kantrig::compiler
