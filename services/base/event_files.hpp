// Features and class labels of events, from .npy or .csv files by the file's ending.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/csv.hpp"
#include "base/feature_table.hpp"
#include "base/result.hpp"

namespace kantrig::base {

/// Features from .npy, or from .csv less its label column (nullopt: it has none).
[[nodiscard]] Result<FeatureTable> read_features(const std::filesystem::path& path,
                                                 const CsvLabelColumn& label_column);

/// Class indices from .npy integers, or from a .csv label column (empty: the last one) by class_indices().
[[nodiscard]] Result<std::vector<std::uint32_t>> read_labels(const std::filesystem::path& path,
                                                             const std::string& label_column,
                                                             std::span<const std::string> classes);

/// The class index of each text: the class of that name or, where no class has that name, the index that it
/// spells. `source` stands for the file in errors, which count rows from 1.
[[nodiscard]] Result<std::vector<std::uint32_t>> class_indices(std::span<const std::string> texts,
                                                               std::span<const std::string> classes,
                                                               std::string_view source);

}  // namespace kantrig::base
