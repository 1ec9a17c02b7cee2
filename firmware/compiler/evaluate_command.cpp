// kanc evaluate
#include <fmt/core.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "base/event_files.hpp"
#include "compiler/commands.hpp"
#include "compiler/learned/checkpoint.hpp"
#include "compiler/quality.hpp"
#include "compiler/report.hpp"
#include "compiler/train/teacher.hpp"
#include "kan/feature_columns.hpp"

namespace kantrig::compiler {
namespace {

struct Arguments {
  std::filesystem::path bundle;
  std::filesystem::path x;
  std::filesystem::path y;
  std::string label;
  std::string kernel_set = "auto";
  bool json = false;
};

std::string_view score_name(const kan::Bundle& bundle) {
  return bundle.model.output_count() == 1 ? "raw score" : "softmax";
}

void print_json(const kan::Bundle& bundle, const Quality& quality) {
  nlohmann::ordered_json out;
  out["bundle"] = bundle.full_name();
  out["digest"] = bundle.digest.hex();
  out["events"] = quality.events;
  out["malformed"] = quality.malformed;
  out["accuracy"] = quality.accuracy();
  out["classes"] = bundle.classes;
  out["confusion"] = quality.confusion;
  out["auc_score"] = score_name(bundle);
  for (std::size_t c = 0; c < bundle.classes.size(); ++c) {
    auto& value = out["auc"][bundle.classes[c]];
    if (quality.auc[c]) value = *quality.auc[c];
  }
  fmt::print("{}\n", out.dump(2));
}

void print_text(const kan::Bundle& bundle, const Quality& quality) {
  fmt::print("bundle    {} ({})\n", bundle.full_name(), bundle.digest.short_hex());
  fmt::print("events    {}, and {} malformed ones left out\n", quality.events, quality.malformed);
  fmt::print("accuracy  {:.4f}\n\n", quality.accuracy());
  std::size_t width = 8;
  for (const std::string& name : bundle.classes) width = std::max(width, name.size() + 1);
  fmt::print("confusion matrix: a row for the true class, a column for the model's\n{:>{}}", "", width);
  for (const std::string& name : bundle.classes) fmt::print("{:>{}}", name, width);
  for (std::size_t c = 0; c < bundle.classes.size(); ++c) {
    fmt::print("\n{:>{}}", bundle.classes[c], width);
    for (const std::uint64_t count : quality.confusion[c]) fmt::print("{:>{}}", count, width);
  }
  fmt::print("\n\nROC AUC of each class against the rest ({})\n", score_name(bundle));
  for (std::size_t c = 0; c < bundle.classes.size(); ++c) {
    fmt::print("{:>{}}  {}\n", bundle.classes[c], width,
               quality.auc[c] ? fmt::format("{:.4f}", *quality.auc[c]) : "none: the events lack a side");
  }
}

/// Features and classes of a checkpoint as a bundle's, for columns and for printing.
kan::Bundle facts_of(const learned::LearnedKan& kan, const std::filesystem::path& path) {
  kan::Bundle facts;
  facts.name = kan.name.empty() ? path.stem().string() : kan.name;
  facts.version = "checkpoint";
  for (const learned::Input& input : kan.inputs) facts.features.push_back(input.feature);
  facts.classes = kan.classes;
  for (const learned::Layer& layer : kan.layers) facts.model.layers.emplace_back().nodes.resize(layer.nodes);
  return facts;
}

/// A regression: mean square of what is missing, and the part of the targets' variance that is explained.
int judge_regression(std::span<const float> outputs, std::size_t count, const Arguments& arguments) {
  const auto targets = base::read_features(arguments.y, std::nullopt);
  if (!targets) return report_failure(targets.error(), base::kExitInput);
  if (targets->columns != count || targets->values.size() != outputs.size()) {
    return report_failure(
        Error{ErrorCode::kInvalid,
              fmt::format("{}: has {} rows of {} targets, expected {} of {}", arguments.y.string(),
                          targets->rows, targets->columns, outputs.size() / count, count)},
        base::kExitInput);
  }
  double lost = 0.0;
  double sum = 0.0;
  double squares = 0.0;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto target = static_cast<double>(targets->values[i]);
    lost += (static_cast<double>(outputs[i]) - target) * (static_cast<double>(outputs[i]) - target);
    sum += target;
    squares += target * target;
  }
  const auto values = static_cast<double>(outputs.size());
  const double explained = 1.0 - lost / std::max(squares - sum * sum / values, 1e-300);
  if (arguments.json) {
    fmt::print("{{\"events\": {}, \"mean_square\": {:.9g}, \"r2\": {:.9g}}}\n", outputs.size() / count,
               lost / values, explained);
  } else {
    fmt::print("events       {}\nmean square  {:.6g}\nR2           {:.6g}\n", outputs.size() / count,
               lost / values, explained);
  }
  return base::kExitOk;
}

/// A checkpoint: real functions, or tables in real units where it is quantised.
int run_checkpoint(const Arguments& arguments) {
  const auto kan = learned::read_checkpoint(arguments.bundle);
  if (!kan) return report_failure(kan.error(), base::kExitInput);
  const kan::Bundle facts = facts_of(*kan, arguments.bundle);
  const bool same = arguments.x == arguments.y;
  auto table = base::read_features(arguments.x, same ? base::CsvLabelColumn(arguments.label) : std::nullopt);
  if (!table) return report_failure(table.error(), base::kExitInput);
  auto arranged = kan::arrange_columns(std::move(*table), facts, arguments.x.string());
  if (!arranged) return report_failure(arranged.error(), base::kExitInput);
  train::Dataset data;
  data.name = arguments.x.string();
  data.columns = static_cast<std::uint32_t>(arranged->columns);
  data.values = std::move(arranged->values);
  train::ThreadTeam team(1);
  const auto outputs = train::outputs_of(*kan, data, data.rows(), team);
  if (!outputs) return report_failure(outputs.error(), base::kExitInput);
  const std::size_t count = kan->layers.back().nodes;
  if (kan->classes.empty()) return judge_regression(*outputs, count, arguments);
  const auto labels = base::read_labels(arguments.y, arguments.label, kan->classes);
  if (!labels) return report_failure(labels.error(), base::kExitInput);
  if (labels->size() != data.rows()) {
    return report_failure(
        Error{ErrorCode::kInvalid, fmt::format("{}: has {} labels for {} rows", arguments.y.string(),
                                               labels->size(), data.rows())},
        base::kExitInput);
  }
  const Quality quality = judge_outputs(*outputs, count, *labels);
  if (arguments.json) {
    print_json(facts, quality);
  } else {
    print_text(facts, quality);
  }
  return base::kExitOk;
}

int run(const Arguments& arguments) {
  if (std::filesystem::is_regular_file(arguments.bundle)) return run_checkpoint(arguments);
  const auto bundle = kan::load_bundle(arguments.bundle);
  if (!bundle) return report_failure(bundle.error(), base::kExitInput);
  // One .csv may hold both: then its label column is no feature.
  const bool same = arguments.x == arguments.y;
  auto table = base::read_features(arguments.x, same ? base::CsvLabelColumn(arguments.label) : std::nullopt);
  if (!table) return report_failure(table.error(), base::kExitInput);
  const auto arranged = kan::arrange_columns(std::move(*table), *bundle, arguments.x.string());
  if (!arranged) return report_failure(arranged.error(), base::kExitInput);
  const auto labels = base::read_labels(arguments.y, arguments.label, bundle->classes);
  if (!labels) return report_failure(labels.error(), base::kExitInput);
  const auto quality = measure_quality({.bundle = *bundle,
                                        .table = *arranged,
                                        .labels = *labels,
                                        .source = arguments.x.native(),
                                        .kernel_set = arguments.kernel_set});
  if (!quality) return report_failure(quality.error(), base::kExitInput);
  if (arguments.json) {
    print_json(*bundle, *quality);
  } else {
    print_text(*bundle, *quality);
  }
  return base::kExitOk;
}

}  // namespace

void add_evaluate_command(CLI::App& app, int& exit_code) {
  CLI::App* const evaluate =
      app.add_subcommand("evaluate", "Run a bundle or a checkpoint on events of known class and judge it");
  const auto arguments = std::make_shared<Arguments>();
  evaluate->add_option("bundle", arguments->bundle, "The bundle (folder) or checkpoint (.kan, .json)")
      ->required();
  evaluate->add_option("--x", arguments->x, "Features, .npy or .csv; codes where the bundle takes codes only")
      ->required();
  evaluate->add_option("--y", arguments->y, "Classes, .npy of integers or .csv; may be the same .csv")
      ->required();
  evaluate->add_option("--label", arguments->label, "Label column of a .csv (default: the last one)");
  evaluate->add_option("--kernel-set", arguments->kernel_set, "scalar, avx2, avx512 or auto")
      ->capture_default_str();
  evaluate->add_flag("--json", arguments->json, "Print one JSON object");
  evaluate->footer(
      "Prints accuracy, confusion matrix and the ROC AUC of each class against the rest, from the softmax of "
      "the real\n"
      "outputs or, for a model of one output, from that output. Columns of a .csv are found by the features' "
      "names.\n\n"
      "Example:\n"
      "  kanc evaluate jets-1.1.0 --x jets_x.npy --y jets_y.npy\n"
      "  kanc evaluate jets-1.1.0 --x jets.csv --y jets.csv --label class --json\n\n"
      "Exit codes: 0 done, 2 wrong command line, 3 wrong or missing input.");
  evaluate->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace kantrig::compiler
