// What this build is, for --version, the logs and kantrig_build_info.
#pragma once

#include <string_view>

namespace kantrig::base {

struct BuildInfo {
  std::string_view version;   // of the project
  std::string_view revision;  // of the source, "unknown" outside a git checkout
  std::string_view compiler;
};

[[nodiscard]] BuildInfo build_info() noexcept;

}  // namespace kantrig::base
