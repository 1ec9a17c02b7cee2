// Programs of others (yosys, nextpnr, ...), run to their end in a folder of files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace kantrig::synth {

struct ToolRun {
  std::string program;  // found in PATH
  std::string package;  // of Debian, named when the program is missing
  std::vector<std::string> arguments;
  std::filesystem::path folder;       // where it runs
  std::string log;                    // file in `folder` that takes what it prints
  std::uint32_t seconds_max = 3'600;  // then it is ended
};

/// Waits for the end. The error says what to install, or quotes the program's own error.
[[nodiscard]] Result<void> run_tool(const ToolRun& run);

/// A folder to work in: a temporary one that goes with this object, or one that is kept.
class WorkFolder {
 public:
  /// `keep` empty: a temporary folder. Otherwise that folder, made when it is not there.
  [[nodiscard]] static Result<WorkFolder> make(const std::filesystem::path& keep);

  WorkFolder(WorkFolder&& other) noexcept;
  WorkFolder& operator=(WorkFolder&&) = delete;
  ~WorkFolder();

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] Result<void> write(const std::string& name, std::string_view content) const;

 private:
  WorkFolder(std::filesystem::path path, bool temporary);
  std::filesystem::path path_;
  bool temporary_;
};

}  // namespace kantrig::synth
