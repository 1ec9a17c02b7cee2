#include "kan/feature_columns.hpp"

#include <algorithm>

namespace kantrig::kan {
namespace {

Result<base::FeatureTable> by_position(base::FeatureTable table, const Bundle& bundle,
                                       std::string_view source) {
  if (table.columns == bundle.features.size()) return table;
  return fail(ErrorCode::kInvalid, "{}: has {} columns, expected the {} features of bundle {}", source,
              table.columns, bundle.features.size(), bundle.full_name());
}

}  // namespace

Result<base::FeatureTable> arrange_columns(base::FeatureTable table, const Bundle& bundle,
                                           std::string_view source) {
  if (table.column_names.empty()) return by_position(std::move(table), bundle, source);
  std::vector<std::size_t> columns;
  std::string_view missing;
  for (const Feature& feature : bundle.features) {
    const auto found = std::find(table.column_names.begin(), table.column_names.end(), feature.name);
    if (found == table.column_names.end()) {
      if (missing.empty()) missing = feature.name;
      continue;
    }
    columns.push_back(static_cast<std::size_t>(found - table.column_names.begin()));
  }
  if (columns.empty() && bundle.model.codes_only) return by_position(std::move(table), bundle, source);
  if (!missing.empty()) {
    return fail(ErrorCode::kInvalid, "{}: has no column '{}', a feature of bundle {}", source, missing,
                bundle.full_name());
  }
  base::FeatureTable arranged{table.rows, columns.size(), {}, {}};
  arranged.values.reserve(table.rows * columns.size());
  for (std::size_t r = 0; r < table.rows; ++r) {
    const auto row = table.row(r);
    for (const std::size_t column : columns) arranged.values.push_back(row[column]);
  }
  for (const std::size_t column : columns) arranged.column_names.push_back(table.column_names[column]);
  return arranged;
}

Result<std::vector<std::uint16_t>> table_codes(const base::FeatureTable& table, const Bundle& bundle,
                                               std::string_view source) {
  std::vector<std::uint16_t> codes;
  codes.reserve(table.values.size());
  for (const float value : table.values) {
    const std::size_t i = codes.size() % table.columns;
    const std::uint32_t highest = (1U << bundle.model.inputs[i].bits) - 1;
    if (!(value >= 0.0F && value <= static_cast<float>(highest)) ||
        value != static_cast<float>(static_cast<int>(value))) {
      return fail(ErrorCode::kInvalid, "{} row {} feature '{}': found {}, expected a code from 0 to {}",
                  source, codes.size() / table.columns + 1, bundle.features[i].name, value, highest);
    }
    codes.push_back(static_cast<std::uint16_t>(value));
  }
  return codes;
}

}  // namespace kantrig::kan
