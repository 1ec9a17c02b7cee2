// kanc bench train: how long an epoch takes, float and quantised, in one thread.
#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <vector>

#include "base/clock.hpp"
#include "base/exit_code.hpp"
#include "compiler/commands.hpp"
#include "compiler/learned/random.hpp"
#include "compiler/learned/tabulate.hpp"
#include "compiler/train/adamw.hpp"
#include "compiler/train/data_files.hpp"
#include "compiler/train/initial.hpp"
#include "compiler/train/objective.hpp"
#include "kan/reference.hpp"

namespace kantrig::compiler {
namespace {

using train::Dataset;
using train::Objective;
using train::Samples;
using train::Specification;

constexpr std::size_t kRows = 200'000;
constexpr std::size_t kBatch = 512;

struct BenchOptions {
  train::DataFiles data;
  std::uint32_t epochs = 5;
  std::size_t threads = 1;
  bool json = false;
};

struct Case {
  std::uint32_t grid = 0;
  std::uint32_t order = 0;
  bool quantized = false;
  double seconds = 0.0;  // of an epoch, the median
};

/// 16-8-5, 6-bit inputs, 7 bits between the layers, 6 at the outputs: the published shape of JSC (arXiv
/// 2512.12850).
Specification specification_of(const Case& one) {
  Specification specification;
  specification.name = "bench";
  specification.layers = {16, 8, 5};
  specification.bits = {6, 7, 6};
  specification.quantized = one.quantized;
  specification.grid = {.low = -2.0, .high = 2.0, .size = one.grid, .order = one.order};
  for (int j = 0; j < 16; ++j) specification.features.push_back({fmt::format("x{}", j), ""});
  for (int k = 0; k < 5; ++k) specification.classes.push_back(fmt::format("c{}", k));
  return specification;
}

Dataset random_events() {
  learned::Random random(1);
  Dataset data;
  data.name = "random events";
  data.columns = 16;
  for (std::size_t row = 0; row < kRows; ++row) {
    for (int j = 0; j < 16; ++j)
      data.values.push_back(static_cast<float>(random.uniform(-1.0, 1.0) + random.uniform(-1.0, 1.0)));
    data.classes.push_back(static_cast<std::uint8_t>(random.below(5)));
  }
  return data;
}

/// That the engine to be timed computes the model: a few events against its definition.
Result<void> check_engine(const learned::LearnedKan& kan, const Dataset& data, const Samples& samples,
                          Objective& objective) {
  constexpr std::uint32_t kChecked = 200;
  std::vector<std::uint32_t> rows(kChecked);
  std::iota(rows.begin(), rows.end(), 0U);
  const std::vector<float> outputs = objective.outputs(samples, rows);
  std::size_t wrong = 0;
  const auto model = kan.quantized() ? learned::tabulate(kan) : Result<kan::Model>(kan::Model());
  if (!model) return tl::unexpected(model.error());
  for (const std::uint32_t row : rows) {
    std::vector<double> expected;
    if (kan.quantized()) {
      const auto codes = std::span(samples.codes).subspan(std::size_t{row} * samples.inputs, samples.inputs);
      const auto integers = kan::reference_outputs(*model, codes);
      for (std::size_t k = 0; k < integers.size(); ++k)
        expected.push_back(integers[k] * model->output_scales[k]);
    } else {
      expected = learned::evaluate(
          kan, std::span(data.values).subspan(std::size_t{row} * data.columns, data.columns));
    }
    for (std::size_t k = 0; k < expected.size(); ++k) {
      if (std::abs(expected[k] - static_cast<double>(outputs[row * expected.size() + k])) > 1e-3) ++wrong;
    }
  }
  // In quantised training an entry may lie on the edge of rounding, where float and double disagree.
  if (wrong <= (kan.quantized() ? kChecked / 50 : 0)) return {};
  return fail(ErrorCode::kInvalid, "the engine gives {} of {} outputs wrong; no time is measured", wrong,
              rows.size() * 5);
}

Result<double> seconds_per_epoch(const Case& one, const Dataset& data, const BenchOptions& options) {
  const Specification specification = specification_of(one);
  std::vector<std::uint32_t> order(std::min(kRows, data.rows()));
  std::iota(order.begin(), order.end(), 0U);
  const auto inputs = train::fit_inputs(specification, data, order);
  const Samples samples = train::make_samples(specification, inputs, data, order.size());
  learned::Random random(1);
  const learned::LearnedKan kan = train::initial_kan(specification, inputs, samples, random);
  const train::ParameterMap map(kan, train::ThresholdSharing::kLayer);
  const std::size_t slots = Objective::slot_count(kBatch);
  auto engine = train::make_engine(kan, map, slots);
  if (!engine) return tl::unexpected(engine.error());
  train::ThreadTeam team(options.threads);
  Objective objective(std::move(*engine), {}, slots, team);
  std::vector<double> parameters = map.pack(kan);
  std::vector<double> gradient(map.size());
  const std::vector<double> decayed = map.decayed(kan);
  objective.prepare(parameters);
  if (auto ok = check_engine(kan, data, samples, objective); !ok) return tl::unexpected(ok.error());
  train::AdamW optimizer(map.size(), {.weight_decay = 1e-4});
  const base::SystemClock clock;
  std::vector<double> seconds;
  for (std::uint32_t epoch = 0; epoch <= options.epochs; ++epoch) {  // the first one warms up
    random.shuffle(order);
    const std::uint64_t begin_ns = clock.now_ns();
    for (std::size_t begin = 0; begin < order.size(); begin += kBatch) {
      const auto batch = std::span(order).subspan(begin, std::min(kBatch, order.size() - begin));
      const double loss = objective.learn(parameters, samples, batch, gradient);
      if (!std::isfinite(loss)) return fail(ErrorCode::kInvalid, "the loss is no number");
      optimizer.step(parameters, gradient, 1e-3, decayed);
    }
    if (epoch > 0) seconds.push_back(static_cast<double>(clock.now_ns() - begin_ns) * 1e-9);
  }
  std::nth_element(seconds.begin(), seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2),
                   seconds.end());
  return seconds[seconds.size() / 2];
}

void print_cases(const std::vector<Case>& cases, const Dataset& data, const BenchOptions& options) {
  const std::size_t rows = std::min(kRows, data.rows());
  if (!options.json) {
    fmt::print("16-8-5, {} rows of {}, batches of {}, {} thread{}, median of {} epochs\n", rows, data.name,
               kBatch, options.threads, options.threads == 1 ? "" : "s", options.epochs);
    for (const Case& one : cases)
      fmt::print("  grid {:>2} order {:>2} {:<9}  {:.4f} s an epoch\n", one.grid, one.order,
                 one.quantized ? "quantized" : "float", one.seconds);
    return;
  }
  fmt::print(
      "{{\n  \"layers\": [16, 8, 5],\n  \"rows\": {},\n  \"batch\": {},\n  \"threads\": {},\n  \"epochs\": "
      "{},\n  \"results\": [",
      rows, kBatch, options.threads, options.epochs);
  for (std::size_t i = 0; i < cases.size(); ++i)
    fmt::print("{}\n    {{\"grid\": {}, \"order\": {}, \"mode\": \"{}\", \"seconds_per_epoch\": {:.6f}}}",
               i == 0 ? "" : ",", cases[i].grid, cases[i].order, cases[i].quantized ? "quantized" : "float",
               cases[i].seconds);
  fmt::print("\n  ]\n}}\n");
}

int run_bench(const BenchOptions& options) {
  Result<Dataset> data =
      options.data.x.empty() ? random_events() : train::read_dataset(specification_of({}), options.data);
  if (!data) {
    fmt::print(stderr, "kanc bench train: {}\n", data.error().message);
    return base::kExitInput;
  }
  std::vector<Case> cases{{10, 3, false}, {10, 3, true}, {40, 10, false}, {40, 10, true}};
  for (Case& one : cases) {
    const auto seconds = seconds_per_epoch(one, *data, options);
    if (!seconds) {
      fmt::print(stderr, "kanc bench train: {}\n", seconds.error().message);
      return base::kExitFailed;
    }
    one.seconds = *seconds;
  }
  print_cases(cases, *data, options);
  return base::kExitOk;
}

}  // namespace

void add_bench_command(CLI::App& app, int& exit_code) {
  CLI::App* const bench = app.add_subcommand("bench", "Measures how fast kanc is on this machine.");
  bench->require_subcommand(1);
  add_bench_fit_command(*bench, exit_code);
  CLI::App* const command = bench->add_subcommand(
      "train", "Seconds an epoch of training takes: 16-8-5, 200,000 events, batches of 512.");
  const auto options = std::make_shared<BenchOptions>();
  command->add_option("--x", options->data.x, "Events with 16 features, .npy or .csv (default: random ones)");
  command->add_option("--y", options->data.y, "Their classes, 0 to 4");
  command->add_option("--epochs", options->epochs, "Epochs timed; the median counts")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--threads", options->threads, "Threads")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command->add_flag("--json", options->json,
                    "Results as JSON: results [{grid, order, mode, seconds_per_epoch}]");
  command->footer(
      "Each case is first checked against the definition of the model (float) or the integer model "
      "(quantised), then timed.\n"
      "An epoch is every event once, forward and backward, with an AdamW step for each batch.");
  command->callback([options, &exit_code] { exit_code = run_bench(*options); });
}

}  // namespace kantrig::compiler
