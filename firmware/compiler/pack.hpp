// What a card is loaded with, as files of a bundle: fpga/<platform>.json, .xclbin and .tables.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "compiler/verify/library_build.hpp"
#include "kan/bundle.hpp"

namespace kantrig::compiler {

inline constexpr const char* kEmulatedPlatform = "emulated";

struct PackOptions {
  std::string platform = kEmulatedPlatform;
  std::optional<std::uint32_t> compute_units;  // emulated: default 1; else what the file must hold
  std::uint32_t lanes_max = 1;                 // emulated: events a clock, a power of two
  std::filesystem::path xclbin;                // of the vendor's linker; empty for the emulated card
  RtlBuildOptions build;                       // emulated: how the simulation is built
};

/// Puts the files of `options.platform` into `bundle`, which holds a compiled design; those of other
/// platforms stay. The same bundle and options give the same bytes. The error says what to do.
[[nodiscard]] Result<void> pack(kan::Bundle& bundle, const PackOptions& options);

}  // namespace kantrig::compiler
