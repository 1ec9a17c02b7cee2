#include "compiler/train/specification.hpp"

#include "compiler/train/toml_reader.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace kantrig::train {
namespace {

constexpr std::size_t kFeaturesMax = 1024;
constexpr std::size_t kClassesMax = 256;
constexpr std::size_t kLayersMax = 16;
constexpr std::int64_t kNodesMax = 1024;
constexpr std::int64_t kBitsMax = 12;

constexpr std::array<Choice<BaseFunction>, 3> kBaseFunctions{
    {{"silu", BaseFunction::kSilu}, {"gelu", BaseFunction::kGelu}, {"none", BaseFunction::kNone}}};
constexpr std::array<Choice<RangeRule>, 3> kRangeRules{{{"percentile", RangeRule::kPercentile},
                                                        {"deviations", RangeRule::kDeviations},
                                                        {"information", RangeRule::kInformation}}};

constexpr std::size_t kPathPartMax = 64;  // as bundles have it
constexpr std::size_t kNameMax = 128;
constexpr std::size_t kUnitMax = 64;
constexpr std::size_t kLicenseMax = 1024;
constexpr std::size_t kDescriptionMax = 65'536;

/// Safe as a part of a path.
bool plain_name(std::string_view text) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-+";
  return !text.empty() && text.size() <= kPathPartMax &&
         std::string_view("._-+").find(text.front()) == std::string_view::npos &&
         text.find_first_not_of(kAllowed) == std::string_view::npos;
}

bool printable(std::string_view text, std::size_t bytes_max) {
  return text.size() <= bytes_max &&
         std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

void read_features(TomlReader& root, Specification& specification) {
  for (TomlReader& entry : root.tables("features", kFeaturesMax)) {
    kan::Feature feature;
    feature.name = entry.text("name");
    feature.unit = entry.text("unit", "");
    specification.features.push_back(std::move(feature));
    root.adopt(entry);
  }
}

void read_model(TomlReader table, TomlReader& root, Specification& specification) {
  for (const std::int64_t nodes :
       table.integers("layers", {.min = 1, .max = kNodesMax, .count_max = kLayersMax + 1})) {
    specification.layers.push_back(static_cast<std::uint32_t>(nodes));
  }
  for (const std::int64_t bits :
       table.integers("bits", {.min = 1, .max = kBitsMax, .count_max = kLayersMax + 1})) {
    specification.bits.push_back(static_cast<std::uint32_t>(bits));
  }
  SplineGrid& grid = specification.grid;
  grid.size = static_cast<std::uint32_t>(table.integer("grid_size", {1, kGridSizeMax}, grid.size));
  grid.order = static_cast<std::uint32_t>(table.integer("spline_order", {1, kSplineOrderMax}, grid.order));
  grid.low = table.number("grid_low", {-1e6, 1e6}, grid.low);
  grid.high = table.number("grid_high", {-1e6, 1e6}, grid.high);
  specification.base = table.choice<BaseFunction>("base_function", kBaseFunctions, specification.base);
  root.adopt(table);
}

void read_input(TomlReader table, TomlReader& root, InputRange& input) {
  input.rule = table.choice<RangeRule>("range", kRangeRules, input.rule);
  input.low_percent = table.number("low_percent", {0.0, 49.0}, input.low_percent);
  input.high_percent = table.number("high_percent", {51.0, 100.0}, input.high_percent);
  input.deviations = table.number("deviations", {0.1, 100.0}, input.deviations);
  root.adopt(table);
}

void read_training(TomlReader table, TomlReader& root, TrainingPlan& plan) {
  plan.rows = static_cast<std::uint64_t>(table.integer("rows", {0, std::int64_t{1} << 26}, 0));
  plan.epochs = static_cast<std::uint32_t>(table.integer("epochs", {1, 100'000}, plan.epochs));
  plan.batch_size = static_cast<std::uint32_t>(table.integer("batch_size", {1, 1 << 20}, plan.batch_size));
  plan.learning_rate = table.number("learning_rate", {1e-8, 1.0}, plan.learning_rate);
  plan.learning_rate_decay = table.number("learning_rate_decay", {0.01, 1.0}, plan.learning_rate_decay);
  plan.weight_decay = table.number("weight_decay", {0.0, 10.0}, plan.weight_decay);
  plan.validation_fraction = table.number("validation_fraction", {0.001, 0.9}, plan.validation_fraction);
  plan.seed = static_cast<std::uint64_t>(table.integer("seed", {0, INT64_MAX}, 1));
  root.adopt(table);
}

void read_pruning(TomlReader table, TomlReader& root, PruningPlan& plan) {
  plan.threshold_codes = table.number("threshold_codes", {0.0, 4096.0}, plan.threshold_codes);
  plan.start_epoch = static_cast<std::uint32_t>(table.integer("start_epoch", {0, 100'000}, plan.start_epoch));
  plan.end_epoch = static_cast<std::uint32_t>(table.integer("end_epoch", {1, 100'000}, plan.end_epoch));
  root.adopt(table);
}

template <typename Names>
Result<void> check_names(std::string_view origin, std::string_view key, const Names& names) {
  std::set<std::string_view> seen;
  for (const auto& name : names) {
    if (name.empty() || !printable(name, kNameMax)) {
      return fail(ErrorCode::kInvalid, "{}: {}: '{}' must be 1 to {} printable bytes", origin, key, name,
                  kNameMax);
    }
    if (!seen.insert(name).second)
      return fail(ErrorCode::kInvalid, "{}: {}: '{}' is there twice", origin, key, name);
  }
  return {};
}

Result<void> check_shape(const Specification& s, std::string_view origin) {
  if (s.layers.size() < 2) {
    return fail(ErrorCode::kInvalid,
                "{}: model.layers: has {} sizes, expected at least 2: inputs and outputs", origin,
                s.layers.size());
  }
  if (s.bits.size() != s.layers.size()) {
    return fail(ErrorCode::kInvalid,
                "{}: model.bits: has {} widths, expected {}, one for each entry of model.layers", origin,
                s.bits.size(), s.layers.size());
  }
  if (s.layers.front() != s.features.size()) {
    return fail(ErrorCode::kInvalid, "{}: model.layers: begins with {} inputs, but there are {} features",
                origin, s.layers.front(), s.features.size());
  }
  const std::size_t outputs = s.layers.back();
  const bool binary = outputs == 1 && s.classes.size() == 2;
  if (s.classes.size() < 2 || s.classes.size() > kClassesMax || (outputs != s.classes.size() && !binary)) {
    return fail(ErrorCode::kInvalid,
                "{}: model.layers: ends with {} outputs for {} classes, expected one for each of 2 to {} "
                "classes, or 1 for 2 "
                "classes",
                origin, outputs, s.classes.size(), kClassesMax);
  }
  return {};
}

Result<void> check_texts(const Specification& s, std::string_view origin) {
  for (const auto& [key, text] : {std::pair("name", &s.name), std::pair("version", &s.version)}) {
    if (plain_name(*text)) continue;
    return fail(ErrorCode::kInvalid,
                "{}: {}: '{}' must be 1 to {} letters, digits or any of '_-.+', with a letter or digit first",
                origin, key, *text, kPathPartMax);
  }
  if (!printable(s.license, kLicenseMax)) {
    return fail(ErrorCode::kInvalid, "{}: license: expected at most {} printable bytes", origin, kLicenseMax);
  }
  if (s.description.size() > kDescriptionMax) {
    return fail(ErrorCode::kInvalid, "{}: description: expected at most {} bytes", origin, kDescriptionMax);
  }
  for (const kan::Feature& feature : s.features) {
    if (printable(feature.unit, kUnitMax)) continue;
    return fail(ErrorCode::kInvalid, "{}: features: unit of '{}' must be at most {} printable bytes", origin,
                feature.name, kUnitMax);
  }
  return {};
}

Result<void> check(const Specification& s, std::string_view origin) {
  if (auto ok = check_texts(s, origin); !ok) return ok;
  std::vector<std::string_view> feature_names;
  for (const kan::Feature& feature : s.features) feature_names.push_back(feature.name);
  if (auto ok = check_names(origin, "features", feature_names); !ok) return ok;
  if (auto ok = check_names(origin, "classes", s.classes); !ok) return ok;
  if (auto ok = check_shape(s, origin); !ok) return ok;
  if (!(s.grid.high - s.grid.low >= 1e-3)) {
    return fail(ErrorCode::kInvalid, "{}: model.grid_high: {} must lie above model.grid_low, {}", origin,
                s.grid.high, s.grid.low);
  }
  if (s.pruning.end_epoch <= s.pruning.start_epoch) {
    return fail(ErrorCode::kInvalid, "{}: pruning.end_epoch: {} must come after pruning.start_epoch, {}",
                origin, s.pruning.end_epoch, s.pruning.start_epoch);
  }
  if (s.pruning.threshold_codes > 0.0 && s.pruning.end_epoch > s.training.epochs) {
    return fail(ErrorCode::kInvalid, "{}: pruning.end_epoch: {} lies after the last of {} training.epochs",
                origin, s.pruning.end_epoch, s.training.epochs);
  }
  return {};
}

}  // namespace

Result<Specification> parse_specification(std::string_view text, std::string_view origin) {
  auto root = TomlReader::parse(text, origin);
  if (!root) return tl::unexpected(root.error());
  Specification specification;
  specification.name = root->text("name");
  specification.version = root->text("version");
  specification.description = root->text("description", "");
  specification.license = root->text("license", "");
  specification.classes = root->texts("classes", kClassesMax);
  read_features(*root, specification);
  read_model(root->table("model"), *root, specification);
  read_input(root->table("input"), *root, specification.input);
  read_training(root->table("training"), *root, specification.training);
  read_pruning(root->table("pruning"), *root, specification.pruning);
  if (auto ok = root->finish(); !ok) return tl::unexpected(ok.error());
  if (auto ok = check(specification, origin); !ok) return tl::unexpected(ok.error());
  return specification;
}

}  // namespace kantrig::train
