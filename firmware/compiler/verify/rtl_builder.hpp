// From the SystemVerilog of a design to a shared object that simulates it: Verilator, then g++, then a cache.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "compiler/hardware/design.hpp"
#include "kan/bundle.hpp"

namespace kantrig::compiler {

struct RtlBuildOptions {
  std::filesystem::path cache;  // where built libraries are kept; empty: default_build_folder()
  std::filesystem::path keep;   // an empty or new folder to build in and leave as it is; empty: none
  std::function<void(std::string_view)> progress;  // told what begins now; may be empty
};

/// $XDG_CACHE_HOME/kantrig/rtl, or ~/.cache/kantrig/rtl.
[[nodiscard]] Result<std::filesystem::path> default_build_folder();

/// The harness and the models of the vendor's primitives: beside this installation, or in this build.
[[nodiscard]] Result<std::filesystem::path> simulation_sources();

/// The shared object of `design`, whose sources `bundle` holds; into an overlay each instance of it writes
/// the bundle's model, bank 0, before its first event. From the cache when the same sources were built before
/// with the same tools. At most kLibrariesKept libraries stay in the cache, the last used ones.
[[nodiscard]] Result<std::filesystem::path> build_rtl_library(const kan::Bundle& bundle,
                                                              const HardwareDesign& design,
                                                              const RtlBuildOptions& options);

inline constexpr std::size_t kLibrariesKept = 32;

}  // namespace kantrig::compiler
