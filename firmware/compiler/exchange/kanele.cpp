#include "compiler/exchange/kanele.hpp"

#include <nlohmann/json.hpp>

#include <limits>
#include <optional>

#include "base/build_info.hpp"
#include "base/file.hpp"
#include "compiler/golden.hpp"
#include "kan/bundle_folder.hpp"
#include "kan/verify_vectors.hpp"

namespace kantrig::exchange {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr std::size_t kConfigBytesMax = std::size_t{1} << 20U;
constexpr std::size_t kTablesBytesMax = std::size_t{256} << 20U;
constexpr std::uint32_t kLastBitsMax = 16;  // outputs are int16

struct Document {
  json root;
  std::string sha256;
};

/// A JSON object. nlohmann's exceptions end in this file: parsing by return value, access after a check of
/// the type.
Result<Document> read_json(const fs::path& path, std::size_t bytes_max) {
  const auto text = base::read_file(path, bytes_max);
  if (!text) return tl::unexpected(text.error());
  json root = json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!root.is_object()) return fail(ErrorCode::kInvalid, "{}: expected a JSON object", path.string());
  return Document{std::move(root), base::sha256(*text).hex()};
}

std::optional<std::int64_t> integer(const json& value) {
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max())
    return {};
  if (!value.is_number_integer()) return {};
  return value.get<std::int64_t>();
}

/// The array of small positive integers called `key`.
Result<std::vector<std::uint32_t>> read_sizes(const json& root, const char* key, std::string_view file) {
  const auto found = root.find(key);
  if (found == root.end() || !found->is_array()) {
    return fail(ErrorCode::kInvalid, "{}: expected an array '{}'", file, key);
  }
  std::vector<std::uint32_t> sizes;
  for (const json& item : *found) {
    const auto value = integer(item);
    if (!value || *value < 1 || *value > kan::kNodesMax) {
      return fail(ErrorCode::kInvalid, "{}: '{}' entry {}: expected an integer from 1 to {}", file, key,
                  sizes.size(), kan::kNodesMax);
    }
    sizes.push_back(static_cast<std::uint32_t>(*value));
  }
  return sizes;
}

Result<KaneleShape> read_config(const json& root, std::string_view file) {
  auto layers = read_sizes(root, "layers", file);
  if (!layers) return tl::unexpected(layers.error());
  auto bits = read_sizes(root, "layers_bitwidth", file);
  if (!bits) return tl::unexpected(bits.error());
  if (layers->size() < 2 || layers->size() > kan::kLayersMax + 1 || layers->size() != bits->size()) {
    return fail(ErrorCode::kInvalid, "{}: has {} layers and {} bit widths, expected as many of both, 2 to {}",
                file, layers->size(), bits->size(), kan::kLayersMax + 1);
  }
  for (std::size_t l = 0; l < bits->size(); ++l) {
    const std::uint32_t most = l + 1 == bits->size() ? kLastBitsMax : kan::kInputBitsMax;
    if ((*bits)[l] > most) {
      return fail(ErrorCode::kInvalid, "{}: 'layers_bitwidth' entry {} is {}, expected at most {}", file, l,
                  (*bits)[l], most);
    }
  }
  return KaneleShape{std::move(*layers), std::move(*bits)};
}

/// Reads the edges of truth_tables.json, key "layer_input_output", into a model.
class TableReader {
 public:
  TableReader(const json& root, const KaneleShape& config, std::string file)
      : root_(root), config_(config), file_(std::move(file)) {}

  Result<kan::Model> read() {
    kan::Model model;
    model.codes_only = true;
    model.inputs.assign(config_.layers[0], {.bits = config_.bits[0]});
    for (std::size_t l = 0; l + 1 < config_.layers.size(); ++l) {
      auto layer = read_layer(l);
      if (!layer) return tl::unexpected(layer.error());
      model.layers.push_back(std::move(*layer));
    }
    if (edges_ != root_.size()) {
      return fail(ErrorCode::kInvalid, "{}: has {} entries, expected {} for the layers in config.json", file_,
                  root_.size(), edges_);
    }
    model.output_scales.assign(config_.layers.back(), 1.0);  // the published tables come without a scale
    return model;
  }
  [[nodiscard]] std::uint64_t out_of_range() const { return out_of_range_; }

 private:
  Result<kan::Layer> read_layer(std::size_t l) {
    kan::Layer layer;
    layer.input_codes.assign(config_.layers[l], 1U << config_.bits[l]);
    const std::int32_t half = 1 << (config_.bits[l + 1] - 1);
    for (std::uint32_t k = 0; k < config_.layers[l + 1]; ++k) {
      kan::Node node{.low = -half, .high = half - 1};
      node.edge_begin = static_cast<std::uint32_t>(layer.edges.size());
      for (std::uint32_t j = 0; j < config_.layers[l]; ++j) {
        const std::string key = fmt::format("{}_{}_{}", l, j, k);
        if (auto ok = read_edge(key, j, node, layer); !ok) {
          return tl::unexpected(ok.error().within(fmt::format("{}: '{}'", file_, key)));
        }
      }
      node.edge_end = static_cast<std::uint32_t>(layer.edges.size());
      layer.nodes.push_back(node);
    }
    return layer;
  }

  Result<void> read_edge(const std::string& key, std::uint32_t input, const kan::Node& node,
                         kan::Layer& layer) {
    const auto edge = root_.find(key);
    if (edge == root_.end() || !edge->is_object()) return fail(ErrorCode::kInvalid, "expected an object");
    ++edges_;
    const auto active = edge->find("acive");  // as the published files spell it
    const auto state = active == edge->end() ? std::nullopt : integer(*active);
    if (!state || *state < 0 || *state > 1) return fail(ErrorCode::kInvalid, "expected 'acive' to be 0 or 1");
    const auto values = edge->find("values_int");
    const std::uint32_t entries = layer.input_codes[input];
    if (values == edge->end() || !values->is_array() || values->size() != entries) {
      return fail(ErrorCode::kInvalid, "expected 'values_int' to be an array of {} integers", entries);
    }
    if (*state == 0) return {};
    layer.edges.push_back({input, static_cast<std::uint32_t>(layer.tables.size())});
    for (const json& item : *values) {
      const auto value = integer(item);
      using Entry = std::numeric_limits<std::int16_t>;
      if (!value || *value < Entry::min() || *value > Entry::max()) {
        return fail(ErrorCode::kInvalid, "expected 'values_int' to hold 16-bit integers, found {}",
                    item.dump());
      }
      if (*value < node.low || *value > node.high) ++out_of_range_;
      layer.tables.push_back(static_cast<std::int16_t>(*value));
    }
    return {};
  }

  const json& root_;
  const KaneleShape& config_;
  std::string file_;
  std::size_t edges_ = 0;
  std::uint64_t out_of_range_ = 0;
};

/// The published vectors, whose outputs the tables must give. Adds them to `golden`; returns how many there
/// are.
Result<std::uint32_t> add_published_vectors(const fs::path& folder, const kan::Model& model,
                                            kan::GoldenVectors& golden) {
  const fs::path inputs_path = folder / "vectors_in.txt";
  const auto inputs = kan::read_text_vectors(inputs_path);
  if (!inputs && inputs.error().code == ErrorCode::kNotFound) return 0;
  if (!inputs) return tl::unexpected(inputs.error());
  const auto outputs = kan::read_text_vectors(folder / "vectors_out.txt");
  if (!outputs) return tl::unexpected(outputs.error());
  if (inputs->width != model.input_count() || outputs->width != model.output_count() ||
      inputs->count != outputs->count || inputs->count > 10'000) {
    return fail(ErrorCode::kInvalid,
                "{}: has {} x {} codes for {} x {} outputs, expected {} and {} a vector, at most 10000",
                inputs_path.string(), inputs->count, inputs->width, outputs->count, outputs->width,
                model.input_count(), model.output_count());
  }
  for (std::uint32_t n = 0; n < inputs->count; ++n) {
    std::vector<std::uint16_t> codes;
    for (std::uint32_t i = 0; i < inputs->width; ++i) {
      const std::int32_t code = inputs->values[std::size_t{n} * inputs->width + i];
      if (code < 0 || code >= 1 << model.inputs[i].bits) {
        return fail(ErrorCode::kInvalid, "{} vector {}: code is {}, expected 0 to {}", inputs_path.string(),
                    n, code, (1 << model.inputs[i].bits) - 1);
      }
      codes.push_back(static_cast<std::uint16_t>(code));
    }
    compiler::add_vector(model, codes, golden);
    for (std::uint32_t k = 0; k < outputs->width; ++k) {
      const std::int32_t expected = outputs->values[std::size_t{n} * outputs->width + k];
      const std::int32_t got = golden.outputs[golden.outputs.size() - outputs->width + k];
      if (got == expected) continue;
      return fail(ErrorCode::kCorrupt, "{}: vector {} output {}: the tables give {}, expected {}",
                  (folder / "vectors_out.txt").string(), n, k, got, expected);
    }
  }
  return inputs->count;
}

void name_parts(kan::Bundle& bundle) {
  for (std::uint32_t i = 0; i < bundle.model.input_count(); ++i)
    bundle.features.push_back({fmt::format("in{}", i), ""});
  for (std::uint32_t k = 0; k < bundle.model.class_count(); ++k)
    bundle.classes.push_back(fmt::format("c{}", k));
}

}  // namespace

Result<KaneleImport> import_kanele(const fs::path& folder, const KaneleOptions& options) {
  const fs::path config_path = folder / "config.json";
  const auto config_file = read_json(config_path, kConfigBytesMax);
  if (!config_file) return tl::unexpected(config_file.error());
  const auto config = read_config(config_file->root, config_path.string());
  if (!config) return tl::unexpected(config.error());
  const fs::path tables_path = folder / "truth_tables.json";
  const auto tables = read_json(tables_path, kTablesBytesMax);
  if (!tables) return tl::unexpected(tables.error());
  TableReader reader(tables->root, *config, tables_path.string());
  auto model = reader.read();
  if (!model) return tl::unexpected(model.error());
  if (auto ok = kan::check(*model); !ok) return tl::unexpected(ok.error().within(tables_path.string()));

  KaneleImport result;
  result.entries_out_of_range = reader.out_of_range();
  kan::Bundle& bundle = result.bundle;
  bundle.name = options.name;
  bundle.version = options.version;
  bundle.description =
      "Imported from published KANELE truth tables. Takes codes only: they have no input stage.";
  bundle.model = std::move(*model);
  name_parts(bundle);
  const auto published = add_published_vectors(folder, bundle.model, bundle.golden);
  if (!published) return tl::unexpected(published.error());
  result.published_vectors = *published;
  compiler::add_seeded_vectors(bundle.model, options.random_vectors, options.seed, bundle.golden);
  bundle.provenance = {.tool = fmt::format("kanc {}", base::build_info().version),
                       .command = "import kanele",
                       .source = kan::without_slash(fs::absolute(folder)).filename().string(),
                       .source_sha256 = tables->sha256,
                       .specification_sha256 = config_file->sha256,
                       .seed = options.seed,
                       .license = options.license};
  return result;
}

Result<kan::Model> read_truth_tables(const fs::path& path, const KaneleShape& shape) {
  const auto tables = read_json(path, kTablesBytesMax);
  if (!tables) return tl::unexpected(tables.error());
  auto model = TableReader(tables->root, shape, path.string()).read();
  if (!model) return tl::unexpected(model.error());
  if (auto ok = kan::check(*model); !ok) return tl::unexpected(ok.error().within(path.string()));
  return model;
}

}  // namespace kantrig::exchange
