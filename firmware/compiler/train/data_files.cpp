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

}  // namespace

Result<Dataset> read_dataset(const Specification& specification, const DataFiles& files) {
  const bool classes_in_x = files.y.empty();
  if (classes_in_x && files.x.extension() != ".csv") {
    return fail(ErrorCode::kInvalid, "{}: holds features only; name the file with the classes by --y",
                files.x.string());
  }
  const base::CsvLabelColumn column = classes_in_x ? base::CsvLabelColumn(files.class_column) : std::nullopt;
  auto table = base::read_features(files.x, column);
  if (!table) return tl::unexpected(table.error());
  if (auto ok = check_columns(specification, *table, files.x.string()); !ok)
    return tl::unexpected(ok.error());
  const std::filesystem::path& y = classes_in_x ? files.x : files.y;
  auto labels = base::read_labels(y, files.class_column, specification.classes);
  if (!labels) return tl::unexpected(labels.error());
  if (labels->size() != table->rows) {
    return fail(ErrorCode::kInvalid, "{}: has {} classes for the {} rows of {}", y.string(), labels->size(),
                table->rows, files.x.string());
  }
  Dataset data;
  data.name = files.x.filename().string();
  auto bytes = base::read_file(files.x, base::kTableBytesMax);
  if (!bytes) return tl::unexpected(bytes.error());
  if (!classes_in_x) {
    data.name += " + " + y.filename().string();
    auto more = base::read_file(y, base::kTableBytesMax);
    if (!more) return tl::unexpected(more.error());
    *bytes += *more;
  }
  data.sha256 = base::sha256(*bytes).hex();
  data.columns = static_cast<std::uint32_t>(table->columns);
  data.values = std::move(table->values);
  data.classes.reserve(labels->size());
  for (std::size_t row = 0; row < labels->size(); ++row) {
    const std::uint32_t label = (*labels)[row];
    if (label >= specification.classes.size()) {
      return fail(ErrorCode::kInvalid,
                  "{}: row {} has class {}, expected 0 to {} (the specification names {} classes)",
                  y.string(), row + 1, label, specification.classes.size() - 1, specification.classes.size());
    }
    data.classes.push_back(static_cast<std::uint8_t>(label));
  }
  return data;
}

}  // namespace kantrig::train
