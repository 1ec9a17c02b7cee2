// NumPy's .npy files, versions 1 and 2: little-endian f4, f8, i1, u1, i2, u2, i4, i8 in C order, one or two
// dimensions.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/feature_table.hpp"
#include "base/result.hpp"

namespace kantrig::base {

/// Rows of features. One dimension is read as one column. Errors name the file, what was expected and what
/// was found.
[[nodiscard]] Result<FeatureTable> read_npy(const std::filesystem::path& path);
/// The same from memory; `name` stands for the file in errors.
[[nodiscard]] Result<FeatureTable> parse_npy(std::string_view content, std::string_view name);

/// One column of integers, such as labels. Refuses the float types.
[[nodiscard]] Result<std::vector<std::int64_t>> read_npy_integers(const std::filesystem::path& path);
[[nodiscard]] Result<std::vector<std::int64_t>> parse_npy_integers(std::string_view content,
                                                                   std::string_view name);

}  // namespace kantrig::base
