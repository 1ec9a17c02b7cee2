// CSV: one header line, commas, numbers; at most one label column, which may hold text. No quoting.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/feature_table.hpp"
#include "base/result.hpp"

namespace kantrig::base {

struct CsvTable {
  FeatureTable features;            // every column but the label's
  std::string label_name;           // of the label column, empty without one
  std::vector<std::string> labels;  // one per row, empty without a label column
};

/// Which column holds the label: nullopt none, empty the last one, else the one of that name.
using CsvLabelColumn = std::optional<std::string>;

/// Errors name the file, line (the header is line 1) and column.
[[nodiscard]] Result<CsvTable> read_csv(const std::filesystem::path& path,
                                        const CsvLabelColumn& label_column);
/// The same from memory; `name` stands for the file in errors.
[[nodiscard]] Result<CsvTable> parse_csv(std::string_view content, std::string_view name,
                                         const CsvLabelColumn& label_column);

}  // namespace kantrig::base
