// The files of a bundle's folder: listing and reading without leaving it, and putting a whole folder into
// place.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "base/result.hpp"

namespace kantrig::kan {

/// Sizes of the regular files under `folder` by relative path. Refuses anything else but folders (symbolic
/// links, sockets, ...), deep nesting and more files than a bundle may have.
[[nodiscard]] Result<std::map<std::string, std::uint64_t>> list_files(const std::filesystem::path& folder);

/// `folder` without a slash at its end.
[[nodiscard]] std::filesystem::path without_slash(const std::filesystem::path& folder);

/// Writes `files` (relative path, content) into a new folder beside `folder`, and renames it into place once
/// all of it is on the disk. With `replace` what stands at `folder` is exchanged for it in one step and
/// removed; without, `folder` must not exist.
struct PlaceFolder {
  const std::filesystem::path& folder;
  const std::map<std::string, std::string>& files;
  bool replace = false;
};
[[nodiscard]] Result<void> place_folder(const PlaceFolder& request);

}  // namespace kantrig::kan
