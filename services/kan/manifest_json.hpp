// manifest.json: what a bundle says of itself, as protobuf JSON of kantrig.v1.Manifest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "kan/bundle.hpp"

namespace kantrig::kan {

inline constexpr std::uint32_t kFormatVersion = 1;
inline constexpr std::size_t kManifestBytesMax = std::size_t{4} << 20U;
inline constexpr std::size_t kBundleFilesMax = 1024;
inline constexpr std::size_t kBundleFileBytesMax = std::size_t{512} << 20U;

struct LayerShape {
  std::uint32_t input_count = 0;
  std::uint32_t node_count = 0;
  std::uint32_t edge_count = 0;
  friend bool operator==(const LayerShape&, const LayerShape&) = default;
};

struct FileDigest {
  std::string path;    // relative, '/' between parts
  std::string sha256;  // hex
  std::uint64_t size_bytes = 0;
};

struct Manifest {
  std::uint32_t format_version = kFormatVersion;
  std::string name;
  std::string version;
  std::vector<Feature> features;
  std::vector<std::string> classes;
  std::vector<LayerShape> layers;
  bool codes_only = false;
  std::vector<FileDigest> files;  // sorted by path
  Provenance provenance;
  std::vector<Metric> metrics;
  std::string description;
};

[[nodiscard]] std::vector<LayerShape> layer_shapes(const Model& model);

/// The same manifest gives the same bytes, which end in a line feed.
[[nodiscard]] Result<std::string> manifest_to_json(const Manifest& manifest);
/// Reads bytes from anywhere; unknown fields are refused. What it returns passes check_manifest().
[[nodiscard]] Result<Manifest> manifest_from_json(std::string_view json);

/// Every rule that needs no other file: name and version can be part of a path, names are unique and
/// printable, file paths stay inside the bundle and are strictly sorted, metrics are finite.
[[nodiscard]] Result<void> check_manifest(const Manifest& manifest);

}  // namespace kantrig::kan
