// SweepPlan: everything that says which trainings a sweep consists of. sweep.json in the folder of results.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "compiler/explore/sweep_axis.hpp"
#include "compiler/train/data_files.hpp"

namespace kantrig::explore {

inline constexpr std::size_t kPointsMax = 10'000;
inline constexpr std::size_t kAxesMax = 8;

/// How good a model is: one of the metrics of its bundle.
struct Quality {
  std::string metric = "accuracy_validation";
  bool lower_is_better = false;
};

struct SweepPlan {
  std::string origin;                // where the specification was read
  std::string specification;         // its text
  std::vector<Assignment> settings;  // the same for all points
  std::vector<Axis> axes;
  train::DataFiles data;  // absolute paths
  std::string data_sha256;
  Quality quality;
};

/// One training. The number counts through the axes, the last one fastest.
struct SweepPoint {
  std::uint32_t number = 0;
  std::vector<std::string> values;  // one of each axis
  std::string key;                  // its folder below points/
  std::string specification;        // with all assignments made
  std::string specification_sha256;
};

/// Every combination of the axes' values. Fails where there are none or too many of them, or when a field
/// cannot be set.
[[nodiscard]] Result<std::vector<SweepPoint>> points_of(const SweepPlan& plan);

/// The digest of what is learned from: the bytes of both files one after the other, and which column has the
/// classes.
[[nodiscard]] Result<std::string> data_digest(const train::DataFiles& data);

[[nodiscard]] std::string plan_to_json(const SweepPlan& plan);
[[nodiscard]] Result<SweepPlan> plan_from_json(std::string_view json, std::string_view origin);

/// Where things lie in a folder of results.
struct SweepFolder {
  std::filesystem::path path;
  [[nodiscard]] std::filesystem::path plan() const { return path / "sweep.json"; }
  [[nodiscard]] std::filesystem::path point(const SweepPoint& point) const {
    return path / "points" / point.key;
  }
};
[[nodiscard]] Result<void> write_plan(const SweepFolder& folder, const SweepPlan& plan);
[[nodiscard]] Result<SweepPlan> read_plan(const SweepFolder& folder);

}  // namespace kantrig::explore
