// Other programs that kanc runs: found on the PATH, bounded in time, silent unless they fail.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace kantrig::compiler {

/// Where `name` lies on the PATH. The error names the Debian package that holds it and how to install it.
[[nodiscard]] Result<std::filesystem::path> find_tool(std::string_view name, std::string_view package);

struct ToolRun {
  std::vector<std::string> words;  // the program and its arguments
  std::filesystem::path folder;    // where it runs
  std::filesystem::path log;       // where its output goes
  std::uint32_t seconds_max = 600;
};

/// Runs them, at most `at_once` at a time, and waits for all. The error is of the first that failed and holds
/// the end of what it printed; the others are ended.
[[nodiscard]] Result<void> run_tools(const std::vector<ToolRun>& runs, std::uint32_t at_once);

/// What a program prints to its standard output, at most 64 KiB.
[[nodiscard]] Result<std::string> output_of(const std::vector<std::string>& words,
                                            const std::filesystem::path& scratch_file);

}  // namespace kantrig::compiler
