// kanc train: a specification and data become a bundle.
#include "base/build_info.hpp"
#include "base/clock.hpp"
#include "base/digest.hpp"
#include "base/exit_code.hpp"
#include "base/file.hpp"
#include "compiler/commands.hpp"
#include "compiler/learned/checkpoint.hpp"
#include "compiler/train/data_files.hpp"
#include "compiler/train/package.hpp"
#include "compiler/train/specification.hpp"
#include "compiler/train/train_log.hpp"
#include "compiler/train/trainer.hpp"
#include "kan/bundle.hpp"
#include "picture/picture_file.hpp"

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <thread>
#include <vector>

namespace kantrig::compiler {
namespace {

constexpr std::size_t kSpecificationBytesMax = std::size_t{1} << 20U;

struct Options {
  std::filesystem::path specification;
  train::DataFiles data;
  std::filesystem::path out;
  std::filesystem::path start;
  std::vector<std::filesystem::path> teachers;
  std::filesystem::path resume;
  std::filesystem::path log;
  std::filesystem::path picture;
  std::uint32_t epochs = 0;  // 0: as specified
  double lut_budget = 0.0;   // 0: as specified
  std::int64_t seed = -1;    // below 0: as specified
  std::size_t threads = 0;   // 0: as many as cores
  bool quiet = false;
  bool replace = false;
};

int report_error(const Error& error, int exit_code) {
  fmt::print(stderr, "kanc train: {}\n", error.message);
  return exit_code;
}

train::ProgressFn progress_to_stderr(const train::Specification& specification, bool quiet) {
  if (quiet) return {};
  const base::SystemClock clock;
  const bool classes = specification.task == train::Task::kClasses;
  return [clock, classes, epochs = specification.training.epochs, begin_ns = clock.now_ns(),
          first = 0U](const train::EpochRecord& record) mutable {
    if (first == 0) first = record.epoch;
    const double passed_s = static_cast<double>(clock.now_ns() - begin_ns) * 1e-9;
    const std::string accuracy = classes ? fmt::format(" accuracy {:.4f}", record.validation.accuracy) : "";
    const std::string luts = record.luts > 0.0 ? fmt::format("  LUTs ~{:.0f}", record.luts) : "";
    fmt::print(stderr, "epoch {:>4}/{}  loss {:.6g}  validation loss {:.6g}{}  edges {}{}  {:.0f} s left\n",
               record.epoch, epochs, record.loss, record.validation.loss, accuracy, record.active_edges, luts,
               passed_s / (record.epoch - first + 1) * (epochs - record.epoch));
  };
}

void print_summary(const kan::Bundle& bundle, const Options& options, const base::Digest& digest) {
  std::size_t edges = 0;
  std::size_t table_bytes = 0;
  for (const kan::Layer& layer : bundle.model.layers) {
    edges += layer.edges.size();
    table_bytes += layer.tables.size() * sizeof(std::int16_t);
  }
  fmt::print("bundle {} written to {}\n", bundle.full_name(), options.out.string());
  fmt::print("  digest {}\n  edges {}, tables {} bytes, golden vectors {}\n", digest.hex(), edges,
             table_bytes, bundle.golden.count);
  for (const kan::Metric& metric : bundle.metrics) {
    const bool small = metric.value < 1e-3;  // a loss may be, an accuracy is not
    fmt::print("  {} {}\n", metric.name,
               small ? fmt::format("{:.3e}", metric.value) : fmt::format("{:.4f}", metric.value));
  }
}

/// Said before an hour of training, not after it.
Result<void> check_out(const train::Specification& specification, const Options& options) {
  if (!specification.quantized && options.out.extension() != ".kan") {
    return fail(ErrorCode::kInvalid,
                "{}: model.quantized = false gives a checkpoint, not a bundle; name it --out NAME.kan",
                options.out.string());
  }
  std::error_code failed;
  const std::filesystem::path folder = std::filesystem::absolute(options.out).parent_path();
  std::filesystem::create_directories(folder, failed);
  if (failed) return fail(ErrorCode::kIo, "{}: cannot be created: {}", folder.string(), failed.message());
  if (options.replace || !std::filesystem::exists(options.out, failed)) return {};
  return fail(ErrorCode::kInvalid, "{}: exists; give another --out, or --replace", options.out.string());
}

Result<train::Specification> specification_of(const std::string& text, const Options& options) {
  auto specification = train::parse_specification(text, options.specification.string());
  if (!specification) return specification;
  if (options.epochs > 0) specification->training.epochs = options.epochs;
  if (options.seed >= 0) specification->training.seed = static_cast<std::uint64_t>(options.seed);
  if (options.lut_budget > 0.0) {
    train::AreaPlan& area = specification->area;
    if (area.lut_budget == 0.0) {
      area.start_epoch = specification->training.epochs / 5;
      area.end_epoch = specification->training.epochs * 7 / 10;
    }
    area.lut_budget = options.lut_budget;
  }
  return specification;
}

Result<train::TrainOptions> train_options(const train::Specification& specification, const std::string& text,
                                          const Options& options) {
  train::TrainOptions result;
  result.threads = options.threads > 0 ? options.threads : std::max(1U, std::thread::hardware_concurrency());
  result.progress = progress_to_stderr(specification, options.quiet);
  result.resume = options.resume;
  result.specification_digest = base::sha256(text).hex() + fmt::format(" {}", options.lut_budget);
  if (!options.start.empty()) {
    auto start = learned::read_checkpoint(options.start);
    if (!start) return tl::unexpected(start.error());
    result.start = std::move(*start);
  }
  for (const std::filesystem::path& path : options.teachers) {
    auto teacher = learned::read_checkpoint(path);
    if (!teacher) return tl::unexpected(teacher.error());
    result.teachers.push_back(std::move(*teacher));
  }
  return result;
}

Result<void> write_log(const train::Specification& specification, const train::Training& training,
                       const Options& options) {
  if (!options.log.empty()) {
    if (auto ok = base::write_file_atomic(options.log, train::log_as_csv(training.epochs)); !ok) return ok;
  }
  if (options.picture.empty()) return {};
  return picture::write_picture(options.picture,
                                train::log_as_picture(specification, training.epochs, training.chosen_epoch));
}

/// What differs from the specification's text, for provenance.
std::string command_of(const Options& options) {
  std::string command = "train";
  if (options.epochs > 0) command += fmt::format(" --epochs {}", options.epochs);
  if (options.seed >= 0) command += fmt::format(" --seed {}", options.seed);
  if (options.lut_budget > 0.0) command += fmt::format(" --lut-budget {}", options.lut_budget);
  if (!options.start.empty()) command += " --start " + options.start.filename().string();
  for (const std::filesystem::path& teacher : options.teachers)
    command += " --teacher " + teacher.filename().string();
  return command;
}

int write_model(const train::Specification& specification, const train::Dataset& data,
                const train::Training& training, const std::string& text, const Options& options) {
  if (!specification.quantized) {
    if (auto ok = learned::write_checkpoint(training.kan, options.out); !ok)
      return report_error(ok.error(), base::kExitOutput);
    const train::EpochRecord& chosen = training.epochs[training.chosen_epoch - 1];
    if (!options.quiet) {
      fmt::print("checkpoint written to {}\n  validation loss {:.6g}, accuracy {:.6g}, epoch {}\n",
                 options.out.string(), chosen.validation.loss, chosen.validation.accuracy, chosen.epoch);
    }
    return base::kExitOk;
  }
  auto bundle = train::make_bundle(specification, data, training, base::sha256(text).hex());
  if (!bundle) return report_error(bundle.error(), base::kExitFailed);
  bundle->provenance.command = command_of(options);
  bundle->provenance.seed = specification.training.seed;
  const auto overwrite = options.replace ? kan::Overwrite::kReplace : kan::Overwrite::kRefuse;
  const auto digest = kan::write_bundle(*bundle, options.out, overwrite);
  if (!digest) return report_error(digest.error(), base::kExitOutput);
  std::filesystem::path checkpoint = options.out;
  checkpoint += ".kan";
  if (auto ok = learned::write_checkpoint(training.kan, checkpoint); !ok)
    return report_error(ok.error(), base::kExitOutput);
  if (!options.quiet) print_summary(*bundle, options, *digest);
  return base::kExitOk;
}

int run_train(const Options& options) {
  const auto text = base::read_file(options.specification, kSpecificationBytesMax);
  if (!text) return report_error(text.error(), base::kExitInput);
  const auto specification = specification_of(*text, options);
  if (!specification) return report_error(specification.error(), base::kExitInput);
  if (const auto ok = check_out(*specification, options); !ok)
    return report_error(ok.error(), base::kExitOutput);
  const auto data = train::read_dataset(*specification, options.data);
  if (!data) return report_error(data.error(), base::kExitInput);
  const auto how = train_options(*specification, *text, options);
  if (!how) return report_error(how.error(), base::kExitInput);
  const auto training = train::train(*specification, *data, *how);
  if (!training) return report_error(training.error(), base::kExitInput);
  if (auto ok = write_log(*specification, *training, options); !ok)
    return report_error(ok.error(), base::kExitOutput);
  return write_model(*specification, *data, *training, *text, options);
}

}  // namespace

void add_train_command(CLI::App& app, int& exit_code) {
  CLI::App* const command = app.add_subcommand("train", "Learns a model from events and writes its bundle.");
  const auto options = std::make_shared<Options>();
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
  command
      ->add_option("--out", options->out,
                   "Folder to write the bundle to, usually <name>-<version>; the model as real functions "
                   "goes to <out>.kan. "
                   "With model.quantized = false only the latter: a file NAME.kan")
      ->required();
  command->add_option("--epochs", options->epochs, "Passes over the data, instead of the specification's")
      ->check(CLI::Range(1, 100'000));
  command->add_option("--seed", options->seed, "Seed, instead of the specification's")
      ->check(CLI::NonNegativeNumber);
  command
      ->add_option("--lut-budget", options->lut_budget,
                   "LUTs that the compiled model may take, by estimate: widths are searched, edges pruned")
      ->check(CLI::Range(1.0, 1e7));
  command
      ->add_option("--start", options->start,
                   "Checkpoint (.kan, .json) to begin with instead of random parameters")
      ->check(CLI::ExistingFile);
  command
      ->add_option("--teacher", options->teachers,
                   "Checkpoint whose class probabilities go into the targets; may be given often")
      ->check(CLI::ExistingFile);
  command->add_option("--resume", options->resume,
                      "Where the training is kept while it runs; one that was stopped goes on from there");
  command->add_option("--log", options->log, "Losses and accuracies of every epoch, .csv");
  command->add_option("--picture", options->picture, "The same as a picture, .svg or .png");
  command
      ->add_option("--threads", options->threads,
                   "Threads (default: one a core); the result does not depend on them")
      ->check(CLI::Range(1, 256));
  command->add_flag("--replace", options->replace, "Replace an older bundle of the same name and version");
  command->add_flag("--quiet", options->quiet, "Say nothing but errors");
  command->footer(
      "Examples:\n"
      "  kanc train firmware/models/jets/spec.toml --x x.npy --y y.npy --out jets-1.1.0\n"
      "  kanc train spec.toml --x events.csv --class-column type --out mine-1.0.0\n"
      "  kanc train spec.toml --x events.csv --out small-1.0.0 --lut-budget 800 --picture log.png\n"
      "  kanc train spec.toml --x events.csv --out mine-1.0.0 --resume mine.state   # again after a stop\n\n"
      "The same specification, data and version of kanc give the same bytes.");
  command->callback([options, &exit_code] { exit_code = run_train(*options); });
}

}  // namespace kantrig::compiler
