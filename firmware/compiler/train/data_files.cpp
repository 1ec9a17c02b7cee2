#include "compiler/train/data_files.hpp"

#include "base/digest.hpp"
#include "base/event_files.hpp"
#include "base/file.hpp"

namespace kantrig::train {
namespace {

Result<void> check_columns(const Specification& specification, const base::FeatureTable& table,
                           const std::string& name) {
  if (table.columns != specification.features.size()) {
    return fail(ErrorCode::kInvalid,
                "{}: has {} feature columns, expected {}, one for each feature of the specification", name,
                table.columns, specification.features.size());
  }
  for (std::size_t i = 0; i < table.column_names.size(); ++i) {
    if (table.column_names[i] == specification.features[i].name) continue;
    return fail(ErrorCode::kInvalid, "{}: column {} is '{}', expected '{}' as in the specification", name,
                i + 1, table.column_names[i], specification.features[i].name);
  }
  return {};
}

/// Columns `first` .. of a table, as values row by row.
std::vector<float> columns_of(const base::FeatureTable& table, std::size_t first, std::size_t count) {
  std::vector<float> values;
  values.reserve(table.rows * count);
  for (std::size_t row = 0; row < table.rows; ++row) {
    const auto part = table.row(row).subspan(first, count);
    values.insert(values.end(), part.begin(), part.end());
  }
  return values;
}

/// A table of the features and, behind them, the targets becomes one of the features and one of the targets.
Result<base::FeatureTable> split_targets(const Specification& specification, base::FeatureTable& table,
                                         const std::string& name) {
  const std::size_t features = specification.features.size();
  const std::size_t targets = specification.targets.size();
  if (table.columns != features + targets) {
    return fail(ErrorCode::kInvalid,
                "{}: has {} columns, expected {} features and {} targets behind them, or name the targets' "
                "file by --y",
                name, table.columns, features, targets);
  }
  base::FeatureTable part{.rows = table.rows,
                          .columns = targets,
                          .values = columns_of(table, features, targets),
                          .column_names = {}};
  for (std::size_t k = 0; k < targets && !table.column_names.empty(); ++k)
    part.column_names.push_back(table.column_names[features + k]);
  table.values = columns_of(table, 0, features);
  table.columns = features;
  if (!table.column_names.empty()) table.column_names.resize(features);
  return part;
}

Result<std::vector<float>> read_targets(const Specification& specification, const DataFiles& files,
                                        base::FeatureTable& x) {
  Result<base::FeatureTable> table = files.y.empty() ? split_targets(specification, x, files.x.string())
                                                     : base::read_features(files.y, std::nullopt);
  if (!table) return tl::unexpected(table.error());
  if (table->columns != specification.targets.size() || table->rows != x.rows) {
    return fail(ErrorCode::kInvalid, "{}: has {} rows of {} targets, expected {} of {}", files.y.string(),
                table->rows, table->columns, x.rows, specification.targets.size());
  }
  for (std::size_t k = 0; k < table->column_names.size(); ++k) {
    if (table->column_names[k] == specification.targets[k]) continue;
    return fail(ErrorCode::kInvalid, "{}: target {} is '{}', expected '{}'",
                (files.y.empty() ? files.x : files.y).string(), k + 1, table->column_names[k],
                specification.targets[k]);
  }
  return std::move(table->values);
}

Result<std::vector<std::uint8_t>> read_classes(const Specification& specification, const DataFiles& files,
                                               std::size_t rows) {
  const std::filesystem::path& y = files.y.empty() ? files.x : files.y;
  auto labels = base::read_labels(y, files.class_column, specification.classes);
  if (!labels) return tl::unexpected(labels.error());
  if (labels->size() != rows) {
    return fail(ErrorCode::kInvalid, "{}: has {} classes for the {} rows of {}", y.string(), labels->size(),
                rows, files.x.string());
  }
  std::vector<std::uint8_t> classes;
  classes.reserve(labels->size());
  for (std::size_t row = 0; row < labels->size(); ++row) {
    const std::uint32_t label = (*labels)[row];
    if (label >= specification.classes.size()) {
      return fail(ErrorCode::kInvalid,
                  "{}: row {} has class {}, expected 0 to {} (the specification names {} classes)",
                  y.string(), row + 1, label, specification.classes.size() - 1, specification.classes.size());
    }
    classes.push_back(static_cast<std::uint8_t>(label));
  }
  return classes;
}

/// SHA-256 of the files' bytes, one after the other.
Result<std::string> digest_of(const DataFiles& files) {
  auto bytes = base::read_file(files.x, base::kTableBytesMax);
  if (!bytes) return tl::unexpected(bytes.error());
  if (!files.y.empty()) {
    const auto more = base::read_file(files.y, base::kTableBytesMax);
    if (!more) return tl::unexpected(more.error());
    *bytes += *more;
  }
  return base::sha256(*bytes).hex();
}

}  // namespace

Result<Dataset> read_dataset(const Specification& specification, const DataFiles& files) {
  const bool classes_in_x = specification.task == Task::kClasses && files.y.empty();
  if (classes_in_x && files.x.extension() != ".csv") {
    return fail(ErrorCode::kInvalid, "{}: holds features only; name the file with the classes by --y",
                files.x.string());
  }
  const base::CsvLabelColumn column = classes_in_x ? base::CsvLabelColumn(files.class_column) : std::nullopt;
  auto table = base::read_features(files.x, column);
  if (!table) return tl::unexpected(table.error());
  Dataset data;
  data.name = files.x.filename().string();
  if (!files.y.empty()) data.name += " + " + files.y.filename().string();
  if (specification.task == Task::kRegression) {
    auto targets = read_targets(specification, files, *table);
    if (!targets) return tl::unexpected(targets.error());
    data.targets = std::move(*targets);
  }
  if (auto ok = check_columns(specification, *table, files.x.string()); !ok)
    return tl::unexpected(ok.error());
  if (specification.task == Task::kClasses) {
    auto classes = read_classes(specification, files, table->rows);
    if (!classes) return tl::unexpected(classes.error());
    data.classes = std::move(*classes);
  }
  auto digest = digest_of(files);
  if (!digest) return tl::unexpected(digest.error());
  data.sha256 = std::move(*digest);
  data.columns = static_cast<std::uint32_t>(table->columns);
  data.values = std::move(table->values);
  return data;
}

}  // namespace kantrig::train
