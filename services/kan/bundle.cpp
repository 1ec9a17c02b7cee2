#include "kan/bundle.hpp"

#include <algorithm>
#include <map>

#include "base/file.hpp"
#include "kan/bundle_folder.hpp"
#include "kan/manifest_json.hpp"
#include "kan/model_proto.hpp"
#include "kan/reference.hpp"
#include "kan/signature.hpp"

namespace kantrig::kan {
namespace {

constexpr std::string_view kManifestFile = "manifest.json";
constexpr std::string_view kManifestDigestFile = "manifest.sha256";
constexpr std::string_view kSignatureFile = "manifest.sig";
constexpr std::string_view kModelFile = "model.pb";
constexpr std::string_view kGoldenFile = "golden/vectors.pb";
constexpr std::string_view kReferenceFile = "reference.pb";
constexpr std::string_view kReportFile = "report.json";
constexpr std::string_view kRtlPrefix = "rtl/";
constexpr std::string_view kFpgaPrefix = "fpga/";
constexpr std::string_view kImageSuffix = ".xclbin";
constexpr std::size_t kReportBytesMax = std::size_t{16} << 20U;
constexpr std::size_t kRtlBytesMax = std::size_t{256} << 20U;    // all files below rtl/ together
constexpr std::size_t kFpgaBytesMax = std::size_t{1024} << 20U;  // all files below fpga/ together
constexpr std::uint64_t kGoldenLookupsMax = std::uint64_t{1}
                                            << 32U;  // bounds the time of the replay: some seconds

using FileSizes = std::map<std::string, std::uint64_t>;
using FileContents = std::map<std::string, std::string>;

/// Content of manifest.sha256, so that `sha256sum -c` reads it.
std::string manifest_digest_line(const base::Digest& digest) {
  return fmt::format("{}  {}\n", digest.hex(), kManifestFile);
}

bool is_image(std::string_view path) {
  return path.starts_with(kFpgaPrefix) && path.ends_with(kImageSuffix);
}

bool is_kept(std::string_view path, Images images) {
  if (is_image(path)) return images == Images::kKeep;
  return path == kModelFile || path == kGoldenFile || path == kReferenceFile || path == kReportFile ||
         path.starts_with(kRtlPrefix) || path.starts_with(kFpgaPrefix);
}

/// manifest.json after its digest and signature were found right.
Result<std::string> read_manifest(const std::filesystem::path& folder, const FileSizes& sizes,
                                  const SignaturePolicy& policy) {
  for (const std::string_view name : {kManifestFile, kManifestDigestFile}) {
    if (!sizes.contains(std::string(name))) return fail(ErrorCode::kNotFound, "{}: is missing", name);
  }
  auto json = base::read_file(folder / kManifestFile, kManifestBytesMax);
  if (!json) return tl::unexpected(json.error());
  const auto line = base::read_file(folder / kManifestDigestFile, 1024);
  if (!line) return tl::unexpected(line.error());
  const base::Digest digest = base::sha256(*json);
  if (*line != manifest_digest_line(digest)) {
    return fail(ErrorCode::kCorrupt, "{}: has sha256 {}, which is not what {} says", kManifestFile,
                digest.hex(), kManifestDigestFile);
  }
  std::optional<std::string> signature;
  if (sizes.contains(std::string(kSignatureFile))) {
    auto text = base::read_file(folder / kSignatureFile, 1024);
    if (!text) return tl::unexpected(text.error());
    signature = std::move(*text);
  }
  if (auto ok = check_signature(*json, signature, policy); !ok)
    return tl::unexpected(ok.error().within(kSignatureFile));
  return json;
}

/// The content of a file that has the size and the digest that the manifest says.
Result<std::string> read_listed_file(const std::filesystem::path& folder, const FileDigest& listed,
                                     const FileSizes& sizes) {
  const auto found = sizes.find(listed.path);
  if (found == sizes.end())
    return fail(ErrorCode::kNotFound, "{}: is missing, the manifest lists it", listed.path);
  auto content = base::read_file(folder / listed.path, kBundleFileBytesMax);
  if (!content) return content;
  if (content->size() != listed.size_bytes) {
    return fail(ErrorCode::kCorrupt, "{}: has {} bytes, expected {}", listed.path, content->size(),
                listed.size_bytes);
  }
  const std::string digest = base::sha256(*content).hex();
  if (digest != listed.sha256) {
    return fail(ErrorCode::kCorrupt, "{}: has sha256 {}, expected {}", listed.path, digest, listed.sha256);
  }
  return content;
}

/// Every listed file has its size and digest, and no other file is there.
Result<FileContents> read_files(const std::filesystem::path& folder, const Manifest& manifest,
                                FileSizes sizes, Images images) {
  FileContents contents;
  for (const FileDigest& listed : manifest.files) {
    auto content = read_listed_file(folder, listed, sizes);
    if (!content) return tl::unexpected(content.error());
    if (is_kept(listed.path, images)) contents[listed.path] = std::move(*content);
    sizes.erase(listed.path);
  }
  for (const std::string_view name : {kManifestFile, kManifestDigestFile, kSignatureFile}) {
    sizes.erase(std::string(name));
  }
  if (!sizes.empty()) {
    return fail(ErrorCode::kCorrupt, "{}: is not listed in the manifest, expected no other file",
                sizes.begin()->first);
  }
  for (const std::string_view name : {kModelFile, kGoldenFile, kReferenceFile}) {
    if (!contents.contains(std::string(name))) {
      return fail(ErrorCode::kCorrupt, "{}: does not list {}", kManifestFile, name);
    }
  }
  return contents;
}

Result<void> check_shapes(const Manifest& manifest, const Model& model) {
  if (manifest.features.size() != model.input_count()) {
    return fail(ErrorCode::kCorrupt, "{}: names {} features, expected {}, the inputs of {}", kManifestFile,
                manifest.features.size(), model.input_count(), kModelFile);
  }
  if (manifest.classes.size() != model.class_count()) {
    return fail(ErrorCode::kCorrupt, "{}: names {} classes, expected {} for a model of {} outputs",
                kManifestFile, manifest.classes.size(), model.class_count(), model.output_count());
  }
  const auto shapes = layer_shapes(model);
  if (manifest.layers.size() != shapes.size()) {
    return fail(ErrorCode::kCorrupt, "{}: has {} layers, expected the {} of {}", kManifestFile,
                manifest.layers.size(), shapes.size(), kModelFile);
  }
  for (std::size_t l = 0; l < shapes.size(); ++l) {
    const LayerShape& said = manifest.layers[l];
    const LayerShape& is = shapes[l];
    if (said == is) continue;
    return fail(ErrorCode::kCorrupt, "{}: layer {} is {} -> {} with {} edges, expected {} -> {} with {}",
                kManifestFile, l, said.input_count, said.node_count, said.edge_count, is.input_count,
                is.node_count, is.edge_count);
  }
  return {};
}

/// A reference is empty or has a histogram for every feature, in order, and for every output.
Result<void> check_reference(const Reference& reference, const Bundle& bundle) {
  if (reference.features.empty() && reference.scores.empty()) return {};
  if (reference.features.size() != bundle.features.size() ||
      reference.scores.size() != bundle.model.output_count()) {
    return fail(ErrorCode::kCorrupt, "{}: has {} and {} histograms, expected {} features and {} scores",
                kReferenceFile, reference.features.size(), reference.scores.size(), bundle.features.size(),
                bundle.model.output_count());
  }
  for (std::size_t i = 0; i < reference.features.size(); ++i) {
    if (reference.features[i].name != bundle.features[i].name) {
      return fail(ErrorCode::kCorrupt, "{}: histogram {} is of '{}', expected '{}'", kReferenceFile, i,
                  reference.features[i].name, bundle.features[i].name);
    }
  }
  for (const auto* histograms : {&reference.features, &reference.scores}) {
    for (const Histogram& histogram : *histograms) {
      if (histogram.width >= 1 && histogram.counts.size() <= kHistogramBinsMax) continue;
      return fail(ErrorCode::kCorrupt,
                  "{}: histogram '{}' has {} bins of width {}, expected at most {} of at least 1",
                  kReferenceFile, histogram.name, histogram.counts.size(), histogram.width,
                  kHistogramBinsMax);
    }
  }
  return {};
}

Result<void> replay_by_reference(const Bundle& bundle) {
  const Model& model = bundle.model;
  std::uint64_t edges = 1;
  for (const Layer& layer : model.layers) edges += layer.edges.size() + layer.nodes.size();
  if (edges * bundle.golden.count > kGoldenLookupsMax) {
    return fail(ErrorCode::kCorrupt, "{}: {} vectors are too many for {} edges, expected at most {}",
                kGoldenFile, bundle.golden.count, edges, kGoldenLookupsMax / edges);
  }
  const std::size_t outputs = model.output_count();
  for (std::size_t i = 0; i < bundle.golden.count; ++i) {
    const auto codes = std::span(bundle.golden.inputs).subspan(i * model.input_count(), model.input_count());
    const auto got = reference_outputs(model, codes);
    for (std::size_t k = 0; k < outputs; ++k) {
      const std::int16_t expected = bundle.golden.outputs[i * outputs + k];
      if (got[k] == expected) continue;
      return fail(ErrorCode::kCorrupt, "{}: vector {} output {}: the model gives {}, expected {}",
                  kGoldenFile, i, k, got[k], expected);
    }
  }
  return {};
}

Manifest manifest_of(const Bundle& bundle) {
  Manifest manifest;
  manifest.name = bundle.name;
  manifest.version = bundle.version;
  manifest.features = bundle.features;
  manifest.classes = bundle.classes;
  manifest.layers = layer_shapes(bundle.model);
  manifest.codes_only = bundle.model.codes_only;
  manifest.provenance = bundle.provenance;
  manifest.metrics = bundle.metrics;
  manifest.description = bundle.description;
  return manifest;
}

/// A folder of the bundle that is kept as it stands.
struct PlainFolder {
  std::string_view prefix;
  std::string_view what;  // its files are
  std::size_t bytes_max = 0;
};

Result<void> check_files_of(const PlainFolder& folder, const std::map<std::string, std::string>& files) {
  std::size_t bytes = 0;
  for (const auto& [path, content] : files) {
    if (!path.starts_with(folder.prefix))
      return fail(ErrorCode::kInvalid, "{}: is not below {}, expected a file of {}", path, folder.prefix,
                  folder.what);
    bytes += content.size();
  }
  if (bytes > folder.bytes_max) {
    return fail(ErrorCode::kInvalid, "{}: has {} bytes, expected at most {}", folder.prefix, bytes,
                folder.bytes_max);
  }
  return {};
}

/// Everything that load_bundle() would refuse later.
Result<void> check_bundle(const Bundle& bundle, const Manifest& manifest) {
  if (auto ok = check_manifest(manifest); !ok) return ok;
  if (auto ok = check(bundle.model); !ok) return ok;
  if (auto ok = check_shapes(manifest, bundle.model); !ok) return ok;
  if (auto ok = check_golden(bundle.golden, bundle.model); !ok)
    return tl::unexpected(ok.error().within(kGoldenFile));
  if (auto ok = check_reference(bundle.reference, bundle); !ok) return ok;
  if (bundle.report_json.size() > kReportBytesMax) {
    return fail(ErrorCode::kInvalid, "{}: has {} bytes, expected at most {}", kReportFile,
                bundle.report_json.size(), kReportBytesMax);
  }
  if (auto ok = check_files_of({kRtlPrefix, "the design", kRtlBytesMax}, bundle.rtl_files); !ok) return ok;
  if (auto ok = check_files_of({kFpgaPrefix, "a card", kFpgaBytesMax}, bundle.fpga_files); !ok) return ok;
  return replay_by_reference(bundle);
}

/// The files of `bundle` but the manifest, which lists them, and what stands on it.
Result<FileContents> encode_files(const Bundle& bundle) {
  FileContents files;
  files[std::string(kModelFile)] = encode_model(bundle.model);
  files[std::string(kGoldenFile)] = encode_golden(bundle.golden, bundle.model);
  files[std::string(kReferenceFile)] = encode_reference(bundle.reference);
  if (!bundle.report_json.empty()) files[std::string(kReportFile)] = bundle.report_json;
  if (!bundle.fpga_left_out.empty()) {
    return fail(ErrorCode::kInvalid,
                "{}: was left on the disk, expected a bundle that was loaded with images",
                bundle.fpga_left_out.begin()->first);
  }
  files.insert(bundle.rtl_files.begin(), bundle.rtl_files.end());
  files.insert(bundle.fpga_files.begin(), bundle.fpga_files.end());
  const std::map<std::string_view, std::size_t> limits{
      {kModelFile, kModelBytesMax}, {kGoldenFile, kGoldenBytesMax}, {kReferenceFile, kReferenceBytesMax}};
  for (const auto& [name, limit] : limits) {
    const std::size_t size = files[std::string(name)].size();
    if (size > limit)
      return fail(ErrorCode::kInvalid, "{}: has {} bytes, expected at most {}", name, size, limit);
  }
  return files;
}

/// Whether `folder` holds a bundle of this name and version, which may be replaced.
Result<void> check_replaceable(const std::filesystem::path& folder, const Bundle& bundle) {
  const auto json = base::read_file(folder / kManifestFile, kManifestBytesMax);
  const auto old = json ? manifest_from_json(*json) : tl::unexpected(json.error());
  if (old && old->name == bundle.name && old->version == bundle.version) return {};
  return fail(ErrorCode::kInvalid, "{}: exists and is not an older bundle {}, expected a new name",
              folder.string(), bundle.full_name());
}

Result<Bundle> assemble(const Manifest& manifest, FileContents contents, const base::Digest& digest) {
  auto model = decode_model(contents[std::string(kModelFile)], manifest.codes_only);
  if (!model) return tl::unexpected(model.error().within(kModelFile));
  auto golden = decode_golden(contents[std::string(kGoldenFile)], *model);
  if (!golden) return tl::unexpected(golden.error().within(kGoldenFile));
  auto reference = decode_reference(contents[std::string(kReferenceFile)]);
  if (!reference) return tl::unexpected(reference.error().within(kReferenceFile));
  Bundle bundle{.name = manifest.name,
                .version = manifest.version,
                .description = manifest.description,
                .features = manifest.features,
                .classes = manifest.classes,
                .provenance = manifest.provenance,
                .metrics = manifest.metrics,
                .model = std::move(*model),
                .golden = std::move(*golden),
                .reference = std::move(*reference),
                .report_json = std::move(contents[std::string(kReportFile)]),
                .rtl_files = {},
                .fpga_files = {},
                .fpga_left_out = {},
                .digest = digest};
  for (auto& [path, content] : contents) {
    if (path.starts_with(kRtlPrefix)) bundle.rtl_files[path] = std::move(content);
    if (path.starts_with(kFpgaPrefix)) bundle.fpga_files[path] = std::move(content);
  }
  for (const FileDigest& file : manifest.files) {
    if (is_image(file.path) && !bundle.fpga_files.contains(file.path))
      bundle.fpga_left_out[file.path] = file.size_bytes;
  }
  if (auto ok = check_bundle(bundle, manifest); !ok) return tl::unexpected(ok.error());
  return bundle;
}

Result<Bundle> load(const std::filesystem::path& folder, const SignaturePolicy& policy, Images images) {
  auto sizes = list_files(folder);
  if (!sizes) return tl::unexpected(sizes.error());
  const auto json = read_manifest(folder, *sizes, policy);
  if (!json) return tl::unexpected(json.error());
  const auto manifest = manifest_from_json(*json);
  if (!manifest) return tl::unexpected(manifest.error().within(kManifestFile));
  auto contents = read_files(folder, *manifest, std::move(*sizes), images);
  if (!contents) return tl::unexpected(contents.error());
  return assemble(*manifest, std::move(*contents), base::sha256(*json));
}

}  // namespace

Result<Bundle> load_bundle(const std::filesystem::path& folder, const SignaturePolicy& policy,
                           Images images) {
  auto bundle = load(folder, policy, images);
  if (bundle) return bundle;
  return tl::unexpected(bundle.error().within("bundle " + without_slash(folder).filename().string()));
}

Result<base::Digest> write_bundle(const Bundle& bundle, const std::filesystem::path& folder,
                                  Overwrite overwrite) {
  const std::string context = "bundle " + bundle.full_name();
  Manifest manifest = manifest_of(bundle);
  if (auto ok = check_bundle(bundle, manifest); !ok) return tl::unexpected(ok.error().within(context));
  auto files = encode_files(bundle);
  if (!files) return tl::unexpected(files.error().within(context));
  for (const auto& [path, content] : *files) {
    manifest.files.push_back({path, base::sha256(content).hex(), content.size()});
  }
  auto json = manifest_to_json(manifest);
  if (!json) return tl::unexpected(json.error().within(kManifestFile).within(context));
  const base::Digest digest = base::sha256(*json);
  (*files)[std::string(kManifestFile)] = std::move(*json);
  (*files)[std::string(kManifestDigestFile)] = manifest_digest_line(digest);

  const std::filesystem::path target = without_slash(folder);
  std::error_code ignored;  // a path that cannot be looked at cannot be written either
  const bool exists = std::filesystem::exists(std::filesystem::symlink_status(target, ignored));
  if (exists && overwrite == Overwrite::kRefuse) {
    return fail(ErrorCode::kInvalid, "{}: {} exists already", context, target.string());
  }
  if (exists) {
    if (auto ok = check_replaceable(target, bundle); !ok) return tl::unexpected(ok.error().within(context));
  }
  if (auto ok = place_folder({target, *files, exists}); !ok)
    return tl::unexpected(ok.error().within(context));
  return digest;
}

}  // namespace kantrig::kan
