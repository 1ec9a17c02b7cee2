// kanc train: a specification and data become a bundle.
#include "base/build_info.hpp"
#include "base/clock.hpp"
#include "base/digest.hpp"
#include "base/exit_code.hpp"
#include "base/file.hpp"
#include "compiler/commands.hpp"
#include "compiler/train/data_files.hpp"
#include "compiler/train/package.hpp"
#include "compiler/train/specification.hpp"
#include "compiler/train/trainer.hpp"
#include "kan/bundle.hpp"

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <memory>

namespace kantrig::compiler {
namespace {

constexpr std::size_t kSpecificationBytesMax = std::size_t{1} << 20U;

struct TrainOptions {
  std::filesystem::path specification;
  train::DataFiles data;
  std::filesystem::path out;
  std::uint32_t epochs = 0;  // 0: as specified
  bool quiet = false;
  bool replace = false;
};

int report_error(const Error& error, int exit_code) {
  fmt::print(stderr, "kanc train: {}\n", error.message);
  return exit_code;
}

train::ProgressFn progress_to_stderr(std::uint32_t epochs, bool quiet) {
  if (quiet) return {};
  const base::SystemClock clock;
  return [clock, epochs, begin_ns = clock.now_ns()](const train::EpochRecord& record) {
    const double passed_s = static_cast<double>(clock.now_ns() - begin_ns) * 1e-9;
    fmt::print(
        stderr,
        "epoch {:>4}/{}  loss {:.4f}  validation loss {:.4f} accuracy {:.4f}  edges {}  {:.0f} s left\n",
        record.epoch, epochs, record.loss, record.validation.loss, record.validation.accuracy,
        record.active_edges, passed_s / record.epoch * (epochs - record.epoch));
  };
}

void print_summary(const kan::Bundle& bundle, const TrainOptions& options, const base::Digest& digest) {
  std::size_t edges = 0;
  std::size_t table_bytes = 0;
  for (const kan::Layer& layer : bundle.model.layers) {
    edges += layer.edges.size();
    table_bytes += layer.tables.size() * sizeof(std::int16_t);
  }
  fmt::print("bundle {} written to {}\n", bundle.full_name(), options.out.string());
  fmt::print("  digest {}\n  edges {}, tables {} bytes, golden vectors {}\n", digest.hex(), edges,
             table_bytes, bundle.golden.count);
  for (const kan::Metric& metric : bundle.metrics) fmt::print("  {} {:.4f}\n", metric.name, metric.value);
}

/// Said before an hour of training, not after it.
Result<void> check_out(const TrainOptions& options) {
  std::error_code ignored;
  if (options.replace || !std::filesystem::exists(options.out, ignored)) return {};
  return fail(ErrorCode::kInvalid, "{}: exists; give another --out, or --replace", options.out.string());
}

int run_train(const TrainOptions& options) {
  const auto text = base::read_file(options.specification, kSpecificationBytesMax);
  if (!text) return report_error(text.error(), base::kExitInput);
  auto specification = train::parse_specification(*text, options.specification.string());
  if (!specification) return report_error(specification.error(), base::kExitInput);
  if (options.epochs > 0) specification->training.epochs = options.epochs;
  if (const auto ok = check_out(options); !ok) return report_error(ok.error(), base::kExitOutput);
  const auto data = train::read_dataset(*specification, options.data);
  if (!data) return report_error(data.error(), base::kExitInput);
  auto training =
      train::train(*specification, *data, progress_to_stderr(specification->training.epochs, options.quiet));
  if (!training) return report_error(training.error(), base::kExitInput);
  auto bundle = train::make_bundle(*specification, *data, *training, base::sha256(*text).hex());
  if (!bundle) return report_error(bundle.error(), base::kExitFailed);
  if (options.epochs > 0) bundle->provenance.command = fmt::format("train --epochs {}", options.epochs);
  const auto overwrite = options.replace ? kan::Overwrite::kReplace : kan::Overwrite::kRefuse;
  const auto digest = kan::write_bundle(*bundle, options.out, overwrite);
  if (!digest) return report_error(digest.error(), base::kExitOutput);
  if (!options.quiet) print_summary(*bundle, options, *digest);
  return base::kExitOk;
}

}  // namespace

void add_train_command(CLI::App& app, int& exit_code) {
  CLI::App* const command =
      app.add_subcommand("train", "Learns a model from labelled events and writes its bundle.");
  const auto options = std::make_shared<TrainOptions>();
  command
      ->add_option("SPEC", options->specification,
                   "Specification (TOML): features, classes, layers, bits, training")
      ->required();
  command->add_option("--x", options->data.x, "Features, one row an event: .npy, or .csv with a header")
      ->required();
  command->add_option("--y", options->data.y,
                      "Classes, one an event: .npy integers or .csv. Without it: a column of --x");
  command->add_option("--class-column", options->data.class_column,
                      "Column with the classes in a .csv (default: the last)");
  command->add_option("--out", options->out, "Folder to write the bundle to, usually <name>-<version>")
      ->required();
  command->add_option("--epochs", options->epochs, "Passes over the data, instead of the specification's")
      ->check(CLI::Range(1, 100'000));
  command->add_flag("--replace", options->replace, "Replace an older bundle of the same name and version");
  command->add_flag("--quiet", options->quiet, "Say nothing but errors");
  command->footer(
      "Examples:\n"
      "  kanc train firmware/models/jets/spec.toml --x x.npy --y y.npy --out jets-1.0.0\n"
      "  kanc train spec.toml --x events.csv --class-column type --out mine-1.0.0\n\n"
      "The same specification, data and version of kanc give the same bytes.");
  command->callback([options, &exit_code] { exit_code = run_train(*options); });
}

}  // namespace kantrig::compiler
