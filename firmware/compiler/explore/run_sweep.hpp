// run_sweep(): the points of a sweep that are not done yet, side by side on this machine.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "base/result.hpp"
#include "compiler/explore/point_result.hpp"
#include "compiler/explore/run_point.hpp"
#include "compiler/explore/sweep_plan.hpp"

namespace kantrig::explore {

struct SweepOptions {
  std::uint32_t jobs = 1;
  int niceness = 10;
  bool retry_failed = false;  // else a point that failed stays so
  PointOptions point;
};

/// What is known of a sweep after a point has ended.
struct SweepProgress {
  std::size_t points = 0;
  std::size_t ended = 0;  // failed ones included
  std::size_t failed = 0;
  double seconds_left = 0.0;
  const SweepPoint* point = nullptr;
  const PointResult* result = nullptr;
};
using SweepProgressFn = std::function<void(const SweepProgress&)>;

/// Points without a result, ascending.
[[nodiscard]] std::vector<std::uint32_t> points_to_do(const SweepFolder& folder, const SweepPlan& plan,
                                                      const std::vector<SweepPoint>& points,
                                                      bool retry_failed);

/// Runs `kanc sweep --point` for each of them. A point that fails does not stop the others; the error is of
/// the folder of results or of this machine.
[[nodiscard]] Result<void> run_sweep(const SweepFolder& folder, const SweepPlan& plan,
                                     const std::vector<SweepPoint>& points, const SweepOptions& options,
                                     const SweepProgressFn& progress);

}  // namespace kantrig::explore
