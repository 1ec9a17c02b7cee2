// kanc import kanele
#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <filesystem>
#include <memory>

#include "compiler/exchange/commands.hpp"
#include "compiler/exchange/kanele.hpp"
#include "compiler/report.hpp"
#include "kan/bundle_folder.hpp"

namespace kantrig::exchange {

using compiler::report_failure;
using compiler::report_warning;
namespace {

struct Arguments {
  std::filesystem::path folder;
  std::filesystem::path out;
  bool replace = false;
  KaneleOptions options;
};

void print_import(const KaneleImport& imported, const Arguments& arguments, const base::Digest& digest) {
  const kan::Bundle& bundle = imported.bundle;
  fmt::print("imported {} as bundle {} into {}\n", arguments.folder.string(), bundle.full_name(),
             arguments.out.string());
  fmt::print("  digest  {}\n", digest.hex());
  fmt::print(
      "  input   codes only: the published files have no input stage; features are named in0 to in{}\n",
      bundle.features.size() - 1);
  fmt::print("  layers  {}", bundle.model.input_count());
  std::size_t edges = 0;
  for (const kan::Layer& layer : bundle.model.layers) {
    fmt::print(" -> {}", layer.nodes.size());
    edges += layer.edges.size();
  }
  fmt::print(", {} active edges\n", edges);
  fmt::print("  golden  {} published vectors{} and {} seeded ones\n", imported.published_vectors,
             imported.published_vectors > 0 ? ", all reproduced," : "",
             bundle.golden.count - imported.published_vectors);
}

int run(Arguments arguments) {
  if (arguments.options.name.empty()) {
    arguments.options.name =
        kan::without_slash(std::filesystem::absolute(arguments.folder)).filename().string();
  }
  const auto imported = import_kanele(arguments.folder, arguments.options);
  if (!imported) return report_failure(imported.error(), base::kExitInput);
  if (imported->entries_out_of_range > 0) {
    report_warning(fmt::format(
        "{} entries out of range: table values past the output bits of their layer, used as stored",
        imported->entries_out_of_range));
  }
  if (imported->published_vectors == 0) {
    report_warning(fmt::format("{} holds no vectors_in.txt: nothing published to compare with",
                               arguments.folder.string()));
  }
  const auto digest =
      kan::write_bundle(imported->bundle, arguments.out,
                        arguments.replace ? kan::Overwrite::kReplace : kan::Overwrite::kRefuse);
  if (!digest) return report_failure(digest.error(), base::kExitOutput);
  print_import(*imported, arguments, *digest);
  return base::kExitOk;
}

}  // namespace

void add_import_kanele_command(CLI::App& import, int& exit_code) {
  CLI::App* const kanele = import.add_subcommand("kanele",
                                                 "From a KANELE folder: config.json, truth_tables.json and, "
                                                 "where there are, vectors_in.txt and vectors_out.txt");
  const auto arguments = std::make_shared<Arguments>();
  arguments->options.version = "1.0.0";
  kanele->add_option("folder", arguments->folder, "The published folder")->required();
  kanele->add_option("--out", arguments->out, "The bundle to write, a folder of any name")->required();
  kanele->add_option("--name", arguments->options.name, "Name of the bundle (default: the folder's)");
  kanele->add_option("--version", arguments->options.version, "Version of the bundle")->capture_default_str();
  kanele->add_option("--license", arguments->options.license,
                     "Licence of the published model, for the manifest");
  kanele
      ->add_option("--vectors", arguments->options.random_vectors,
                   "Seeded golden vectors beside the published ones")
      ->check(CLI::Range(0U, 10'000U))
      ->capture_default_str();
  kanele->add_option("--seed", arguments->options.seed, "Seed of these")->capture_default_str();
  kanele->add_flag("--replace", arguments->replace, "Replace an older bundle of the same name and version");
  kanele->footer(
      "Table entries are used as stored, even past their layer's output range; how many there are is said.\n"
      "The bundle takes codes only, and reproduces the published vectors or is not written.\n\n"
      "Example:\n"
      "  kanc import kanele kanele/jsc_openml --out jsc-1.0.0 --name jsc --version 1.0.0 --license MIT\n\n"
      "Exit codes: 0 written, 2 wrong command line, 3 wrong or missing input, 5 bundle not written.");
  kanele->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace kantrig::exchange
