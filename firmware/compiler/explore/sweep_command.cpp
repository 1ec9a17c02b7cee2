// kanc sweep: many trainings of one specification, side by side, on this machine or on a cluster.
#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/exit_code.hpp"
#include "base/file.hpp"
#include "compiler/commands.hpp"
#include "compiler/explore/collect.hpp"
#include "compiler/explore/run_sweep.hpp"
#include "compiler/explore/slurm.hpp"
#include "compiler/explore/sweep_plan.hpp"
#include "compiler/report.hpp"
#include "compiler/train/specification.hpp"

namespace kantrig::compiler {
namespace {

namespace fs = std::filesystem;
using namespace explore;

constexpr std::size_t kSpecificationBytesMax = std::size_t{1} << 20U;

struct Arguments {
  fs::path specification;
  train::DataFiles data;
  std::vector<std::string> over;
  std::vector<std::string> set;
  SweepFolder folder;
  SweepOptions options;
  std::uint64_t point_seconds = 24 * 3'600;
  std::optional<std::uint32_t> point;
  bool collect = false;
  bool list = false;
  bool slurm = false;
  SlurmOptions slurm_options;
  Ranking ranking;
  bool ranking_given = false;
  std::string picture_ending = "svg";
  bool json = false;
  bool quiet = false;
};

int input_failure(const Error& error) {
  return report_failure(error, error.code == ErrorCode::kIo ? base::kExitOutput : base::kExitInput);
}

Result<SweepPlan> plan_of(const Arguments& arguments) {
  const auto text = base::read_file(arguments.specification, kSpecificationBytesMax);
  if (!text) return tl::unexpected(text.error());
  SweepPlan plan;
  plan.origin = arguments.specification.string();
  plan.specification = *text;
  plan.quality = arguments.ranking.quality;
  for (const std::string& setting : arguments.set) {
    auto parsed = parse_setting(setting);
    if (!parsed) return tl::unexpected(parsed.error().within("--set"));
    plan.settings.insert(plan.settings.end(), parsed->begin(), parsed->end());
  }
  for (const std::string& over : arguments.over) {
    auto axis = parse_axis(over);
    if (!axis) return tl::unexpected(axis.error().within("--over"));
    plan.axes.push_back(std::move(*axis));
  }
  plan.data = arguments.data;
  plan.data.x = fs::absolute(plan.data.x);
  if (!plan.data.y.empty()) plan.data.y = fs::absolute(plan.data.y);
  auto digest = data_digest(plan.data);
  if (!digest) return tl::unexpected(digest.error());
  plan.data_sha256 = std::move(*digest);
  return plan;
}

/// Single points may be impossible and then fail alone; that none is possible is better said at once.
Result<void> check_some_possible(const SweepPlan& plan, const std::vector<SweepPoint>& points) {
  std::optional<Error> first;
  for (const SweepPoint& point : points) {
    const auto parsed = train::parse_specification(point.specification, plan.origin);
    if (parsed) return {};
    if (!first) first = parsed.error().within(describe(plan, point));
  }
  return tl::unexpected(first->within("no point of the sweep is possible"));
}

void show_progress(const SweepPlan& plan, const Ranking& ranking, const SweepProgress& now) {
  std::string outcome = now.result->error;
  if (!now.result->failed()) {
    const auto quality = now.result->metric(ranking.quality.metric);
    outcome = quality ? fmt::format("{} {:.4f}", ranking.quality.metric, *quality) : "done";
    outcome += fmt::format(", {:.0f} LUTs", now.result->cost.luts);
  }
  const double minutes = now.seconds_left / 60.0;
  fmt::print(stderr, "{:>5}/{}  {}  {}{}{}\n", now.ended, now.points, describe(plan, *now.point), outcome,
             now.failed > 0 ? fmt::format("  {} failed", now.failed) : "",
             minutes >= 1.0 ? fmt::format("  {:.0f} min left", minutes)
                            : fmt::format("  {:.0f} s left", now.seconds_left));
}

int collect(const Arguments& arguments, const SweepPlan& plan, const std::vector<SweepPoint>& points) {
  const std::vector<SweepRow> rows = read_rows(arguments.folder, plan, points);
  SweepTable table{plan, rows, arguments.ranking};
  if (!arguments.ranking_given) table.ranking.quality = plan.quality;
  const auto written = write_files(arguments.folder, table, arguments.picture_ending);
  if (!written) return report_failure(written.error(), base::kExitOutput);
  fmt::print("{}", arguments.json ? to_json(table) : to_text(table));
  if (!arguments.quiet) {
    for (const fs::path& path : *written) fmt::print(stderr, "written: {}\n", path.string());
  }
  const bool failed =
      std::ranges::any_of(rows, [](const SweepRow& row) { return row.result && row.result->failed(); });
  return failed ? base::kExitFailed : base::kExitOk;
}

int run_one(const Arguments& arguments) {
  const auto plan = read_plan(arguments.folder);
  if (!plan) return input_failure(plan.error());
  const auto points = points_of(*plan);
  if (!points) return input_failure(points.error());
  if (*arguments.point >= points->size()) {
    return input_failure(
        {ErrorCode::kInvalid, fmt::format("--point {}: the sweep in {} has points 0 to {}", *arguments.point,
                                          arguments.folder.path.string(), points->size() - 1)});
  }
  const auto digest = data_digest(plan->data);
  if (!digest) return input_failure(digest.error());
  if (*digest != plan->data_sha256) {
    return input_failure(
        {ErrorCode::kCorrupt,
         fmt::format("{}: has changed since the sweep was begun; begin it again", plan->data.x.string())});
  }
  const auto result =
      run_point(arguments.folder, *plan, (*points)[*arguments.point], arguments.options.point);
  if (!result) {
    return report_failure(
        result.error(), result.error().code == ErrorCode::kBusy ? base::kExitUnavailable : base::kExitOutput);
  }
  if (!arguments.quiet) fmt::print("{}", result_to_json(*result));
  return result->failed() ? base::kExitFailed : base::kExitOk;
}

int run_slurm(const Arguments& arguments, const SweepPlan& plan, const std::vector<SweepPoint>& points) {
  const auto todo = points_to_do(arguments.folder, plan, points, arguments.options.retry_failed);
  if (todo.empty()) {
    fmt::print("every point is done: kanc sweep --collect --out {}\n", arguments.folder.path.string());
    return base::kExitOk;
  }
  SlurmArray array{arguments.folder.path,
                   {arguments.options.point.kanc.string(), "sweep", "--out", arguments.folder.path.string(),
                    "--point-seconds", std::to_string(arguments.point_seconds)},
                   arguments.slurm_options};
  for (const std::string& option : arguments.options.point.train_arguments)
    array.point_command.push_back("--train-option=" + option);
  const auto jobs = submit(array, todo);
  if (!jobs) return report_failure(jobs.error(), base::kExitUnavailable);
  for (const std::string& job : *jobs) fmt::print("submitted job {}\n", job);
  fmt::print("{} points; when they are done: kanc sweep --collect --out {}\n", todo.size(),
             arguments.folder.path.string());
  return base::kExitOk;
}

int run_all(const Arguments& arguments) {
  const auto plan = plan_of(arguments);
  if (!plan) return input_failure(plan.error());
  const auto points = points_of(*plan);
  if (!points) return input_failure(points.error());
  if (auto ok = check_some_possible(*plan, *points); !ok) return input_failure(ok.error());
  if (arguments.list) {
    for (const SweepPoint& point : *points) fmt::print("{:>6}  {}\n", point.number, describe(*plan, point));
    return base::kExitOk;
  }
  if (auto ok = write_plan(arguments.folder, *plan); !ok)
    return report_failure(ok.error(), base::kExitOutput);
  if (arguments.slurm) return run_slurm(arguments, *plan, *points);
  const auto progress = [&](const SweepProgress& now) {
    if (!arguments.quiet) show_progress(*plan, arguments.ranking, now);
  };
  if (auto ok = run_sweep(arguments.folder, *plan, *points, arguments.options, progress); !ok)
    return report_failure(ok.error(), base::kExitOutput);
  return collect(arguments, *plan, *points);
}

int run(Arguments arguments) {
  std::error_code error;
  arguments.folder.path = fs::absolute(arguments.folder.path);
  arguments.options.point.kanc = fs::read_symlink("/proc/self/exe", error);
  if (error) return report_failure({ErrorCode::kIo, "/proc/self/exe: " + error.message()}, base::kExitFailed);
  arguments.options.point.time_max = std::chrono::seconds(arguments.point_seconds);
  if (arguments.point) return run_one(arguments);
  if (!arguments.collect) {
    if (!arguments.specification.empty() && !arguments.data.x.empty()) return run_all(arguments);
    return report_failure(
        {ErrorCode::kInvalid,
         "expected SPEC and --x to begin or go on, --collect to see what is there, or --point"},
        base::kExitUsage);
  }
  const auto plan = read_plan(arguments.folder);
  if (!plan) return input_failure(plan.error());
  const auto points = points_of(*plan);
  if (!points) return input_failure(points.error());
  return collect(arguments, *plan, *points);
}

void add_ranking_options(CLI::App& command, Arguments& arguments) {
  constexpr const char* kGroup = "What is good, what is cheap";
  command.add_option("--metric", arguments.ranking.quality.metric, "Metric of the bundles that counts")
      ->capture_default_str()
      ->group(kGroup);
  command
      .add_flag("--lower-is-better", arguments.ranking.quality.lower_is_better,
                "Of that metric: a loss, an error")
      ->group(kGroup);
  static const std::map<std::string, CostKind> kinds{
      {"bits", CostKind::kParameterBits}, {"luts", CostKind::kLuts}, {"nanoseconds", CostKind::kNanoseconds}};
  command
      .add_option("--cost", arguments.ranking.cost,
                  "What the sweet spot has least of: luts, bits or nanoseconds (default: luts)")
      ->transform(CLI::CheckedTransformer(kinds).description(""))
      ->group(kGroup);
  command.add_option("--clock-mhz", arguments.ranking.clock_mhz, "Clock that nanoseconds are reckoned with")
      ->capture_default_str()
      ->check(CLI::Range(1.0, 2000.0))
      ->group(kGroup);
}

void add_slurm_options(CLI::App& command, Arguments& arguments) {
  constexpr const char* kGroup = "On a cluster with Slurm";
  command
      .add_flag("--slurm", arguments.slurm,
                "Write a job array, a task for each point, and submit it with sbatch")
      ->group(kGroup);
  command.add_option("--slurm-at-once", arguments.slurm_options.at_once, "Tasks that may run side by side")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000))
      ->group(kGroup);
  command.add_option("--slurm-time", arguments.slurm_options.time, "Time limit of a task")
      ->capture_default_str()
      ->group(kGroup);
  command.add_option("--slurm-memory", arguments.slurm_options.memory, "Memory of a task")
      ->capture_default_str()
      ->group(kGroup);
  command.add_option("--slurm-cpus", arguments.slurm_options.cpus, "CPUs of a task")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024))
      ->group(kGroup);
  command
      .add_option("--slurm-option", arguments.slurm_options.directives,
                  "A further option of sbatch, as in --slurm-option=--partition=short; may be repeated")
      ->allow_extra_args(false)
      ->group(kGroup);
}

void add_run_options(CLI::App& command, Arguments& arguments) {
  constexpr const char* kGroup = "How";
  arguments.options.jobs = std::max(1U, std::thread::hardware_concurrency());
  command.add_option("--jobs", arguments.options.jobs, "Trainings side by side, at lower priority")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024))
      ->group(kGroup);
  command
      .add_option("--threads", arguments.options.point.threads,
                  "Threads of each training (on a cluster: its CPUs)")
      ->capture_default_str()
      ->check(CLI::Range(1, 256))
      ->group(kGroup);
  command
      .add_option("--point", arguments.point,
                  "Train this one point of the sweep begun in --out, and nothing else")
      ->group(kGroup);
  command.add_flag("--collect", arguments.collect, "Train nothing: tables and pictures of what is there")
      ->group(kGroup);
  command.add_flag("--list", arguments.list, "Train nothing: number and values of each point")->group(kGroup);
  command.add_flag("--retry-failed", arguments.options.retry_failed, "Train again what failed")
      ->group(kGroup);
  command
      .add_option("--point-seconds", arguments.point_seconds,
                  "Time that a training may take; then it is ended and has failed")
      ->capture_default_str()
      ->check(CLI::Range(1, 30 * 24 * 3'600))
      ->group(kGroup);
  command
      .add_option("--train-option", arguments.options.point.train_arguments,
                  "A further option of kanc train; may be repeated")
      ->allow_extra_args(false)
      ->group(kGroup);
  command.add_option("--pictures", arguments.picture_ending, "svg or png (by rsvg-convert)")
      ->capture_default_str()
      ->check(CLI::IsMember({"svg", "png"}))
      ->group(kGroup);
  command.add_flag("--json", arguments.json, "Print results.json instead of the table")->group(kGroup);
  command.add_flag("--quiet", arguments.quiet, "No progress")->group(kGroup);
}

constexpr const char* kFooter =
    "FIELD is a path into the specification: training.seed, model.bits[0] (an entry of a list, from 0), or "
    "several\n"
    "that take the same value: model.bits[1]+model.bits[2]. VALUES are parted by commas: numbers 4,6,8; "
    "ranges with\n"
    "both ends 2..8 or 0.5..2:0.25; words silu,none; lists [16,8,5],[16,10,5]. Every combination of all "
    "--over is a\n"
    "point, at most 10,000.\n\n"
    "  kanc sweep spec.toml --x x.npy --y y.npy --out widths \\\n"
    "    --over 'model.bits[0]=2..8' --over 'model.bits[1]+model.bits[2]=2..8' --set training.epochs=30\n"
    "  kanc sweep spec.toml --x x.npy --y y.npy --out seeds --over training.seed=1..10\n"
    "  kanc sweep --collect --out widths --cost bits\n"
    "  kanc sweep spec.toml ... --slurm --slurm-at-once 50 --slurm-time 00:20:00\n\n"
    "The same command again goes on where it was stopped: a point is done when its result is there for the "
    "same\n"
    "specification and data. In OUT: sweep.json (what is swept), points/<key>/ (spec.toml, bundle, "
    "report.json, log,\n"
    "result.json), results.csv, results.json, pictures. LUTs are estimated from the tables (4.9 % off, "
    "r.m.s.; kanc\n"
    "compile and kanc resources count them); cycles are those of the target fixed built for area.\n"
    "The sweet spot is the cheapest point within one standard error of the best. Exit code 1: a point "
    "failed.";

}  // namespace

void add_sweep_command(CLI::App& app, int& exit_code) {
  CLI::App* const command =
      app.add_subcommand("sweep", "Train many variants of a specification and compare them");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("SPEC", arguments->specification, "Specification (TOML) that the points vary");
  command->add_option("--x", arguments->data.x, "Features, as for kanc train");
  command->add_option("--y", arguments->data.y, "Classes, as for kanc train");
  command->add_option("--class-column", arguments->data.class_column,
                      "Column with the classes in a .csv (default: the last)");
  command->add_option("--over", arguments->over, "FIELD[+FIELD...]=VALUES to take in turn; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--set", arguments->set, "FIELD[+FIELD...]=VALUE for all points; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--out", arguments->folder.path, "Folder of the results")->required();
  add_run_options(*command, *arguments);
  add_ranking_options(*command, *arguments);
  add_slurm_options(*command, *arguments);
  command->footer(kFooter);
  command->callback([command, arguments, &exit_code] {
    arguments->ranking_given = command->count("--metric") > 0 || command->count("--lower-is-better") > 0;
    exit_code = run(*arguments);
  });
}

}  // namespace kantrig::compiler
