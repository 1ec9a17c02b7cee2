// kanc import checkpoint, torch, pykan
#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>

#include "base/file.hpp"
#include "compiler/exchange/commands.hpp"
#include "compiler/exchange/expected_tables.hpp"
#include "compiler/exchange/exporter.hpp"
#include "compiler/exchange/package.hpp"
#include "compiler/learned/checkpoint.hpp"
#include "compiler/report.hpp"
#include "kan/bundle_folder.hpp"

namespace kantrig::exchange {
namespace {

using compiler::report_failure;
namespace fs = std::filesystem;

constexpr std::size_t kModelBytesMax = std::size_t{1} << 30U;

struct Arguments {
  fs::path model;
  fs::path out;
  fs::path checkpoint_out;
  fs::path expect;
  bool replace = false;
  PackageOptions package;
  // Of exporters.
  std::string script;
  fs::path config;
  std::string base;
  std::string features;
  std::string classes;
};

/// What an exporter is called with; the model last, as a path that is no option.
std::vector<std::string> exporter_words(const Arguments& arguments) {
  std::vector<std::string> words;
  const auto add = [&](const char* option, const std::string& value) {
    if (!value.empty()) words.insert(words.end(), {fmt::format("{}={}", option, value)});
  };
  add("--config", arguments.config.string());
  add("--base", arguments.base);
  add("--features", arguments.features);
  add("--classes", arguments.classes);
  add("--name", arguments.package.name);
  words.push_back(fs::absolute(arguments.model).string());
  return words;
}

/// The checkpoint's bytes: the file, or what an exporter makes of it.
Result<std::string> checkpoint_bytes(const Arguments& arguments) {
  if (arguments.script.empty()) return base::read_file(arguments.model, learned::kCheckpointBytesMax);
  auto exported = run_exporter(arguments.script, exporter_words(arguments));
  if (!exported) return tl::unexpected(exported.error());
  fmt::print("{}", exported->printed);
  return std::move(exported->checkpoint);
}

/// "jets-1.2.0" is name and version, where the command line leaves them open.
void name_after_folder(Arguments& arguments, const learned::LearnedKan& kan) {
  PackageOptions& package = arguments.package;
  const std::string folder = kan::without_slash(fs::absolute(arguments.out)).filename().string();
  const std::size_t dash = folder.rfind('-');
  const bool versioned = dash != std::string::npos && dash + 1 < folder.size() &&
                         folder.find_first_not_of("0123456789.", dash + 1) == std::string::npos;
  if (package.name.empty()) package.name = versioned ? folder.substr(0, dash) : kan.name;
  if (package.version.empty()) package.version = versioned ? folder.substr(dash + 1) : "1.0.0";
}

int write_model(Arguments& arguments, const learned::LearnedKan& kan, std::string_view bytes) {
  const auto source = base::read_file(arguments.model, kModelBytesMax);  // a folder of pykan has no bytes
  arguments.package.source = kan::without_slash(fs::absolute(arguments.model)).filename().string();
  arguments.package.source_sha256 = base::sha256(source ? std::string_view(*source) : bytes).hex();
  const auto bundle = package(kan, arguments.package);
  if (!bundle) return report_failure(bundle.error().within(arguments.model.string()), base::kExitInput);
  const auto digest = kan::write_bundle(
      *bundle, arguments.out, arguments.replace ? kan::Overwrite::kReplace : kan::Overwrite::kRefuse);
  if (!digest) return report_failure(digest.error(), base::kExitOutput);
  fmt::print("wrote bundle {} into {}\n  digest  {}\n  golden  {} seeded vectors\n", bundle->full_name(),
             arguments.out.string(), digest->hex(), bundle->golden.count);
  return base::kExitOk;
}

/// The tables against the published ones; 1 when an entry differs.
int compare(const Arguments& arguments, const learned::LearnedKan& kan) {
  const auto compared = compare_tables(kan, arguments.expect);
  if (!compared) return report_failure(compared.error(), base::kExitInput);
  fmt::print("tables: {} of {} entries on {} active edges equal {}\n", compared->equal, compared->entries,
             compared->edges, arguments.expect.string());
  if (compared->same()) return base::kExitOk;
  return report_failure({ErrorCode::kInvalid, compared->first_difference}, base::kExitFailed);
}

int run(Arguments arguments) {
  if (arguments.out.empty() && arguments.checkpoint_out.empty() && arguments.expect.empty()) {
    return report_failure({ErrorCode::kInvalid,
                           "nothing to do: give --out BUNDLE, --checkpoint-out FILE.kan or --expect TABLES"},
                          base::kExitUsage);
  }
  const auto bytes = checkpoint_bytes(arguments);
  if (!bytes) return report_failure(bytes.error(), base::kExitInput);
  auto kan = learned::decode_checkpoint(*bytes);
  if (!kan) return report_failure(kan.error().within(arguments.model.string()), base::kExitInput);
  if (!arguments.expect.empty()) {
    if (const int code = compare(arguments, *kan); code != base::kExitOk) return code;
  }
  if (!arguments.out.empty()) name_after_folder(arguments, *kan);
  if (!arguments.package.name.empty()) kan->name = arguments.package.name;
  if (!arguments.checkpoint_out.empty()) {
    if (auto ok = learned::write_checkpoint(*kan, arguments.checkpoint_out); !ok)
      return report_failure(ok.error(), base::kExitOutput);
    fmt::print("wrote checkpoint {}\n", arguments.checkpoint_out.string());
  }
  return arguments.out.empty() ? base::kExitOk : write_model(arguments, *kan, *bytes);
}

/// What all three take.
void add_common_options(CLI::App& command, const std::shared_ptr<Arguments>& arguments) {
  command.add_option("--out", arguments->out,
                     "The bundle to write, a folder; called NAME-VERSION it names the bundle");
  command.add_option("--checkpoint-out", arguments->checkpoint_out,
                     "Store the checkpoint, in binary: for kanc quantize, plot, symbolic, export");
  command.add_option("--expect", arguments->expect,
                     "KANELE's truth_tables.json: count the entries that are equal, and stop with 1 unless "
                     "all are");
  command.add_option("--name", arguments->package.name, "Name of the bundle");
  command.add_option("--version", arguments->package.version, "Version of the bundle (default: 1.0.0)");
  command.add_option("--license", arguments->package.license, "Licence of the model, for the manifest");
  command.add_option("--vectors", arguments->package.random_vectors, "Seeded golden vectors")
      ->check(CLI::Range(0U, 10'000U))
      ->capture_default_str();
  command.add_option("--seed", arguments->package.seed, "Seed of these")->capture_default_str();
  command.add_flag("--replace", arguments->replace, "Replace an older bundle of the same name and version");
}

/// Of a checkpoint that is an autoencoder.
void add_score(CLI::App& command, const std::shared_ptr<Arguments>& arguments) {
  static const std::map<std::string, kan::DistanceMeasure> kMeasures{
      {"absolute", kan::DistanceMeasure::kAbsolute}, {"squared", kan::DistanceMeasure::kSquared}};
  CLI::Option* const score =
      command
          .add_option_function<std::string>(
              "--score",
              [arguments](const std::string& name) { arguments->package.score = kMeasures.at(name); },
              "The model is an autoencoder: answer with the distance of its outputs from its inputs, "
              "'absolute' or 'squared'")
          ->check(CLI::IsMember({"absolute", "squared"}));
  CLI::Option* const above = command
                                 .add_option("--anomaly-above", arguments->package.anomaly_above,
                                             "Real score above which an event is an anomaly")
                                 ->check(CLI::NonNegativeNumber);
  score->needs(above);
  above->needs(score);
}

void add_names(CLI::App& command, const std::shared_ptr<Arguments>& arguments) {
  command.add_option("--features", arguments->features,
                     "Names of the inputs, A,B,... (default: in0,in1,...)");
  command.add_option("--classes", arguments->classes, "Names of the classes, A,B,... (default: c0,c1,...)");
}

constexpr const char* kExitCodes =
    "Exit codes: 0 written, 1 tables differ from --expect, 2 wrong command line, 3 wrong or missing input, "
    "5 not written.";

}  // namespace

void add_import_checkpoint_command(CLI::App& import, int& exit_code) {
  CLI::App* const command =
      import.add_subcommand("checkpoint", "From a checkpoint: MODEL.kan, or MODEL.json of an exporter");
  const auto arguments = std::make_shared<Arguments>();
  arguments->package.command = "import checkpoint";
  command->add_option("model", arguments->model, "The checkpoint, proto/kantrig/v1/checkpoint.proto")
      ->required();
  add_common_options(*command, arguments);
  add_score(*command, arguments);
  command->footer(fmt::format(
      "Only a quantised model has tables and becomes a bundle; store any other with --checkpoint-out and "
      "quantise it.\nExporters for PyTorch and pykan lie in share/kantrig/exporters, to run where the model "
      "was trained.\n\n"
      "Example:\n"
      "  kanc import checkpoint model.json --out jets-1.1.0 --checkpoint-out jets.kan\n"
      "  kanc import checkpoint sounds.kan --score absolute --anomaly-above 12.5 --out sounds-1.0.0\n\n{}",
      kExitCodes));
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

void add_import_torch_command(CLI::App& import, int& exit_code) {
  CLI::App* const command =
      import.add_subcommand("torch", "From a PyTorch file of a KANELE or efficient-KAN model");
  const auto arguments = std::make_shared<Arguments>();
  arguments->package.command = "import torch";
  arguments->script = "export_torch_kan.py";
  command->add_option("model", arguments->model, "File of torch.save(): a state dict, or a dict with one")
      ->required();
  command->add_option("--config", arguments->config,
                      "KANELE's config.json, which holds the code widths of quantisers");
  command->add_option("--base", arguments->base, "Base function: silu, gelu or none")
      ->check(CLI::IsMember({"silu", "gelu", "none"}));
  add_names(*command, arguments);
  add_common_options(*command, arguments);
  command->footer(fmt::format(
      "Runs share/kantrig/exporters/export_torch_kan.py with python3; neither needs PyTorch, and nothing out "
      "of the file is executed.\nA model without quantisers (efficient-KAN) becomes a checkpoint only, for "
      "kanc quantize.\n\n"
      "Example:\n"
      "  kanc import torch model.pt --config config.json --out jsc-1.0.0 --expect truth_tables.json\n"
      "  kanc import torch efficient.pt --checkpoint-out efficient.kan\n\n{}",
      kExitCodes));
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

void add_import_pykan_command(CLI::App& import, int& exit_code) {
  CLI::App* const command = import.add_subcommand("pykan", "From what pykan's model.saveckpt() wrote");
  const auto arguments = std::make_shared<Arguments>();
  arguments->package.command = "import pykan";
  arguments->script = "export_pykan.py";
  command->add_option("model", arguments->model, "Path given to saveckpt(), or the folder of one model")
      ->required();
  add_names(*command, arguments);
  add_common_options(*command, arguments);
  command->footer(fmt::format(
      "Splines with their grids, base functions, masks and symbolic edges; affine maps of nodes are folded "
      "in.\nModels of pykan are not quantised, so the result is a checkpoint, for kanc quantize.\n\n"
      "Example:\n"
      "  kanc import pykan ./model/0.1 --checkpoint-out model.kan\n\n{}",
      kExitCodes));
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace kantrig::exchange
