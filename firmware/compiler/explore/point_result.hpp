// PointResult: what one training of a sweep gave, or why it gave nothing. result.json in the point's folder;
// a point is done when that says so for the same specification and the same data.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "compiler/explore/model_cost.hpp"
#include "compiler/explore/sweep_plan.hpp"

namespace kantrig::explore {

struct PointResult {
  std::string specification_sha256;
  std::string data_sha256;
  std::string version;  // of kanc
  std::string error;    // empty: trained
  double seconds = 0.0;
  std::uint64_t rows_validation = 0;  // 0: not known
  std::vector<std::pair<std::string, double>> metrics;
  ModelCost cost;

  [[nodiscard]] bool failed() const noexcept { return !error.empty(); }
  [[nodiscard]] std::optional<double> metric(const std::string& name) const;
};

[[nodiscard]] std::string result_to_json(const PointResult& result);
[[nodiscard]] Result<PointResult> result_from_json(std::string_view json, std::string_view origin);

/// Replaces the point's result; a reader sees the old or the new one.
[[nodiscard]] Result<void> write_result(const std::filesystem::path& point_folder, const PointResult& result);

/// The point's result, when there is one of this plan's data and this specification. Anything else is as good
/// as none: the point is to be trained.
[[nodiscard]] std::optional<PointResult> find_result(const SweepFolder& folder, const SweepPlan& plan,
                                                     const SweepPoint& point);

}  // namespace kantrig::explore
