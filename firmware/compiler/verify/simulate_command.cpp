// kanc simulate
#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "base/file.hpp"
#include "compiler/commands.hpp"
#include "compiler/report.hpp"
#include "compiler/verify/read_design.hpp"
#include "compiler/verify/rtl_builder.hpp"
#include "kan/bundle.hpp"
#include "kan/rtl_library.hpp"

namespace kantrig::compiler {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLibraryBytesMax = std::size_t{512} << 20U;

struct Arguments {
  fs::path bundle;
  fs::path out;
  RtlBuildOptions build;
};

int run(const Arguments& arguments) {
  const auto bundle = kan::load_bundle(arguments.bundle);
  if (!bundle) return report_failure(bundle.error(), base::kExitInput);
  auto design = read_design(*bundle);
  if (!design) return report_failure(design.error(), base::kExitInput);
  design->layers.clear();  // the daemon runs the whole: no units for the layers
  const auto begin = std::chrono::steady_clock::now();
  const auto library = build_rtl_library(*bundle, *design, arguments.build);
  if (!library) return report_failure(library.error(), base::kExitInput);
  const auto opened = kan::RtlLibrary::open(*library);
  if (!opened) return report_failure(opened.error(), base::kExitInput);
  const auto bytes = base::read_file(*library, kLibraryBytesMax);
  if (!bytes) return report_failure(bytes.error(), base::kExitInput);
  std::error_code ignored;
  fs::path target = arguments.out;
  if (fs::is_directory(target, ignored)) target /= design->model_digest + ".so";
  if (auto written = base::write_file_atomic(target, *bytes); !written)
    return report_failure(written.error(), base::kExitOutput);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  fmt::print("simulation of {} in {}\n", bundle->full_name(), target.string());
  fmt::print("  model    {}{}\n  latency  {} cycles\n  built    {:.1f} s\n", design->model_digest,
             design->overlay ? ", in bank 0 of an overlay" : "", design->cycles, took.count());
  return base::kExitOk;
}

}  // namespace

void add_simulate_command(CLI::App& app, int& exit_code) {
  CLI::App* const simulate = app.add_subcommand(
      "simulate", "Build the simulation of a compiled design, for kantrigd's rtl_sim backend");
  const auto arguments = std::make_shared<Arguments>();
  simulate->add_option("design", arguments->bundle, "The bundle with its design, from kanc compile")
      ->required();
  simulate
      ->add_option("--out", arguments->out,
                   "The shared object to write; in an existing folder it is called <model digest>.so")
      ->required();
  simulate->add_option(
      "--build-folder", arguments->build.cache,
      "Where built simulations are kept for the next time (default: below the user's cache)");
  simulate->footer(
      "An overlay's simulation comes with the words of this bundle's model and loads them by itself.\n"
      "Needs verilator and g++ (deploy/install-deps.sh --hardware). The daemon runs it with backend.kind = "
      "\"rtl_sim\" and\n"
      "backend.rtl_sim_library = the file, or a folder with one for every model that is to be swapped in.\n\n"
      "Example:\n"
      "  kanc simulate jets-1.1.0-rtl --out jets.so\n\n"
      "Exit codes: 0 written, 2 wrong command line, 3 wrong or missing input or tool, 5 not written.");
  arguments->build.progress = [](std::string_view what) { fmt::print(stderr, "{} ...\n", what); };
  simulate->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace kantrig::compiler
