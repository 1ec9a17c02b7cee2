// kanc compile
#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "compiler/commands.hpp"
#include "compiler/hardware/fixed.hpp"
#include "compiler/hardware/overlay.hpp"
#include "compiler/report.hpp"
#include "kan/bundle.hpp"

namespace kantrig::compiler {
namespace {

struct Arguments {
  std::filesystem::path bundle;
  std::filesystem::path out;
  std::string target = "fixed";
  bool replace = false;
  FixedOptions fixed;
  OverlayOptions overlay;
};

void print_design(const HardwareDesign& design, const Arguments& arguments, const base::Digest& digest) {
  fmt::print("compiled {} for {} ({}) into {}\n", design.bundle, design.device, target_name(design.target),
             arguments.out.string());
  fmt::print("  digest   {}\n", digest.hex());
  fmt::print("  latency  {} cycles, one event a cycle; {} bits in, {} bits out\n", design.cycles,
             design.input_width, design.output_width);
  if (design.overlay) {
    fmt::print("  shape    {}\n  bank     {} table words in {} addresses\n", describe(*design.overlay),
               design.overlay->table_words(), design.overlay->block_words());
  }
  for (const PassFigure& pass : design.passes) {
    fmt::print("  {:<24} {:>7} LUTs {:>7} registers\n", pass.pass, pass.luts, pass.registers);
  }
  fmt::print("next: kanc verify {0}, kanc resources {0}\n", arguments.out.string());
}

int run(Arguments arguments) {
  arguments.overlay.device = arguments.fixed.device;
  auto bundle = kan::load_bundle(arguments.bundle);
  if (!bundle) return report_failure(bundle.error(), base::kExitInput);
  const auto compiled = arguments.target == "overlay" ? compile_overlay(*bundle, arguments.overlay)
                                                      : compile_fixed(*bundle, arguments.fixed);
  if (!compiled) return report_failure(compiled.error().within(bundle->full_name()), base::kExitInput);
  put_design(*bundle, *compiled);
  const auto digest = kan::write_bundle(
      *bundle, arguments.out, arguments.replace ? kan::Overwrite::kReplace : kan::Overwrite::kRefuse);
  if (!digest) return report_failure(digest.error(), base::kExitOutput);
  print_design(compiled->design, arguments, *digest);
  return base::kExitOk;
}

void add_overlay_options(CLI::App& command, OverlayOptions& options) {
  const auto figures = [&](const char* name, std::vector<std::uint32_t>& values, const char* what) {
    command.add_option(name, values, what)
        ->delimiter(',')
        ->group("Shape of an overlay (default: what the model needs)");
  };
  command.add_option("--shape", options.sizes, "Inputs and nodes of each layer, such as 16-10-5")
      ->group("Shape of an overlay (default: what the model needs)");
  figures("--code-bits", options.code_bits,
          "Bits of the codes into each layer, such as 6,6; one value for all");
  figures("--entry-bits", options.entry_bits, "Bits of table entries in each layer");
  figures("--sum-bits", options.sum_bits, "Bits of sums in each layer");
  figures("--shift-max", options.shift_max, "Largest shift in each layer; 0: no shifter");
  command.add_option("--output-bits", options.output_bits, "Bits of a score, with its sign")
      ->group("Shape of an overlay (default: what the model needs)");
}

}  // namespace

void add_compile_command(CLI::App& app, int& exit_code) {
  CLI::App* const command = app.add_subcommand("compile", "Make SystemVerilog from a bundle's model");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("bundle", arguments->bundle, "The bundle to compile")->required();
  command->add_option("--out", arguments->out, "The bundle to write: the same with the design in rtl/")
      ->required();
  command
      ->add_option("--target", arguments->target,
                   "fixed: tables burnt in as logic; overlay: tables in memory, written while events flow")
      ->check(CLI::IsMember({"fixed", "overlay"}))
      ->capture_default_str();
  command
      ->add_option("--device", arguments->fixed.device,
                   "Family to build for: xcup (Xilinx UltraScale+), ice40, generic")
      ->capture_default_str();
  command->add_option("--carry-bits", arguments->fixed.carry_bits_max, "Longest carry chain, in bits")
      ->check(CLI::Range(4U, 32U))
      ->capture_default_str();
  command
      ->add_option(
          "--optimize", arguments->fixed.optimize,
          "area: the published number of cycles, few LUTs; latency: few cycles; none: to compare with")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, Optimize>{
              {"area", Optimize::kArea}, {"latency", Optimize::kLatency}, {"none", Optimize::kNone}},
          CLI::ignore_case))
      ->default_str("area");
  command->add_option("--levels", arguments->fixed.levels_max, "LUTs between two registers, at most")
      ->check(CLI::Range(1U, 8U))
      ->capture_default_str();
  add_overlay_options(*command, arguments->overlay);
  command->add_flag("--replace", arguments->replace, "Replace an older bundle of the same name and version");
  command->footer(
      "The design takes one event a clock and gives exactly the bits of the integer model, which is checked "
      "on golden\n"
      "and random events before anything is written. `kanc verify` simulates the SystemVerilog itself.\n\n"
      "Example:\n"
      "  kanc compile firmware/models/jets/jets-1.1.0 --target fixed --out jets-fixed\n"
      "  kanc compile firmware/models/jets/jets-1.1.0 --target overlay --shape 16-10-5 --out jets-overlay\n\n"
      "Exit codes: 0 written, 2 wrong command line, 3 a bundle or model that cannot be built, 5 not "
      "written.");
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace kantrig::compiler
