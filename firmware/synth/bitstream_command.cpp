// kanc bitstream
#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <filesystem>
#include <memory>
#include <string>

#include "base/exit_code.hpp"
#include "compiler/commands.hpp"
#include "compiler/report.hpp"
#include "kan/bundle.hpp"
#include "synth/bitstream.hpp"
#include "synth/resources.hpp"

namespace kantrig::compiler {
namespace {

struct Arguments {
  std::filesystem::path folder;
  std::string board = "up5k";
  synth::BitstreamOptions options;
  bool json = false;
};

void print(const synth::Bitstream& made, const HardwareDesign& design, const Arguments& arguments) {
  fmt::print("{} as {}\n", design.bundle, (arguments.options.out / made.file).string());
  fmt::print("  bitstream {} bytes, for an iCE40 UP5K in SG48\n", made.bytes);
  fmt::print("  cells     {} of {} ({:.0f} %): {} LUT4, {} registers, serial line included\n", made.cells,
             synth::kUp5kCells, 100.0 * made.cells / synth::kUp5kCells, made.luts, made.ffs);
  fmt::print("  Fmax      {:.1f} MHz by icetime, {:.1f} MHz by nextpnr; the board's clock is 12 MHz\n",
             made.fmax_icetime_mhz, made.fmax_nextpnr_mhz);
  fmt::print("  event     {} bytes in, {} bytes out, 115200 baud 8N1, lowest byte first\n",
             (design.input_width + 7) / 8, (design.output_width + 7) / 8);
  fmt::print("next: iceprog {}\n", (arguments.options.out / made.file).string());
}

int run(const Arguments& arguments) {
  const auto bundle = kan::load_bundle(arguments.folder);
  if (!bundle) return report_failure(bundle.error(), base::kExitInput);
  const auto design = synth::design_of(*bundle);
  if (!design) return report_failure(design.error(), base::kExitInput);
  const auto made = synth::make_bitstream(*bundle, *design, arguments.options);
  if (!made) {
    const bool missing = made.error().code == ErrorCode::kNotFound;
    return report_failure(made.error(), missing ? base::kExitUnavailable : base::kExitFailed);
  }
  if (arguments.json) {
    fmt::print("{}", synth::bitstream_to_json(*made, *design));
  } else {
    print(*made, *design, arguments);
  }
  return base::kExitOk;
}

}  // namespace

void add_bitstream_command(CLI::App& app, int& exit_code) {
  CLI::App* const bitstream =
      app.add_subcommand("bitstream", "Make a bitstream for an iCE40 board by open tools alone");
  const auto arguments = std::make_shared<Arguments>();
  bitstream->add_option("bundle", arguments->folder, "A bundle compiled with --device ice40")->required();
  bitstream->add_option("--board", arguments->board, "Board: up5k, an iCE40 UP5K in SG48")
      ->check(CLI::IsMember({"up5k"}))
      ->capture_default_str();
  bitstream->add_option("--out", arguments->options.out, "Folder for the bitstream, reports and logs")
      ->required();
  bitstream->add_option(
      "--pins", arguments->options.pins,
      "Pins of another board, as .pcf: clk_i, rx_i, tx_o, led_no (default: the iCEBreaker's)");
  bitstream->add_option("--seed", arguments->options.seed, "Seed of the placer")->capture_default_str();
  bitstream->add_flag("--json", arguments->json, "Print JSON");
  bitstream->footer(
      "The board answers events over its serial line, one at a time: codes in, scores out, as design.json "
      "packs\n"
      "them. Uses yosys, nextpnr-ice40, icetime and icepack.\n\n"
      "Example:\n"
      "  kanc bitstream moons-ice40 --board up5k --out moons-up5k\n\n"
      "Exit codes: 0 done, 1 it does not fit or a tool failed, 2 wrong command line, 3 wrong or missing "
      "bundle,\n"
      "4 a tool is not installed.");
  bitstream->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace kantrig::compiler
