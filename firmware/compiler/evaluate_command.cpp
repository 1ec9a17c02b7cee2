// kanc evaluate
#include <fmt/core.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "base/event_files.hpp"
#include "compiler/commands.hpp"
#include "compiler/quality.hpp"
#include "compiler/report.hpp"
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

int run(const Arguments& arguments) {
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
      app.add_subcommand("evaluate", "Run a bundle on events of known class and judge it");
  const auto arguments = std::make_shared<Arguments>();
  evaluate->add_option("bundle", arguments->bundle, "The bundle")->required();
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
      "  kanc evaluate jets-1.0.0 --x jets_x.npy --y jets_y.npy\n"
      "  kanc evaluate jets-1.0.0 --x jets.csv --y jets.csv --label class --json\n\n"
      "Exit codes: 0 done, 2 wrong command line, 3 wrong or missing input.");
  evaluate->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace kantrig::compiler
