// kanc codebook: how few shapes a KAN needs.
#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "base/exit_code.hpp"
#include "base/file.hpp"
#include "compiler/commands.hpp"
#include "compiler/explore/codebook_report.hpp"
#include "compiler/explore/sweep_axis.hpp"
#include "compiler/learned/checkpoint.hpp"
#include "compiler/report.hpp"
#include "compiler/train/data_files.hpp"
#include "compiler/train/trainer.hpp"
#include "picture/picture_file.hpp"

namespace kantrig::compiler {
namespace {

namespace fs = std::filesystem;
using namespace explore;

constexpr std::size_t kSpecificationBytesMax = std::size_t{1} << 20U;
constexpr std::size_t kCountsMax = 64;

struct Arguments {
  fs::path specification;
  train::DataFiles data;
  fs::path start;
  std::string shapes = "1..8,12,16,24,32";
  std::uint32_t epochs = 10;
  double learning_rate = 0.0;  // 0: as specified
  std::size_t threads = 0;     // 0: one a core
  fs::path out;
  std::string picture_ending = "svg";
  bool json = false;
  bool quiet = false;
};

Result<std::vector<std::uint32_t>> counts_of(const std::string& text) {
  const auto axis = parse_axis("shapes=" + text);
  if (!axis) return tl::unexpected(axis.error().within("--shapes"));
  std::vector<std::uint32_t> counts;
  for (const std::string& value : axis->values) {
    std::uint32_t count = 0;
    const auto [at, error] = std::from_chars(value.data(), value.data() + value.size(), count);
    if (error != std::errc{} || at != value.data() + value.size() || count == 0 || count > kShapesMax) {
      return fail(ErrorCode::kInvalid, "--shapes: '{}', expected numbers from 1 to {}, as in 1..8,16", value,
                  kShapesMax);
    }
    counts.push_back(count);
  }
  std::ranges::sort(counts);
  if (counts.size() > kCountsMax)
    return fail(ErrorCode::kInvalid, "--shapes: {} numbers, expected at most {}", counts.size(), kCountsMax);
  return counts;
}

/// The model, with the rows that it learned from and was validated on.
Result<train::Training> model_of(const Arguments& arguments, train::Specification specification,
                                 const train::Dataset& data) {
  train::TrainOptions options;
  options.threads = arguments.threads;
  if (arguments.start.empty()) return train::train(specification, data, options);
  auto start = learned::read_checkpoint(arguments.start);
  if (!start) return tl::unexpected(start.error());
  if (!start->quantized()) {
    return fail(ErrorCode::kInvalid,
                "{}: is not quantised, expected the .kan that kanc train writes beside a bundle",
                arguments.start.string());
  }
  // The trainer divides the rows; one epoch that moves nothing, and the model as it was read.
  options.start = *start;
  specification.training.epochs = 1;
  specification.training.learning_rate = 1e-12;
  specification.pruning.threshold = 0.0;
  specification.area.lut_budget = 0.0;
  auto training = train::train(specification, data, options);
  if (training) training->kan = std::move(*start);
  return training;
}

/// Everything that the runs over numbers of shapes share.
struct Search {
  const Arguments& arguments;
  const train::Training& training;
  SharedTraining plan;
  EdgeCurves curves;
  train::ThreadTeam& team;
};

Result<SharedModel> tune(const Search& search, const Codebook& codebook, ShapesRow& row) {
  auto model =
      tune_shared(search.curves.apply(search.training.kan, codebook), codebook, search.plan, search.team);
  if (!model) return model;
  row = {.shapes = static_cast<std::uint32_t>(codebook.shapes.size()),
         .parameters = codebook.shapes.size() * codebook.shapes.front().size() + 2 * codebook.uses.size(),
         .unexplained = codebook.unexplained,
         .refitted = model->refitted,
         .tuned = model->tuned};
  if (!search.arguments.quiet) {
    fmt::print(stderr,
               "{:>5} shapes  unexplained {:.5f}  refitted: loss {:.4f} accuracy {:.4f}  retrained: loss "
               "{:.4f} accuracy {:.4f}\n",
               row.shapes, row.unexplained, row.refitted.loss, row.refitted.accuracy, row.tuned.loss,
               row.tuned.accuracy);
  }
  return model;
}

Result<ShapesReport> search_shapes(const Search& search, const std::vector<std::uint32_t>& counts,
                                   std::vector<SharedModel>& models) {
  ShapesReport report;
  report.model = search.training.kan.name;
  report.edges = search.curves.count();
  report.rows_validation = search.training.validation.size();
  report.classes = !search.training.samples.classes.empty();
  auto own = tune(search, search.curves.own_shapes(), report.own);
  if (!own) return tl::unexpected(own.error());
  report.own.parameters -= 2 * report.edges;  // no factors, no constants
  Codebook codebook;
  for (const std::uint32_t count : counts) {
    if (count >= report.edges) break;  // each has its own
    codebook = search.curves.cluster(count, codebook);
    report.rows.emplace_back();
    auto model = tune(search, codebook, report.rows.back());
    if (!model) return tl::unexpected(model.error());
    models.push_back(std::move(*model));
  }
  return report;
}

Result<void> write_files(const Arguments& arguments, const ShapesReport& report,
                         const std::vector<SharedModel>& models) {
  std::error_code error;
  fs::create_directories(arguments.out, error);
  if (error) return fail(ErrorCode::kIo, "{}: cannot be made: {}", arguments.out.string(), error.message());
  if (auto ok = base::write_file_atomic(arguments.out / "codebook.csv", to_csv(report)); !ok) return ok;
  if (auto ok = base::write_file_atomic(arguments.out / "codebook.json", to_json(report)); !ok) return ok;
  const auto picture = [&](const char* name) {
    return arguments.out / fmt::format("{}.{}", name, arguments.picture_ending);
  };
  if (report.rows.empty()) return {};
  if (auto ok = picture::write_picture(picture("accuracy"), draw(report)); !ok) return ok;
  const SharedModel& shown = models[std::min(few_enough(report), models.size() - 1)];
  if (auto ok = picture::write_picture(picture("shapes"), draw_shapes(shown)); !ok) return ok;
  for (const SharedModel& model : models) {
    const fs::path path = arguments.out / fmt::format("shapes_{}.kan", model.codebook.shapes.size());
    if (auto ok = learned::write_checkpoint(model.kan, path); !ok) return ok;
  }
  return {};
}

int run(Arguments arguments) {
  if (arguments.threads == 0) arguments.threads = std::max(1U, std::thread::hardware_concurrency());
  const auto counts = counts_of(arguments.shapes);
  if (!counts) return report_failure(counts.error(), base::kExitUsage);
  const auto text = base::read_file(arguments.specification, kSpecificationBytesMax);
  if (!text) return report_failure(text.error(), base::kExitInput);
  const auto specification = train::parse_specification(*text, arguments.specification.string());
  if (!specification) return report_failure(specification.error(), base::kExitInput);
  const auto data = train::read_dataset(*specification, arguments.data);
  if (!data) return report_failure(data.error(), base::kExitInput);
  const auto training = model_of(arguments, *specification, *data);
  if (!training) return report_failure(training.error(), base::kExitInput);
  if (!training->kan.quantized()) {
    return report_failure(
        {ErrorCode::kUnsupported, "the model is not quantised, expected model.quantized = true"},
        base::kExitInput);
  }
  auto curves = EdgeCurves::make(training->kan,
                                 train::count_codes(training->kan, training->samples, training->learned));
  if (!curves) return report_failure(curves.error(), base::kExitInput);
  train::ThreadTeam team(arguments.threads);
  const train::TrainingPlan& plan = specification->training;
  train::Loss loss;
  loss.kind = specification->loss_kind();
  loss.class_weights = plan.class_weights;
  const Search search{
      arguments,
      *training,
      {.samples = training->samples,
       .learned = training->learned,
       .validation = training->validation,
       .loss = loss,
       .thresholds = specification->thresholds,
       .epochs = arguments.epochs,
       .batch_size = plan.batch_size,
       .learning_rate = arguments.learning_rate > 0.0 ? arguments.learning_rate : plan.learning_rate,
       .seed = plan.seed},
      std::move(*curves),
      team};
  std::vector<SharedModel> models;
  const auto report = search_shapes(search, *counts, models);
  if (!report) return report_failure(report.error(), base::kExitFailed);
  if (auto ok = write_files(arguments, *report, models); !ok)
    return report_failure(ok.error(), base::kExitOutput);
  fmt::print("{}", arguments.json ? to_json(*report) : to_text(*report));
  return base::kExitOk;
}

}  // namespace

void add_codebook_command(CLI::App& app, int& exit_code) {
  CLI::App* const command =
      app.add_subcommand("codebook", "Find how few function shapes a model's edges can share");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("SPEC", arguments->specification, "Specification (TOML) of the model")->required();
  command->add_option("--x", arguments->data.x, "Features, as for kanc train")->required();
  command->add_option("--y", arguments->data.y, "Classes, as for kanc train");
  command->add_option("--class-column", arguments->data.class_column,
                      "Column with the classes in a .csv (default: the last)");
  command
      ->add_option("--start", arguments->start,
                   "The model (.kan, quantised); without it, one is trained first")
      ->check(CLI::ExistingFile);
  command->add_option("--shapes", arguments->shapes, "Numbers of shapes to try")->capture_default_str();
  command
      ->add_option("--epochs", arguments->epochs,
                   "Passes over the data with shared shapes; 0: only the refit")
      ->capture_default_str()
      ->check(CLI::Range(0, 100'000));
  command
      ->add_option("--learning-rate", arguments->learning_rate,
                   "Of these passes (default: the specification's)")
      ->check(CLI::Range(1e-9, 10.0));
  command
      ->add_option("--threads", arguments->threads,
                   "Threads (default: one a core); the result does not depend on them")
      ->check(CLI::Range(1, 256));
  command->add_option("--out", arguments->out, "Folder of the results")->required();
  command->add_option("--pictures", arguments->picture_ending, "svg or png (by rsvg-convert)")
      ->capture_default_str()
      ->check(CLI::IsMember({"svg", "png"}));
  command->add_flag("--json", arguments->json, "Print codebook.json instead of the table");
  command->add_flag("--quiet", arguments->quiet, "No progress");
  command->footer(
      "Every edge becomes factor x shape(x) + constant: the sign is in the factor, the constant in the "
      "node's bias. For each\n"
      "number of shapes they are fitted to the edges by least squares, where and as often as codes occur "
      "(refitted); then\n"
      "factors, shapes, biases and ranges go on learning (retrained). 'own' is a shape for each edge, "
      "trained on as long.\n\n"
      "  kanc train spec.toml --x x.npy --y y.npy --out mine-1.0.0\n"
      "  kanc codebook spec.toml --x x.npy --y y.npy --start mine-1.0.0.kan --shapes 1..8,16 --out "
      "mine-shapes\n\n"
      "In OUT: codebook.csv, codebook.json, accuracy and shapes as pictures, and shapes_<K>.kan, the "
      "models.");
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace kantrig::compiler
