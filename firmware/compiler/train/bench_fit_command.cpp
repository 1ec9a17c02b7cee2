// kanc bench fit: a KAN against an MLP on a function of one variable, then finer grids.
#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <cmath>
#include <memory>
#include <vector>

#include "base/exit_code.hpp"
#include "compiler/commands.hpp"
#include "compiler/learned/random.hpp"
#include "compiler/learned/refine.hpp"
#include "compiler/report.hpp"
#include "compiler/train/teacher.hpp"
#include "compiler/train/trainer.hpp"
#include "picture/chart.hpp"
#include "picture/picture_file.hpp"

namespace kantrig::compiler {
namespace {

using train::Dataset;
using train::Specification;

constexpr std::size_t kRows = 1000;  // to learn from, and as many to test on
constexpr double kHalfRange = 2.0;

struct FitOptions {
  std::uint32_t epochs = 10'000;
  std::uint64_t seed = 1;
  std::size_t threads = 1;
  std::filesystem::path picture;
  bool json = false;
};

struct Fitted {
  std::string name;
  learned::LearnedKan kan;
  std::size_t parameters = 0;
  double test_loss = 0.0;
  std::vector<train::EpochRecord> epochs;
};

/// The function of the published comparison.
double target_at(double x) {
  return std::sin(3.0 * x) + std::cos(5.0 * x) * std::exp(-x * x);
}

Dataset points(std::uint64_t seed) {
  learned::Random random(seed);
  Dataset data;
  data.name = "sin(3x) + cos(5x) exp(-x^2)";
  data.columns = 1;
  for (std::size_t row = 0; row < kRows; ++row) {
    const double inside = random.uniform(-kHalfRange, kHalfRange);
    const double x = row == 0   ? -kHalfRange
                     : row == 1 ? kHalfRange
                                : inside;  // the ends: inputs clamp beyond what was seen
    data.values.push_back(static_cast<float>(x));
    data.targets.push_back(static_cast<float>(target_at(static_cast<double>(data.values.back()))));
  }
  return data;
}

Specification specification_of(const FitOptions& options) {
  Specification specification;
  specification.name = "fit";
  specification.features = {{"x", ""}};
  specification.targets = {"y"};
  specification.task = train::Task::kRegression;
  specification.layers = {1, 4, 1};
  specification.bits = {12, 12, 12};
  specification.quantized = false;
  specification.base = learned::BaseFunction::kNone;
  specification.grid = {.low = -2.0, .high = 2.0, .size = 10, .order = 3};
  specification.input = {.rule = train::RangeRule::kPercentile, .low_percent = 0.0, .high_percent = 100.0};
  specification.training.epochs = options.epochs;
  specification.training.batch_size = kRows;
  specification.training.learning_rate = 1e-3;
  specification.training.weight_decay = 0.0;
  specification.training.validation_fraction = 0.1;
  specification.training.seed = options.seed;
  return specification;
}

/// What is learned of a model; splines without a base function have no weights.
std::size_t parameter_count(const learned::LearnedKan& kan) {
  std::size_t count = 0;
  for (const learned::Layer& layer : kan.layers) {
    const bool weighed =
        layer.kind != learned::EdgeKind::kSpline || layer.base != learned::BaseFunction::kNone;
    count += layer.coefficients.size() + (weighed ? layer.weights.size() : 0) + layer.biases.size();
  }
  return count;
}

Result<Fitted> fit(std::string name, const Specification& specification, const FitOptions& options,
                   std::optional<learned::LearnedKan> start) {
  const Dataset data = points(options.seed);
  auto training = train::train(specification, data, {.threads = options.threads, .start = std::move(start)});
  if (!training) return tl::unexpected(training.error().within(name));
  const Dataset test = points(options.seed + 1'000'003);
  train::ThreadTeam team(1);
  const auto outputs = train::outputs_of(training->kan, test, test.rows(), team);
  if (!outputs) return tl::unexpected(outputs.error());
  double sum = 0.0;
  for (std::size_t i = 0; i < outputs->size(); ++i) {
    const double distance = static_cast<double>((*outputs)[i]) - static_cast<double>(test.targets[i]);
    sum += distance * distance;
  }
  return Fitted{.name = std::move(name),
                .kan = training->kan,
                .parameters = parameter_count(training->kan),
                .test_loss = sum / static_cast<double>(outputs->size()),
                .epochs = std::move(training->epochs)};
}

Result<std::vector<Fitted>> fit_all(const FitOptions& options) {
  std::vector<Fitted> all;
  Specification specification = specification_of(options);
  auto kan = fit("KAN 1-4-1, grid 10", specification, options, std::nullopt);
  if (!kan) return tl::unexpected(kan.error());
  all.push_back(std::move(*kan));
  for (const std::uint32_t cells : {20U, 50U}) {
    const auto finer = learned::with_grid(all.back().kan, cells);
    if (!finer) return tl::unexpected(finer.error());
    specification.grid.size = cells;
    auto extended = fit(fmt::format("extended to {}", cells), specification, options, finer->kan);
    if (!extended) return tl::unexpected(extended.error());
    all.push_back(std::move(*extended));
  }
  Specification mlp = specification_of(options);
  mlp.layers = {1, 32, 32, 1};
  mlp.bits = {12, 12, 12, 12};
  mlp.kinds = {learned::EdgeKind::kLinear, learned::EdgeKind::kRelu, learned::EdgeKind::kRelu};
  auto other = fit("MLP 1-32-32-1", mlp, options, std::nullopt);
  if (!other) return tl::unexpected(other.error());
  all.push_back(std::move(*other));
  return all;
}

/// Losses over epochs, the extensions one behind the other.
std::string picture_of(const std::vector<Fitted>& all) {
  picture::Chart chart{
      .title = "sin(3x) + cos(5x) exp(-x^2): mean square error",
      .x = {.label = "epoch"},
      .y = {.label = "mean square error, rows not learned from", .scale = picture::Scale::kLogarithmic},
      .series = {}};
  double offset = 0.0;
  for (const Fitted& one : all) {
    const bool mlp = &one == &all.back();
    picture::Series series{
        .name = fmt::format("{}, {} parameters, test {:.2g}", one.name, one.parameters, one.test_loss),
        .x = {},
        .y = {},
        .mark = picture::Mark::kLine,
        .labels = {}};
    const std::size_t stride = std::max<std::size_t>(1, one.epochs.size() / 500);
    for (std::size_t e = 0; e < one.epochs.size(); e += stride) {
      series.x.push_back((mlp ? 0.0 : offset) + one.epochs[e].epoch);
      series.y.push_back(one.epochs[e].validation.loss);
    }
    offset += static_cast<double>(one.epochs.size());
    chart.series.push_back(std::move(series));
  }
  return picture::draw(chart);
}

void print_text(const std::vector<Fitted>& all, const FitOptions& options) {
  fmt::print("sin(3x) + cos(5x) exp(-x^2), {} points, Adam 1e-3, {} epochs each, all points a step\n", kRows,
             options.epochs);
  for (const Fitted& one : all)
    fmt::print("  {:<20} {:>5} parameters   test loss {:.3e}\n", one.name, one.parameters, one.test_loss);
  fmt::print("the MLP has {:.1f} times the parameters and {:.1f} times the test loss of the first KAN\n",
             static_cast<double>(all.back().parameters) / static_cast<double>(all.front().parameters),
             all.back().test_loss / all.front().test_loss);
}

void print_json(const std::vector<Fitted>& all, const FitOptions& options) {
  fmt::print("{{\n  \"points\": {},\n  \"epochs\": {},\n  \"results\": [", kRows, options.epochs);
  for (std::size_t i = 0; i < all.size(); ++i)
    fmt::print("{}\n    {{\"model\": \"{}\", \"parameters\": {}, \"test_loss\": {:.9g}}}", i == 0 ? "" : ",",
               all[i].name, all[i].parameters, all[i].test_loss);
  fmt::print("\n  ]\n}}\n");
}

int run_fit(const FitOptions& options) {
  const auto all = fit_all(options);
  if (!all) return report_failure(all.error(), base::kExitFailed);
  if (!options.picture.empty()) {
    if (auto ok = picture::write_picture(options.picture, picture_of(*all)); !ok)
      return report_failure(ok.error(), base::kExitOutput);
  }
  if (options.json) {
    print_json(*all, options);
  } else {
    print_text(*all, options);
  }
  return base::kExitOk;
}

}  // namespace

void add_bench_fit_command(CLI::App& bench, int& exit_code) {
  CLI::App* const command = bench.add_subcommand(
      "fit", "Fits sin(3x) + cos(5x) exp(-x^2): a KAN, the same with finer grids, and an MLP.");
  const auto options = std::make_shared<FitOptions>();
  command->add_option("--epochs", options->epochs, "Epochs of each training")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->add_option("--seed", options->seed, "Seed of points and parameters")->capture_default_str();
  command->add_option("--threads", options->threads, "Threads")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command->add_option("--picture", options->picture, "Losses over epochs, .svg or .png");
  command->add_flag("--json", options->json, "Results as JSON");
  command->callback([options, &exit_code] { exit_code = run_fit(*options); });
}

}  // namespace kantrig::compiler
