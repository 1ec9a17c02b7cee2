// run_point(): one training of a sweep, from its specification to its result.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "compiler/explore/point_result.hpp"
#include "compiler/explore/sweep_plan.hpp"

namespace kantrig::explore {

struct PointOptions {
  std::filesystem::path kanc;                             // this program
  std::uint32_t threads = 1;                              // of a training
  std::vector<std::string> train_arguments;               // for `kanc train` beside those of the sweep
  std::chrono::seconds time_max{std::chrono::hours(24)};  // of a training; then it is ended
};

/// In the point's folder: spec.toml, bundle (what `kanc train` wrote), report.json, log, result.json.
/// Whatever the training does is in the result; the error is of this folder or this data. A point that
/// another process is at is refused (kBusy).
[[nodiscard]] Result<PointResult> run_point(const SweepFolder& folder, const SweepPlan& plan,
                                            const SweepPoint& point, const PointOptions& options);

}  // namespace kantrig::explore
