// kanc pack
#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "compiler/commands.hpp"
#include "compiler/pack.hpp"
#include "compiler/report.hpp"
#include "kan/bundle.hpp"

namespace kantrig::compiler {
namespace {

struct Arguments {
  std::filesystem::path bundle;
  std::filesystem::path out;
  bool replace = false;
  std::uint32_t compute_units = 0;
  PackOptions options;
};

int run(Arguments arguments) {
  auto bundle = kan::load_bundle(arguments.bundle, {}, kan::Images::kKeep);
  if (!bundle) return report_failure(bundle.error(), base::kExitInput);
  if (arguments.compute_units != 0) arguments.options.compute_units = arguments.compute_units;
  const auto begin = std::chrono::steady_clock::now();
  if (auto ok = pack(*bundle, arguments.options); !ok) return report_failure(ok.error(), base::kExitInput);
  const auto digest = kan::write_bundle(
      *bundle, arguments.out, arguments.replace ? kan::Overwrite::kReplace : kan::Overwrite::kRefuse);
  if (!digest) return report_failure(digest.error(), base::kExitOutput);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  fmt::print("packed {} for {} into {}\n  digest   {}\n", bundle->full_name(), arguments.options.platform,
             arguments.out.string(), digest->hex());
  for (const auto& [path, content] : bundle->fpga_files) {
    if (path.starts_with("fpga/" + arguments.options.platform + "."))
      fmt::print("  {:<32} {} bytes\n", path, content.size());
  }
  fmt::print("  took     {:.1f} s\n", took.count());
  return base::kExitOk;
}

}  // namespace

void add_pack_command(CLI::App& app, int& exit_code) {
  CLI::App* const pack = app.add_subcommand("pack", "Add to a compiled bundle what a card is loaded with");
  const auto arguments = std::make_shared<Arguments>();
  pack->add_option("bundle", arguments->bundle, "The bundle with its design, from kanc compile")->required();
  pack->add_option("--platform", arguments->options.platform,
                   "emulated: the card that simulates the design; else the name of a real card's shell")
      ->capture_default_str();
  pack->add_option("--out", arguments->out, "The bundle to write: the same with the files in fpga/")
      ->required();
  pack->add_option("--xclbin", arguments->options.xclbin,
                   "The file that v++ linked for a real card's platform (firmware/card/README.md)");
  pack->add_option("--compute-units", arguments->compute_units,
                   "emulated: how many kernels the card holds (default: 1); else how many the file must hold")
      ->check(CLI::Range(1U, 16U));
  pack->add_option("--lanes", arguments->options.lanes_max,
                   "emulated: events that each kernel takes in one clock, a power of two; more of them cost "
                   "small batches time")
      ->capture_default_str();
  pack->add_option("--build-folder", arguments->options.build.cache,
                   "Where built simulations are kept for the next time (default: below the user's cache)");
  pack->add_flag("--replace", arguments->replace,
                 "Replace an older bundle of the same name and version; --out may be the bundle itself");
  pack->footer(
      "Writes fpga/<platform>.json (what the card must answer, and how records lie in its memory), "
      "fpga/<platform>.xclbin\n"
      "(what it is programmed with) and, for an overlay, fpga/<platform>.tables (the model's words, for "
      "either "
      "bank). Files\n"
      "of other platforms stay in the bundle. The emulated card's xclbin holds a simulation of kan_kernel "
      "over "
      "the design,\n"
      "built with verilator and g++ (deploy/install-deps.sh --hardware); a design for --device generic "
      "simulates faster\n"
      "than one of a vendor's cells.\n\n"
      "Example:\n"
      "  kanc compile jets-1.1.0 --target overlay --device generic --out jets-overlay\n"
      "  kanc pack jets-overlay --platform emulated --compute-units 2 --out jets-card\n"
      "  kanc pack jets-xcup --platform xilinx_u250_gen3x16_xdma_4_1 --xclbin kan_kernel.xclbin --out "
      "jets-u250\n\n"
      "Exit codes: 0 written, 2 wrong command line, 3 wrong or missing input or tool, 5 not written.");
  arguments->options.build.progress = [](std::string_view what) { fmt::print(stderr, "{} ...\n", what); };
  pack->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace kantrig::compiler
