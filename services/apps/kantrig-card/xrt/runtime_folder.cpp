#include "apps/kantrig-card/xrt/runtime_folder.hpp"

#include <link.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

namespace kantrig::card_host {
namespace {

namespace fs = std::filesystem;

constexpr const char* kVariable = "XILINX_XRT";
constexpr const char* kVendorFolder = "/opt/xilinx/xrt";
constexpr std::string_view kCoreUtil = "libxrt_coreutil.so";
constexpr const char* kCore = "libxrt_core.so.2";

/// The folder that libxrt_coreutil was loaded from.
fs::path library_folder() {
  fs::path folder;
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* found) {
        const fs::path path = info->dlpi_name == nullptr ? "" : info->dlpi_name;
        if (!path.filename().native().starts_with(kCoreUtil)) return 0;
        *static_cast<fs::path*>(found) = path.parent_path();
        return 1;
      },
      &folder);
  return folder;
}

/// A folder that only this process can change: what lies in it is loaded as code.
Result<fs::path> make_folder() {
  const char* const runtime = std::getenv("RUNTIME_DIRECTORY");  // systemd's
  std::error_code error;
  const fs::path parent = runtime != nullptr ? fs::path(runtime) : fs::temp_directory_path(error);
  std::string name = (parent / "kantrig-xrt-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    return fail(ErrorCode::kIo, "cannot make a folder for XRT below {}: {}", parent.native(),
                std::strerror(errno));
  return fs::path(name);
}

}  // namespace

Result<RuntimeFolder> RuntimeFolder::prepare() {
  if (std::getenv(kVariable) != nullptr) return RuntimeFolder(fs::path{});
  std::error_code error;
  if (fs::exists(fs::path(kVendorFolder) / "lib" / kCore, error)) {
    ::setenv(kVariable, kVendorFolder, /*overwrite=*/1);
    return RuntimeFolder(fs::path{});
  }
  const fs::path libraries = library_folder();
  if (!fs::exists(libraries / kCore, error))
    return fail(ErrorCode::kUnsupported,
                "XRT: no {} in {}: install libxrt1, or set {} to a folder whose lib/ holds it", kCore,
                libraries.native(), kVariable);
  auto folder = make_folder();
  if (!folder) return tl::unexpected(folder.error());
  RuntimeFolder made(*folder);
  fs::create_directory_symlink(libraries, *folder / "lib", error);
  if (error)
    return fail(ErrorCode::kIo, "XRT: cannot link {}/lib to {}: {}: set {} to a folder that has this link",
                folder->native(), libraries.native(), error.message(), kVariable);
  ::setenv(kVariable, folder->c_str(), /*overwrite=*/1);
  return made;
}

RuntimeFolder::~RuntimeFolder() {
  if (made_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove(made_ / "lib", ignored);
  std::filesystem::remove(made_, ignored);
}

}  // namespace kantrig::card_host
