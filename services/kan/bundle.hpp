// Bundle: a packaged, versioned model, as a folder <name>-<version>/ whose every byte is covered by a digest.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.hpp"
#include "base/result.hpp"
#include "kan/evaluator.hpp"
#include "kan/model.hpp"

namespace kantrig::kan {

struct Feature {
  std::string name;
  std::string unit;  // empty: a pure number
};

struct Metric {
  std::string name;
  double value = 0.0;
};

struct Provenance {
  std::string tool;
  std::string command;
  std::string source;
  std::string source_sha256;
  std::string specification_sha256;
  std::uint64_t seed = 0;
  std::string license;
};

/// Input codes and the outputs that they must give, vector by vector.
struct GoldenVectors {
  std::uint32_t count = 0;
  std::vector<std::uint16_t> inputs;  // count x inputs
  std::vector<std::int16_t> outputs;  // count x outputs
};

/// Distribution of one feature's codes or one score in the training data.
struct Histogram {
  std::string name;
  std::int32_t first = 0;   // value of bin 0
  std::uint32_t width = 1;  // of a bin, in codes
  std::vector<std::uint64_t> counts;
};

struct Reference {
  std::vector<Histogram> features;
  std::vector<Histogram> scores;
};

struct Bundle {
  std::string name;
  std::string version;
  std::string description;
  std::vector<Feature> features;
  std::vector<std::string> classes;
  Provenance provenance;
  std::vector<Metric> metrics;
  Model model;
  GoldenVectors golden;
  Reference reference;
  std::string report_json;  // report.json as it stands; may be empty
  // The compiled design, when there is one: content by path, each below rtl/ (firmware/README.md).
  std::map<std::string, std::string> rtl_files;
  // What a card is loaded with, each below fpga/ (card_image.hpp): content by path. Xclbin files are large:
  // load_bundle() leaves them on the disk unless asked, and gives their bytes in fpga_left_out.
  std::map<std::string, std::string> fpga_files;
  std::map<std::string, std::uint64_t> fpga_left_out;
  base::Digest digest;  // of manifest.json: the model digest. Set by load_bundle.

  [[nodiscard]] std::string full_name() const { return name + "-" + version; }
};

/// Whose signature a bundle needs. Default: none.
struct SignaturePolicy {
  bool required = false;
  // A file with one hex Ed25519 public key a line: a signature must be by one of them. Empty: a signature
  // that is there must be right, by whatever key.
  std::filesystem::path public_keys;
};

/// Whether the content of xclbin files is kept. Their digests are checked either way.
enum class Images : std::uint8_t { kLeaveOut, kKeep };

/// Reads a bundle and proves it whole: every file is listed and has its size and digest, no file is unlisted,
/// the model passes check(), names are unique, shapes agree, the signature policy holds, and the reference
/// evaluator reproduces the golden vectors. The error names bundle, file and what was expected.
[[nodiscard]] Result<Bundle> load_bundle(const std::filesystem::path& folder,
                                         const SignaturePolicy& policy = {},
                                         Images images = Images::kLeaveOut);

/// What to do with an older bundle of the same name and version. Anything else in the way is never replaced.
enum class Overwrite : std::uint8_t { kRefuse, kReplace };

/// Writes `bundle` as `folder`, in one step once all of it is on the disk, and returns the digest. The same
/// bundle gives the same bytes. Refuses what load_bundle() would refuse, and a bundle of which images were
/// left out; metrics must be finite. Not signed: an older signature goes with the bundle that is replaced.
[[nodiscard]] Result<base::Digest> write_bundle(const Bundle& bundle, const std::filesystem::path& folder,
                                                Overwrite overwrite);

/// The first vectors, at most `count`, with what hardware gives for them: the nodes of the last layer.
[[nodiscard]] GoldenVectors golden_nodes(const GoldenVectors& golden, const Model& model,
                                         std::uint32_t count);

/// What came of a batch of events; readable until the next one.
struct BatchResults {
  std::span<const std::int16_t* const> outputs;  // output k of event i at outputs[k][i]
  const std::uint8_t* classes = nullptr;
  std::uint32_t malformed = 0;  // events
};

/// Runs `events` rows of codes, at most kGoldenBatchEvents.
using RunBatch = std::function<BatchResults(std::span<const std::uint16_t> codes, std::uint32_t events)>;
inline constexpr std::uint32_t kGoldenBatchEvents = 256;

/// Replays the golden vectors through `run`, which errors call `what`. The error names the first vector and
/// output that differ.
[[nodiscard]] Result<void> replay_golden(const Bundle& bundle, std::string_view what, const RunBatch& run);
/// The same through an evaluator.
[[nodiscard]] Result<void> replay_golden(const Bundle& bundle, const Evaluator& evaluator);

}  // namespace kantrig::kan
