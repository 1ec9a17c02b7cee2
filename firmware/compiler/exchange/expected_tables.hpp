// Comparison of a checkpoint's tables with published ones, entry by entry.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.hpp"
#include "compiler/learned/learned_kan.hpp"

namespace kantrig::exchange {

struct TableComparison {
  std::uint32_t edges = 0;       // active in the one or the other
  std::uint64_t entries = 0;     // of these
  std::uint64_t equal = 0;       // of these
  std::string first_difference;  // empty when there is none

  [[nodiscard]] bool same() const { return equal == entries; }
};

/// Tables of `kan` against KANELE's truth_tables.json at `path`. An edge that is active in one of both only
/// counts as different in every entry. Fails when the file is wrong or of another shape, and when the model
/// is not quantised or a layer's nodes differ in width.
[[nodiscard]] Result<TableComparison> compare_tables(const learned::LearnedKan& kan,
                                                     const std::filesystem::path& path);

}  // namespace kantrig::exchange
