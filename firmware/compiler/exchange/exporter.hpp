// Runs the exporters for other frameworks, which are Python (python/), beside kanc.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace kantrig::exchange {

/// Runs `script` of the installed exporters with `arguments` and `--out` a file of its own.
struct ExportedModel {
  std::string checkpoint;  // what it wrote, protobuf JSON
  std::string printed;     // what it said
};
[[nodiscard]] Result<ExportedModel> run_exporter(const std::string& script,
                                                 const std::vector<std::string>& arguments);

}  // namespace kantrig::exchange
