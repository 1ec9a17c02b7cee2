// Brings the columns of a table of events into the order that a bundle wants.
#pragma once

#include <string_view>

#include "base/feature_table.hpp"
#include "base/result.hpp"
#include "kan/bundle.hpp"

namespace kantrig::kan {

/// A table whose columns are the features of `bundle`, in order. Named columns are found by name, and others
/// left out; a table without names, and one for a bundle that takes codes only and shares no name, is taken
/// by position. `source` stands for the file in errors.
[[nodiscard]] Result<base::FeatureTable> arrange_columns(base::FeatureTable table, const Bundle& bundle,
                                                         std::string_view source);

/// The codes in `table`, for a bundle that takes codes only. Errors name row and feature, counting rows
/// from 1.
[[nodiscard]] Result<std::vector<std::uint16_t>> table_codes(const base::FeatureTable& table,
                                                             const Bundle& bundle, std::string_view source);

}  // namespace kantrig::kan
