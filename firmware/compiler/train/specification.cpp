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
constexpr std::int64_t kBitsMax = learned::kCodeBitsMax;

constexpr std::array<Choice<BaseFunction>, 3> kBaseFunctions{
    {{"silu", BaseFunction::kSilu}, {"gelu", BaseFunction::kGelu}, {"none", BaseFunction::kNone}}};
constexpr std::array<Choice<RangeRule>, 3> kRangeRules{{{"percentile", RangeRule::kPercentile},
                                                        {"deviations", RangeRule::kDeviations},
                                                        {"information", RangeRule::kInformation}}};
constexpr std::array<Choice<learned::EdgeKind>, 3> kEdgeKinds{{{"kan", learned::EdgeKind::kSpline},
                                                               {"linear", learned::EdgeKind::kLinear},
                                                               {"relu", learned::EdgeKind::kRelu}}};
constexpr std::array<Choice<ThresholdSharing>, 2> kSharings{
    {{"layer", ThresholdSharing::kLayer}, {"node", ThresholdSharing::kNode}}};
constexpr std::array<Choice<learned::EntryRange>, 2> kEntryRanges{
    {{"wide", learned::EntryRange::kWide}, {"output", learned::EntryRange::kOutput}}};
constexpr std::array<Choice<Task>, 3> kTasks{
    {{"classes", Task::kClasses}, {"regression", Task::kRegression}, {"autoencoder", Task::kAutoencoder}}};
constexpr std::array<Choice<Schedule>, 2> kSchedules{
    {{"exponential", Schedule::kExponential}, {"cosine", Schedule::kCosine}}};
constexpr std::array<Choice<Optimizer>, 2> kOptimizers{
    {{"adamw", Optimizer::kAdamW}, {"lbfgs", Optimizer::kLbfgs}}};
constexpr std::array<Choice<ChooseBy>, 2> kChooseBy{
    {{"accuracy", ChooseBy::kAccuracy}, {"loss", ChooseBy::kLoss}}};
constexpr std::array<Choice<PruningRule>, 2> kPruningRules{
    {{"spread", PruningRule::kSpread}, {"norm", PruningRule::kNorm}}};

constexpr std::array<Choice<kan::DistanceMeasure>, 2> kMeasures{
    {{"absolute", kan::DistanceMeasure::kAbsolute}, {"squared", kan::DistanceMeasure::kSquared}}};

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
    specification.feature_bits.push_back(static_cast<std::uint32_t>(entry.integer("bits", {1, kBitsMax}, 0)));
    specification.features.push_back(std::move(feature));
    root.adopt(entry);
  }
}

std::vector<std::uint32_t> narrowed(const std::vector<std::int64_t>& values) {
  return {values.begin(), values.end()};
}

void read_grid(TomlReader& table, Specification& specification) {
  SplineGrid& grid = specification.grid;
  grid.size = static_cast<std::uint32_t>(table.integer("grid_size", {1, learned::kGridSizeMax}, grid.size));
  grid.order =
      static_cast<std::uint32_t>(table.integer("spline_order", {1, learned::kSplineOrderMax}, grid.order));
  grid.low = table.number("grid_low", {-1e6, 1e6}, grid.low);
  grid.high = table.number("grid_high", {-1e6, 1e6}, grid.high);
  specification.base = table.choice<BaseFunction>("base_function", kBaseFunctions, specification.base);
}

void read_model(TomlReader table, TomlReader& root, Specification& specification) {
  const ListBounds nodes{.min = 1, .max = kNodesMax, .count_max = kLayersMax + 1};
  const ListBounds bits{.min = 1, .max = kBitsMax, .count_max = kLayersMax + 1};
  specification.layers = narrowed(table.integers("layers", nodes));
  specification.quantized = table.truth("quantized", true);
  if (specification.quantized || table.has("bits")) {
    specification.bits = narrowed(table.integers("bits", bits));
  } else {
    specification.bits.assign(specification.layers.size(),
                              kBitsMax);  // of a float model only the input's range counts
  }
  if (table.has("node_bits")) {
    for (const auto& list : table.integer_lists("node_bits", bits))
      specification.node_bits.push_back(narrowed(list));
  }
  if (table.has("edges"))
    specification.kinds = table.choices<learned::EdgeKind>("edges", kEdgeKinds, kLayersMax);
  specification.thresholds =
      table.choice<ThresholdSharing>("thresholds", kSharings, specification.thresholds);
  specification.entries = table.choice<learned::EntryRange>("entries", kEntryRanges, specification.entries);
  specification.guard_bits =
      static_cast<std::uint32_t>(table.integer("guard_bits", {0, learned::kGuardBitsMax}, 0));
  read_grid(table, specification);
  root.adopt(table);
}

void read_input(TomlReader table, TomlReader& root, InputRange& input) {
  input.rule = table.choice<RangeRule>("range", kRangeRules, input.rule);
  input.low_percent = table.number("low_percent", {0.0, 49.0}, input.low_percent);
  input.high_percent = table.number("high_percent", {51.0, 100.0}, input.high_percent);
  input.deviations = table.number("deviations", {0.1, 100.0}, input.deviations);
  root.adopt(table);
}

void read_class_weights(TomlReader& table, TrainingPlan& plan) {
  if (!table.has("class_weights")) return;
  plan.class_weights = table.numbers("class_weights", {1e-3, 1e3}, kClassesMax);
}

void read_training(TomlReader table, TomlReader& root, TrainingPlan& plan) {
  plan.rows = static_cast<std::uint64_t>(table.integer("rows", {0, std::int64_t{1} << 26}, 0));
  plan.epochs = static_cast<std::uint32_t>(table.integer("epochs", {1, 100'000}, plan.epochs));
  plan.batch_size = static_cast<std::uint32_t>(table.integer("batch_size", {1, 1 << 26}, plan.batch_size));
  plan.optimizer = table.choice<Optimizer>("optimizer", kOptimizers, plan.optimizer);
  plan.learning_rate = table.number("learning_rate", {1e-8, 1.0}, plan.learning_rate);
  plan.schedule = table.choice<Schedule>("schedule", kSchedules, plan.schedule);
  plan.learning_rate_decay = table.number("learning_rate_decay", {0.0001, 1.0}, plan.learning_rate_decay);
  plan.weight_decay = table.number("weight_decay", {0.0, 10.0}, plan.weight_decay);
  plan.validation_fraction = table.number("validation_fraction", {0.001, 0.9}, plan.validation_fraction);
  plan.choose_by = table.choice<ChooseBy>("choose_by", kChooseBy, plan.choose_by);
  plan.patience = static_cast<std::uint32_t>(table.integer("patience", {0, 100'000}, 0));
  plan.average = table.number("average", {0.0, 0.99999}, 0.0);
  plan.balanced = table.truth("balanced", false);
  read_class_weights(table, plan);
  plan.teacher_share = table.number("teacher_share", {0.0, 1.0}, plan.teacher_share);
  plan.seed = static_cast<std::uint64_t>(table.integer("seed", {0, INT64_MAX}, 1));
  root.adopt(table);
}

void read_pruning(TomlReader table, TomlReader& root, PruningPlan& plan) {
  plan.rule = table.choice<PruningRule>("rule", kPruningRules, plan.rule);
  plan.threshold = table.number("threshold", {0.0, 4096.0}, plan.threshold);
  plan.start_epoch = static_cast<std::uint32_t>(table.integer("start_epoch", {0, 100'000}, plan.start_epoch));
  plan.end_epoch = static_cast<std::uint32_t>(table.integer("end_epoch", {1, 100'000}, plan.end_epoch));
  root.adopt(table);
}

void read_area(TomlReader table, TomlReader& root, AreaPlan& plan) {
  plan.lut_budget = table.number("lut_budget", {0.0, 1e7}, plan.lut_budget);
  plan.charge = table.number("charge", {0.0, 1e3}, plan.charge);
  plan.start_epoch = static_cast<std::uint32_t>(table.integer("start_epoch", {0, 100'000}, plan.start_epoch));
  plan.end_epoch = static_cast<std::uint32_t>(table.integer("end_epoch", {1, 100'000}, plan.end_epoch));
  root.adopt(table);
}

void read_score(TomlReader table, TomlReader& root, ScorePlan& plan) {
  plan.measure = table.choice<kan::DistanceMeasure>("measure", kMeasures, plan.measure);
  plan.threshold_percent = table.number("threshold_percent", {0.0, 100.0}, plan.threshold_percent);
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

/// What its score asks for is refused here, before an hour of training.
Result<void> check_autoencoder(const Specification& s, std::string_view origin) {
  const std::size_t outputs = s.layers.back();
  if (outputs != s.layers.front()) {
    return fail(ErrorCode::kInvalid,
                "{}: model.layers: an autoencoder ends with as many outputs as inputs, {}, not {}", origin,
                s.layers.front(), outputs);
  }
  if (!s.quantized) return {};
  if (outputs > kan::kOutputsMax) {
    return fail(ErrorCode::kInvalid,
                "{}: model.layers: a quantised autoencoder has at most {} outputs, not {}", origin,
                kan::kOutputsMax, outputs);
  }
  for (const std::uint32_t bits : s.node_bits.empty() ? std::vector<std::uint32_t>{} : s.node_bits.back()) {
    if (bits == s.node_bits.back().front()) continue;
    return fail(ErrorCode::kInvalid,
                "{}: model.node_bits: the outputs of an autoencoder have widths {} and {}, expected one for "
                "all: the score adds their distances",
                origin, s.node_bits.back().front(), bits);
  }
  return {};
}

Result<void> check_outputs(const Specification& s, std::string_view origin) {
  const std::size_t outputs = s.layers.back();
  if (s.task == Task::kRegression) {
    if (outputs == s.targets.size()) return {};
    return fail(ErrorCode::kInvalid, "{}: model.layers: ends with {} outputs for {} targets", origin, outputs,
                s.targets.size());
  }
  if (s.task == Task::kAutoencoder) return check_autoencoder(s, origin);
  const bool binary = outputs == 1 && s.classes.size() == 2;
  if (s.classes.size() < 2 || s.classes.size() > kClassesMax || (outputs != s.classes.size() && !binary)) {
    return fail(ErrorCode::kInvalid,
                "{}: model.layers: ends with {} outputs for {} classes, expected one for each of 2 to {} "
                "classes, or 1 for 2 "
                "classes",
                origin, outputs, s.classes.size(), kClassesMax);
  }
  const std::size_t weights = s.training.class_weights.size();
  if (weights != 0 && weights != s.classes.size()) {
    return fail(ErrorCode::kInvalid, "{}: training.class_weights: has {} weights for {} classes", origin,
                weights, s.classes.size());
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
  if (!s.kinds.empty() && s.kinds.size() != s.layer_count()) {
    return fail(ErrorCode::kInvalid, "{}: model.edges: has {} kinds, expected {}, one for each layer", origin,
                s.kinds.size(), s.layer_count());
  }
  if (!s.node_bits.empty() && s.node_bits.size() != s.layer_count()) {
    return fail(ErrorCode::kInvalid, "{}: model.node_bits: has {} lists, expected {}, one for each layer",
                origin, s.node_bits.size(), s.layer_count());
  }
  for (std::size_t l = 0; l < s.node_bits.size(); ++l) {
    if (s.node_bits[l].size() == s.layers[l + 1]) continue;
    return fail(ErrorCode::kInvalid,
                "{}: model.node_bits: list {} has {} widths, expected {}, one for each node", origin, l,
                s.node_bits[l].size(), s.layers[l + 1]);
  }
  return check_outputs(s, origin);
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
  if (auto ok = check_names(origin, "targets", s.targets); !ok) return ok;
  if (s.area.lut_budget > 0.0 &&
      (s.area.end_epoch <= s.area.start_epoch || s.area.end_epoch >= s.training.epochs)) {
    return fail(ErrorCode::kInvalid,
                "{}: area.end_epoch: {} must come after area.start_epoch, {}, and leave epochs to learn "
                "before the last, {}",
                origin, s.area.end_epoch, s.area.start_epoch, s.training.epochs);
  }
  if (s.area.lut_budget > 0.0 && !s.quantized)
    return fail(ErrorCode::kInvalid, "{}: area.lut_budget: asks for model.quantized = true", origin);
  if (!(s.grid.high - s.grid.low >= 1e-3)) {
    return fail(ErrorCode::kInvalid, "{}: model.grid_high: {} must lie above model.grid_low, {}", origin,
                s.grid.high, s.grid.low);
  }
  if (s.pruning.end_epoch <= s.pruning.start_epoch) {
    return fail(ErrorCode::kInvalid, "{}: pruning.end_epoch: {} must come after pruning.start_epoch, {}",
                origin, s.pruning.end_epoch, s.pruning.start_epoch);
  }
  if (s.pruning.threshold > 0.0 && s.pruning.end_epoch > s.training.epochs) {
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
  specification.targets =
      root->has("targets") ? root->texts("targets", kClassesMax) : std::vector<std::string>{};
  const Task usual = specification.targets.empty() ? Task::kClasses : Task::kRegression;
  specification.task = root->choice<Task>("task", kTasks, usual);
  if (specification.task == Task::kClasses || root->has("classes"))
    specification.classes = root->texts("classes", kClassesMax);
  read_features(*root, specification);
  read_model(root->table("model"), *root, specification);
  read_input(root->table("input"), *root, specification.input);
  read_training(root->table("training"), *root, specification.training);
  read_pruning(root->table("pruning"), *root, specification.pruning);
  read_area(root->table("area"), *root, specification.area);
  if (specification.task == Task::kAutoencoder) read_score(root->table("score"), *root, specification.score);
  if (auto ok = root->finish(); !ok) return tl::unexpected(ok.error());
  if (auto ok = check(specification, origin); !ok) return tl::unexpected(ok.error());
  return specification;
}

}  // namespace kantrig::train
