#include "kan/bundle_folder.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "base/file.hpp"
#include "kan/manifest_json.hpp"

namespace kantrig::kan {
namespace {

namespace fs = std::filesystem;

constexpr int kDepthMax = 8;
constexpr std::size_t kFoldersMax = 1024;

/// Removes a folder that did not make it into place.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(fs::path path) : path_(std::move(path)) {}
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;  // nothing can be done about what is left
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  [[nodiscard]] const fs::path& path() const { return path_; }
  void release() { path_.clear(); }

 private:
  fs::path path_;
};

tl::unexpected<Error> cannot(std::string_view action, const fs::path& path, std::string_view why) {
  return fail(ErrorCode::kIo, "{}: cannot {}: {}", path.string(), action, why);
}

Result<void> sync_folder(const fs::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return cannot("open", folder, std::strerror(errno));
  const int failed = ::fsync(fd);
  const int code = errno;
  ::close(fd);
  if (failed != 0) return cannot("sync", folder, std::strerror(code));
  return {};
}

Result<void> write_files(const fs::path& folder, const std::map<std::string, std::string>& files) {
  for (const auto& [name, content] : files) {
    const fs::path path = folder / name;
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    if (error) return cannot("create", path.parent_path(), error.message());
    if (auto ok = base::write_file_atomic(path, content); !ok) return ok;
    if (auto ok = sync_folder(path.parent_path()); !ok) return ok;
  }
  return {};
}

}  // namespace

fs::path without_slash(const fs::path& folder) {
  const fs::path normal = folder.lexically_normal();
  return normal.has_filename() ? normal : normal.parent_path();
}

Result<std::map<std::string, std::uint64_t>> list_files(const fs::path& folder) {
  std::error_code error;
  fs::recursive_directory_iterator entries(folder, fs::directory_options::none, error);
  if (error) {
    const bool missing = error == std::errc::no_such_file_or_directory;
    return fail(missing ? ErrorCode::kNotFound : ErrorCode::kIo, "{}: cannot list: {}", folder.string(),
                error.message());
  }
  std::map<std::string, std::uint64_t> files;
  std::size_t folders = 0;
  for (; entries != fs::recursive_directory_iterator(); entries.increment(error)) {
    const std::string name = entries->path().lexically_relative(folder).generic_string();
    const fs::file_status status = entries->symlink_status(error);
    if (error) break;
    if (status.type() == fs::file_type::directory) {
      if (entries.depth() >= kDepthMax || ++folders > kFoldersMax) {
        return fail(ErrorCode::kCorrupt, "{}: too many folders, expected at most {} and {} deep", name,
                    kFoldersMax, kDepthMax);
      }
      continue;
    }
    if (status.type() != fs::file_type::regular) {
      return fail(ErrorCode::kCorrupt, "{}: is a link or special file, expected regular files only", name);
    }
    if (files.size() == kBundleFilesMax + 3) {  // those that the manifest does not list
      return fail(ErrorCode::kCorrupt, "holds more than {} files", kBundleFilesMax);
    }
    files[name] = entries->file_size(error);
    if (error) break;
  }
  if (error) return fail(ErrorCode::kIo, "{}: cannot list: {}", folder.string(), error.message());
  return files;
}

Result<void> place_folder(const PlaceFolder& request) {
  const fs::path& folder = request.folder;
  std::string pattern = folder.string() + ".new-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr)
    return cannot("create a folder beside", folder, std::strerror(errno));
  TemporaryFolder temporary{fs::path(pattern)};
  if (::chmod(pattern.c_str(), 0755) != 0)
    return cannot("open to readers", temporary.path(), std::strerror(errno));
  if (auto ok = write_files(temporary.path(), request.files); !ok) return ok;
  const unsigned flags = request.replace ? RENAME_EXCHANGE : RENAME_NOREPLACE;
  if (::renameat2(AT_FDCWD, pattern.c_str(), AT_FDCWD, folder.c_str(), flags) != 0) {
    if (errno == EEXIST) return fail(ErrorCode::kInvalid, "{}: exists already", folder.string());
    return cannot("rename into place", folder, std::strerror(errno));
  }
  if (!request.replace) temporary.release();  // else it now holds the old bundle, which goes
  const fs::path parent = folder.has_parent_path() ? folder.parent_path() : fs::path(".");
  return sync_folder(parent);
}

}  // namespace kantrig::kan
