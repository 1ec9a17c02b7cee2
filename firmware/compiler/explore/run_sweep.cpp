#include "compiler/explore/run_sweep.hpp"

#include <algorithm>
#include <chrono>

#include "compiler/explore/child.hpp"

namespace kantrig::explore {
namespace {

constexpr std::chrono::hours kPatience{1};  // of one look at the children; then it looks again

Command point_command(const SweepFolder& folder, const SweepPoint& point, const SweepOptions& options) {
  Command command{
      {options.point.kanc.string(), "sweep", "--out", folder.path.string(), "--point",
       std::to_string(point.number), "--point-seconds", std::to_string(options.point.time_max.count()),
       "--threads", std::to_string(options.point.threads), "--quiet"},
      {},
      options.niceness};
  for (const std::string& argument : options.point.train_arguments) {
    command.words.push_back("--train-option=" + argument);
  }
  return command;
}

/// What the point's process left. Without a result, because it was killed or another sweep is at that point,
/// it is done again next time.
PointResult result_after(const SweepFolder& folder, const SweepPlan& plan, const SweepPoint& point,
                         const std::string& problem) {
  if (auto result = find_result(folder, plan, point)) return std::move(*result);
  PointResult result;
  result.error = "kanc sweep --point: " + (problem.empty() ? "left no result" : problem);
  return result;
}

}  // namespace

std::vector<std::uint32_t> points_to_do(const SweepFolder& folder, const SweepPlan& plan,
                                        const std::vector<SweepPoint>& points, bool retry_failed) {
  std::vector<std::uint32_t> numbers;
  for (const SweepPoint& point : points) {
    const auto result = find_result(folder, plan, point);
    if (!result || (retry_failed && result->failed())) numbers.push_back(point.number);
  }
  return numbers;
}

Result<void> run_sweep(const SweepFolder& folder, const SweepPlan& plan,
                       const std::vector<SweepPoint>& points, const SweepOptions& options,
                       const SweepProgressFn& progress) {
  const std::vector<std::uint32_t> todo = points_to_do(folder, plan, points, options.retry_failed);
  SweepProgress now{.points = points.size(), .ended = points.size() - todo.size()};
  for (const SweepPoint& point : points) {
    const auto result = find_result(folder, plan, point);
    if (result && result->failed() && !options.retry_failed) ++now.failed;
  }
  const auto begin = std::chrono::steady_clock::now();
  Children children;
  std::size_t next = 0;
  for (std::size_t done = 0; done < todo.size();) {
    while (next < todo.size() && children.running() < options.jobs) {
      const SweepPoint& point = points[todo[next++]];
      if (auto ok = children.start(point.number, point_command(folder, point, options)); !ok)
        return tl::unexpected(ok.error());
    }
    const auto ended = children.wait(kPatience);
    if (!ended) continue;
    ++done;
    ++now.ended;
    now.point = &points[ended->id];
    const PointResult result = result_after(folder, plan, *now.point, ended->problem);
    now.result = &result;
    now.failed += result.failed() ? 1U : 0U;
    const double passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    now.seconds_left = passed / static_cast<double>(done) * static_cast<double>(todo.size() - done);
    if (progress) progress(now);
  }
  return {};
}

}  // namespace kantrig::explore
