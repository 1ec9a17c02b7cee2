#include "kan/manifest_json.hpp"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "kantrig/v1/bundle.pb.h"

namespace kantrig::kan {
namespace {

constexpr std::size_t kNameBytesMax = 64;
constexpr std::size_t kTextBytesMax = 1024;
constexpr std::size_t kDescriptionBytesMax = 65'536;
constexpr std::size_t kPathBytesMax = 200;
constexpr std::size_t kMetricsMax = 1024;
constexpr std::array<std::string_view, 3> kUnlistedFiles{"manifest.json", "manifest.sha256", "manifest.sig"};

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-' || c == '+';
}

/// Letters, digits and . _ - + after a letter or digit: safe as a part of a path.
bool is_path_part(std::string_view text) {
  return !text.empty() && text.size() <= kNameBytesMax &&
         std::all_of(text.begin(), text.end(), is_name_character) && text[0] != '.' && text[0] != '-' &&
         text[0] != '+' && text[0] != '_';
}

bool is_relative_path(std::string_view path) {
  if (path.size() > kPathBytesMax) return false;
  for (;;) {
    const std::size_t end = path.find('/');
    if (!is_path_part(path.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    path.remove_prefix(end + 1);
  }
}

bool is_printable(std::string_view text, std::size_t bytes_max) {
  return text.size() <= bytes_max &&
         std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

bool is_digest(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// Names of `what` (features, classes) are unique, not empty and printable.
template <typename Items, typename NameOf>
Result<void> check_names(const Items& items, std::string_view what, std::size_t count_max, NameOf name_of) {
  if (items.empty() || items.size() > count_max) {
    return fail(ErrorCode::kCorrupt, "has {} {} names, expected 1 to {}", items.size(), what, count_max);
  }
  std::set<std::string_view> seen;
  for (const auto& item : items) {
    const std::string& name = name_of(item);
    if (name.empty() || !is_printable(name, 2 * kNameBytesMax)) {
      return fail(ErrorCode::kCorrupt, "{} {}: expected a name of 1 to {} printable bytes", what, seen.size(),
                  2 * kNameBytesMax);
    }
    if (!seen.insert(name).second) {
      return fail(ErrorCode::kCorrupt, "{} {}: name '{}' is taken, expected unique names", what, seen.size(),
                  name);
    }
  }
  return {};
}

Result<void> check_files(const std::vector<FileDigest>& files) {
  if (files.size() > kBundleFilesMax) {
    return fail(ErrorCode::kCorrupt, "lists {} files, expected at most {}", files.size(), kBundleFilesMax);
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    const FileDigest& file = files[i];
    const bool reserved =
        std::find(kUnlistedFiles.begin(), kUnlistedFiles.end(), file.path) != kUnlistedFiles.end();
    if (reserved || !is_relative_path(file.path)) {
      return fail(ErrorCode::kCorrupt,
                  "file {}: path '{}' is not allowed, expected plain names inside the bundle", i, file.path);
    }
    if (i > 0 && file.path <= files[i - 1].path) {
      return fail(ErrorCode::kCorrupt, "file '{}': follows '{}', expected paths sorted and unique", file.path,
                  files[i - 1].path);
    }
    if (!is_digest(file.sha256)) {
      return fail(ErrorCode::kCorrupt, "file '{}': sha256 is not 64 lower-case hex digits", file.path);
    }
    if (file.size_bytes > kBundleFileBytesMax) {
      return fail(ErrorCode::kCorrupt, "file '{}': has {} bytes, expected at most {}", file.path,
                  file.size_bytes, kBundleFileBytesMax);
    }
  }
  return {};
}

Result<void> check_texts(const Manifest& manifest) {
  for (const Feature& feature : manifest.features) {
    if (!is_printable(feature.unit, kNameBytesMax)) {
      return fail(ErrorCode::kCorrupt, "feature '{}': unit is not printable or longer than {} bytes",
                  feature.name, kNameBytesMax);
    }
  }
  const Provenance& p = manifest.provenance;
  for (const std::string& text :
       {p.tool, p.command, p.source, p.source_sha256, p.specification_sha256, p.license}) {
    if (!is_printable(text, kTextBytesMax)) {
      return fail(ErrorCode::kCorrupt, "provenance: a text is not printable or longer than {} bytes",
                  kTextBytesMax);
    }
  }
  if (manifest.description.size() > kDescriptionBytesMax) {
    return fail(ErrorCode::kCorrupt, "description has {} bytes, expected at most {}",
                manifest.description.size(), kDescriptionBytesMax);
  }
  if (manifest.metrics.size() > kMetricsMax) {
    return fail(ErrorCode::kCorrupt, "has {} metrics, expected at most {}", manifest.metrics.size(),
                kMetricsMax);
  }
  for (const Metric& metric : manifest.metrics) {
    if (!is_printable(metric.name, 2 * kNameBytesMax) || !std::isfinite(metric.value)) {
      return fail(ErrorCode::kCorrupt, "metric '{}': expected a printable name and a finite value",
                  metric.name);
    }
  }
  return {};
}

void store_provenance(const Provenance& provenance, v1::Provenance& out) {
  out.set_tool(provenance.tool);
  out.set_command(provenance.command);
  out.set_source(provenance.source);
  out.set_source_sha256(provenance.source_sha256);
  out.set_specification_sha256(provenance.specification_sha256);
  out.set_seed(provenance.seed);
  out.set_license(provenance.license);
}

v1::Manifest to_proto(const Manifest& manifest) {
  v1::Manifest out;
  out.set_format_version(manifest.format_version);
  out.set_name(manifest.name);
  out.set_version(manifest.version);
  for (const Feature& feature : manifest.features) {
    v1::Feature& stored = *out.add_features();
    stored.set_name(feature.name);
    stored.set_unit(feature.unit);
  }
  for (const std::string& name : manifest.classes) out.add_classes(name);
  for (const LayerShape& layer : manifest.layers) {
    v1::LayerShape& stored = *out.add_layers();
    stored.set_input_count(layer.input_count);
    stored.set_node_count(layer.node_count);
    stored.set_edge_count(layer.edge_count);
  }
  out.set_codes_only(manifest.codes_only);
  for (const FileDigest& file : manifest.files) {
    v1::FileDigest& stored = *out.add_files();
    stored.set_path(file.path);
    stored.set_sha256(file.sha256);
    stored.set_size_bytes(file.size_bytes);
  }
  store_provenance(manifest.provenance, *out.mutable_provenance());
  for (const Metric& metric : manifest.metrics) {
    v1::Metric& stored = *out.add_metrics();
    stored.set_name(metric.name);
    stored.set_value(metric.value);
  }
  out.set_description(manifest.description);
  return out;
}

Manifest from_proto(const v1::Manifest& stored) {
  Manifest manifest;
  manifest.format_version = stored.format_version();
  manifest.name = stored.name();
  manifest.version = stored.version();
  for (const auto& feature : stored.features()) manifest.features.push_back({feature.name(), feature.unit()});
  manifest.classes.assign(stored.classes().begin(), stored.classes().end());
  for (const auto& layer : stored.layers()) {
    manifest.layers.push_back({layer.input_count(), layer.node_count(), layer.edge_count()});
  }
  manifest.codes_only = stored.codes_only();
  for (const auto& file : stored.files())
    manifest.files.push_back({file.path(), file.sha256(), file.size_bytes()});
  const v1::Provenance& p = stored.provenance();
  manifest.provenance = {p.tool(), p.command(), p.source(), p.source_sha256(), p.specification_sha256(),
                         p.seed(), p.license()};
  for (const auto& metric : stored.metrics()) manifest.metrics.push_back({metric.name(), metric.value()});
  manifest.description = stored.description();
  return manifest;
}

}  // namespace

std::vector<LayerShape> layer_shapes(const Model& model) {
  std::vector<LayerShape> shapes;
  for (const Layer& layer : model.layers) {
    shapes.push_back({static_cast<std::uint32_t>(layer.input_codes.size()),
                      static_cast<std::uint32_t>(layer.nodes.size()),
                      static_cast<std::uint32_t>(layer.edges.size())});
  }
  return shapes;
}

Result<std::string> manifest_to_json(const Manifest& manifest) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(to_proto(manifest), &json, options);
  if (!status.ok()) return fail(ErrorCode::kInvalid, "cannot be written: {}", status.message().as_string());
  if (!json.ends_with('\n')) json += '\n';
  return json;
}

Result<Manifest> manifest_from_json(std::string_view json) {
  if (json.size() > kManifestBytesMax) {
    return fail(ErrorCode::kCorrupt, "has {} bytes, expected at most {}", json.size(), kManifestBytesMax);
  }
  v1::Manifest stored;
  const auto status = google::protobuf::util::JsonStringToMessage({json.data(), json.size()}, &stored);
  if (!status.ok()) {
    const std::string reason = status.message().as_string();
    return fail(ErrorCode::kCorrupt, "is not a manifest: {}", reason.substr(0, reason.find('\n')));
  }
  Manifest manifest = from_proto(stored);
  if (auto ok = check_manifest(manifest); !ok) return tl::unexpected(ok.error());
  return manifest;
}

Result<void> check_manifest(const Manifest& manifest) {
  if (manifest.format_version != kFormatVersion) {
    return fail(ErrorCode::kUnsupported, "has format version {}, expected {}", manifest.format_version,
                kFormatVersion);
  }
  for (const std::string& text : {manifest.name, manifest.version}) {
    if (!is_path_part(text)) {
      return fail(
          ErrorCode::kCorrupt,
          "name or version '{}': expected 1 to {} letters, digits and . _ - +, a letter or digit first", text,
          kNameBytesMax);
    }
  }
  if (auto ok = check_names(manifest.features, "feature", kInputsMax,
                            [](const Feature& f) -> const std::string& { return f.name; });
      !ok) {
    return ok;
  }
  if (auto ok = check_names(manifest.classes, "class", kOutputsMax,
                            [](const std::string& name) -> const std::string& { return name; });
      !ok) {
    return ok;
  }
  if (auto ok = check_files(manifest.files); !ok) return ok;
  return check_texts(manifest);
}

}  // namespace kantrig::kan
