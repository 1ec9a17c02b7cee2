// RuntimeFolder: where XRT finds the library that talks to the driver.
//
// XRT opens $XILINX_XRT/lib/libxrt_core.so.2. AMD's packages lie in /opt/xilinx/xrt and set the variable by a
// script; Debian's libraries lie in a folder of the architecture (/usr/lib/x86_64-linux-gnu), so that no
// value works without a folder of one's own that holds a link `lib` to it.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"

namespace kantrig::card_host {

/// Sets XILINX_XRT for this process. To be made before the first call into XRT and before any thread; the
/// folder that it may have made goes with it.
class RuntimeFolder {
 public:
  /// A variable that is set stays as it is. Else AMD's folder, else one of ours with the link. The error says
  /// what to set.
  [[nodiscard]] static Result<RuntimeFolder> prepare();
  ~RuntimeFolder();
  RuntimeFolder(RuntimeFolder&& other) noexcept : made_(std::move(other.made_)) { other.made_.clear(); }
  RuntimeFolder& operator=(RuntimeFolder&&) = delete;

 private:
  explicit RuntimeFolder(std::filesystem::path made) : made_(std::move(made)) {}
  std::filesystem::path made_;  // empty: nothing was made
};

}  // namespace kantrig::card_host
