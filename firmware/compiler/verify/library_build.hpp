// From SystemVerilog and a harness to a shared object: Verilator, then g++, then a cache.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace kantrig::compiler {

struct RtlBuildOptions {
  std::filesystem::path cache;  // where built libraries are kept; empty: default_build_folder()
  std::filesystem::path keep;   // an empty or new folder to build in and leave as it is; empty: none
  std::function<void(std::string_view)> progress;  // told what begins now; may be empty
};

/// $XDG_CACHE_HOME/kantrig/rtl, or ~/.cache/kantrig/rtl.
[[nodiscard]] Result<std::filesystem::path> default_build_folder();

/// The harnesses and the models of the vendor's primitives: beside this installation, or in this build.
[[nodiscard]] Result<std::filesystem::path> simulation_sources();

/// Those files by path below the folder "harness", with the models of the primitives.
[[nodiscard]] Result<std::map<std::string, std::string>> harness_files(const std::vector<std::string>& names);

/// A class that Verilator makes of one module and what is below it.
struct VerilatedTop {
  std::string module;                // gives the class V<module>
  std::vector<std::string> sources;  // below the folder rtl/, packages first
  std::vector<std::string> words;    // more arguments, such as values of parameters
};

struct LibraryRecipe {
  std::map<std::string, std::string> files;  // all that is compiled, by path below the work folder
  std::vector<VerilatedTop> tops;
  std::string harness;  // the source that uses the classes
  std::string header;   // included before it
  std::string level;    // of optimisation, such as "-O1"
};

/// The shared object that `recipe` gives. From the cache when the same files were built before with the same
/// tools. At most kLibrariesKept libraries stay in the cache, the last used ones. The same files, flags and
/// tools give the same bytes.
[[nodiscard]] Result<std::filesystem::path> build_library(const LibraryRecipe& recipe,
                                                          const RtlBuildOptions& options);

inline constexpr std::size_t kLibrariesKept = 32;

}  // namespace kantrig::compiler
