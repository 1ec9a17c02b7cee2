// kanc quantize, kanc extend-grid: a checkpoint becomes a bundle, or another checkpoint, without a training.
#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <memory>
#include <numeric>
#include <optional>

#include "base/event_files.hpp"
#include "base/exit_code.hpp"
#include "compiler/commands.hpp"
#include "compiler/learned/checkpoint.hpp"
#include "compiler/learned/refine.hpp"
#include "compiler/report.hpp"
#include "compiler/train/bit_operations.hpp"
#include "compiler/train/calibrate.hpp"
#include "compiler/train/package.hpp"

namespace kantrig::compiler {
namespace {

struct QuantizeOptions {
  std::filesystem::path checkpoint;
  std::filesystem::path x;
  std::string label;
  std::filesystem::path out;
  std::vector<std::uint32_t> bits;
  std::uint32_t guard_bits = 0;
  std::uint32_t basis_bits = 0;
  std::uint32_t coefficient_bits = 0;
  std::string thresholds = "layer";
  std::string score;
  double threshold_percent = 99.0;
  bool replace = false;
};

struct ExtendOptions {
  std::filesystem::path checkpoint;
  std::filesystem::path out;
  std::uint32_t grid = 0;
};

Result<train::Dataset> read_events(const learned::LearnedKan& kan, const QuantizeOptions& options) {
  const auto column =
      options.label.empty() ? base::CsvLabelColumn(std::nullopt) : base::CsvLabelColumn(options.label);
  auto table = base::read_features(options.x, column);
  if (!table) return tl::unexpected(table.error());
  if (table->columns != kan.inputs.size()) {
    return fail(ErrorCode::kInvalid,
                "{}: has {} columns, the model takes {}; --label names a column that is no feature",
                options.x.string(), table->columns, kan.inputs.size());
  }
  train::Dataset data;
  data.name = options.x.filename().string();
  data.columns = static_cast<std::uint32_t>(table->columns);
  data.values = std::move(table->values);
  return data;
}

void print_operations(const learned::LearnedKan& kan) {
  const train::BitOperations operations = train::count_bit_operations(kan);
  fmt::print(
      "bit operations an event (a product of m by n bits counts m n):\n"
      "  recursion of the splines  {:>12.0f}\n  tables of the basis       {:>12.0f}\n  tables of whole edges "
      "    {:>12.0f}\n",
      operations.recursion, operations.basis_tables, operations.edge_tables);
}

/// None unless the model is an autoencoder to be scored.
std::optional<train::ScorePlan> score_of(const QuantizeOptions& options) {
  if (options.score.empty()) return std::nullopt;
  return train::ScorePlan{.measure = options.score == "squared" ? kan::DistanceMeasure::kSquared
                                                                : kan::DistanceMeasure::kAbsolute,
                          .threshold_percent = options.threshold_percent};
}

Result<void> quantize(const QuantizeOptions& options) {
  const auto kan = learned::read_checkpoint(options.checkpoint);
  if (!kan) return tl::unexpected(kan.error());
  const auto data = read_events(*kan, options);
  if (!data) return tl::unexpected(data.error());
  std::vector<std::uint32_t> rows(data->rows());
  std::iota(rows.begin(), rows.end(), 0U);
  learned::LearnedKan source = *kan;
  learned::use_low_bits(source,
                        {.basis_bits = options.basis_bits, .coefficient_bits = options.coefficient_bits});
  const auto sharing =
      options.thresholds == "node" ? train::ThresholdSharing::kNode : train::ThresholdSharing::kLayer;
  const auto quantised = train::quantise(
      source, {.bits = options.bits, .thresholds = sharing, .guard_bits = options.guard_bits}, *data, rows);
  if (!quantised) return tl::unexpected(quantised.error());
  const auto bundle = train::bundle_of(*quantised, *data, options.out.filename().string(), score_of(options));
  if (!bundle) return tl::unexpected(bundle.error());
  const auto overwrite = options.replace ? kan::Overwrite::kReplace : kan::Overwrite::kRefuse;
  const auto digest = kan::write_bundle(*bundle, options.out, overwrite);
  if (!digest) return tl::unexpected(digest.error());
  std::filesystem::path checkpoint = options.out;
  checkpoint += ".kan";
  if (auto ok = learned::write_checkpoint(*quantised, checkpoint); !ok) return ok;
  fmt::print("bundle {} written to {}\n", bundle->full_name(), options.out.string());
  print_operations(*quantised);
  return {};
}

Result<void> extend(const ExtendOptions& options) {
  const auto kan = learned::read_checkpoint(options.checkpoint);
  if (!kan) return tl::unexpected(kan.error());
  const auto refined = learned::with_grid(*kan, options.grid);
  if (!refined) return tl::unexpected(refined.error());
  if (auto ok = learned::write_checkpoint(refined->kan, options.out); !ok) return ok;
  fmt::print("checkpoint written to {}: {} cells; edges moved by at most {:.3g} (r.m.s. over the grid)\n",
             options.out.string(), options.grid, refined->residual_max);
  return {};
}

int report(const Result<void>& result) {
  return result ? base::kExitOk : report_failure(result.error(), base::kExitInput);
}

}  // namespace

void add_quantize_command(CLI::App& app, int& exit_code) {
  CLI::App* const command =
      app.add_subcommand("quantize", "Quantises a trained model (checkpoint) without training: a bundle.");
  const auto options = std::make_shared<QuantizeOptions>();
  command
      ->add_option("CHECKPOINT", options->checkpoint,
                   "Model as real functions: .kan, or .json of an exporter")
      ->required();
  command->add_option("--x", options->x, "Events that show what values occur, .npy or .csv")->required();
  command->add_option("--label", options->label, "Column of a .csv that is no feature");
  command
      ->add_option("--bits", options->bits,
                   "Code widths of the inputs and of each layer's outputs: --bits 6,7,6")
      ->required()
      ->delimiter(',')
      ->check(CLI::Range(1U, learned::kCodeBitsMax));
  command
      ->add_option("--guard-bits", options->guard_bits,
                   "Bits of table entries below the output's, rounded off after the sum")
      ->check(CLI::Range(0U, learned::kGuardBitsMax));
  command->add_option("--thresholds", options->thresholds, "One range for each 'layer' or 'node'")
      ->check(CLI::IsMember({"layer", "node"}));
  CLI::Option* const score =
      command
          ->add_option(
              "--score", options->score,
              "The model is an autoencoder: answer with the distance of its outputs from its inputs, "
              "'absolute' or 'squared'")
          ->check(CLI::IsMember({"absolute", "squared"}));
  command
      ->add_option("--threshold-percent", options->threshold_percent,
                   "Anomalies lie above the score that so many percent of the events do not exceed")
      ->check(CLI::Range(0.0, 100.0))
      ->needs(score)
      ->capture_default_str();
  command
      ->add_option("--basis-bits", options->basis_bits,
                   "Round basis functions to so many bits first (KANtize); 0: do not")
      ->check(CLI::Range(0, 16));
  command
      ->add_option("--coefficient-bits", options->coefficient_bits, "Round coefficients and weights likewise")
      ->check(CLI::Range(0, 16));
  command
      ->add_option("--out", options->out,
                   "Bundle to write, <name>-<version>; the quantised checkpoint goes to <out>.kan")
      ->required();
  command->add_flag("--replace", options->replace, "Replace an older bundle");
  command->footer(
      "Ranges are those that lose least in mean square over the events. `kanc train --start` goes on from "
      "the result.\n\n"
      "Example:\n  kanc quantize jets.kan --x x.npy --bits 6,7,6 --out jets-1.1.0\n"
      "  kanc quantize sounds.kan --x normal.npy --bits 8,8,8,8,8 --score absolute --out sounds-1.0.0");
  command->callback([options, &exit_code] { exit_code = report(quantize(*options)); });
}

void add_extend_grid_command(CLI::App& app, int& exit_code) {
  CLI::App* const command =
      app.add_subcommand("extend-grid", "Gives a model a finer grid that says the same, to train on.");
  const auto options = std::make_shared<ExtendOptions>();
  command->add_option("CHECKPOINT", options->checkpoint, "Model as real functions: .kan or .json")
      ->required();
  command->add_option("--grid", options->grid, "Cells of the new grid")
      ->required()
      ->check(CLI::Range(1U, learned::kGridSizeMax));
  command->add_option("--out", options->out, "Checkpoint to write, .kan")->required();
  command->footer(
      "Every spline is fitted again by least squares (pykan, arXiv 2404.19756, section 2.4), also splines "
      "with knots of their own.\n\n"
      "Example:\n  kanc extend-grid small.kan --grid 20 --out fine.kan\n"
      "  kanc train spec.toml --x x.npy --y y.npy --start fine.kan --out finer.kan    # with model.grid_size "
      "= 20");
  command->callback([options, &exit_code] { exit_code = report(extend(*options)); });
}

}  // namespace kantrig::compiler
