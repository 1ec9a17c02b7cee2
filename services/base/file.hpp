// Whole files: read with a bound, write so that a reader sees the old content or the new one, never a part.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace kantrig::base {

/// The content of `path`, at most `bytes_max` bytes. Errors name the path and what the system said.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path, std::size_t bytes_max);

/// Writes `content` beside `path`, syncs it to the disk, then renames it into place.
[[nodiscard]] Result<void> write_file_atomic(const std::filesystem::path& path, std::string_view content);

/// A file of fixed size mapped shared: what is stored survives the process, SIGKILL included.
class MappedFile {
 public:
  /// Opens or creates `path` with exactly `bytes`; the disk space is reserved, so that a full disk shows here
  /// and not as SIGBUS later. An existing file of another size is an error.
  [[nodiscard]] static Result<MappedFile> open(const std::filesystem::path& path, std::size_t bytes);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_; }
  /// True when open() made the file: it holds zeros.
  [[nodiscard]] bool created() const noexcept { return created_; }
  /// Writes the mapping to the disk: against power loss, not needed against SIGKILL.
  [[nodiscard]] Result<void> sync() const;

 private:
  MappedFile(std::byte* data, std::size_t bytes, bool created) noexcept;
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
  bool created_ = false;
};

}  // namespace kantrig::base
