// What there is of a sweep, as files: results.csv, results.json and the pictures.
#pragma once

#include <filesystem>
#include <vector>

#include "base/result.hpp"
#include "compiler/explore/ranking.hpp"
#include "compiler/explore/sweep_table.hpp"

namespace kantrig::explore {

[[nodiscard]] std::vector<SweepRow> read_rows(const SweepFolder& folder, const SweepPlan& plan,
                                              const std::vector<SweepPoint>& points);

/// The files written. `picture_ending` is svg or png.
[[nodiscard]] Result<std::vector<std::filesystem::path>> write_files(const SweepFolder& folder,
                                                                     const SweepTable& table,
                                                                     const std::string& picture_ending);

}  // namespace kantrig::explore
