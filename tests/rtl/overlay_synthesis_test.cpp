// The overlay's sources under the open tools: clean alone, and mapped to the memory they are meant for.

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <regex>
#include <string>

#include "compiler/hardware/overlay.hpp"
#include "rtl/overlay_bench.hpp"
#include "unit/kan/small_bundle.hpp"

namespace kantrig::test {
namespace {

using compiler::CompiledDesign;
using compiler::OverlayOptions;

CompiledDesign overlay(const OverlayOptions& options) {
  auto compiled = compiler::compile_overlay(small_bundle(), options);
  EXPECT_TRUE(compiled.has_value()) << compiled.error().message;
  return *compiled;
}

TEST(OverlaySources, EveryModulePassesTheLintAlone) {
  if (!has_program("verilator")) GTEST_SKIP() << "verilator is not installed";
  for (const OverlayOptions& options :
       {OverlayOptions{.device = "generic"},
        OverlayOptions{.sizes = "9-7-6", .code_bits = {7, 3}, .entry_bits = {9, 11}, .device = "generic"},
        OverlayOptions{.sizes = "2-2-3",
        .entry_bits = {16},
        .sum_bits = {32},
        .shift_max = {30},
        .output_bits = 16,
        .device = "generic"}}) {
    const CompiledDesign design = overlay(options);
    const TemporaryFolder folder;
    write_design(design, folder.path());
    for (const std::string& file : design.design.files) {
      const bool package = file == "kan_design_pkg.sv";  // has no module of its own
      const CommandOutcome lint =
          run_tool(fmt::format("verilator --lint-only -Wall -y {0} {0}/{1} {2}", folder.path().string(), file,
                               package ? folder.path().string() + "/kan_datapath.sv" : ""));
      EXPECT_EQ(lint.exit_code, 0) << file << ": " << lint.output;
    }
  }
}

/// What yosys says of a design mapped to UltraScale+ cells.
std::string statistics(const CompiledDesign& design) {
  const TemporaryFolder folder;
  write_design(design, folder.path());
  const CommandOutcome run = run_tool(fmt::format(
      "yosys -q -p 'read_verilog -sv {}; synth_xilinx -family xcup -top kan_datapath -flatten -noiopad "
      "-noclkbuf; tee -q -o {}/stat stat' && cat {}/stat",
      file_list(design, folder.path()), folder.path().string(), folder.path().string()));
  EXPECT_EQ(run.exit_code, 0) << run.output;
  return run.output;
}

/// Lines are "     FDRE                         2428".
int cells(const std::string& text, const std::string& type) {
  std::smatch found;
  return std::regex_search(text, found, std::regex("\\n +" + type + " +([0-9]+)\\n")) ? std::stoi(found[1])
                                                                                      : 0;
}

TEST(OverlaySynthesis, TheAdderMadeOfLutsEqualsThePlainOne) {
  if (!has_program("yosys")) GTEST_SKIP() << "yosys is not installed";
  const std::string rtl = std::string(KANTRIG_SOURCE_DIR) + "/firmware/rtl";
  for (const char* const widths : {"-set TermWidth 6 -set SumWidth 7", "-set TermWidth 5 -set SumWidth 5",
                                   "-set TermWidth 3 -set SumWidth 6"}) {
    const CommandOutcome run = run_tool(
        fmt::format("yosys -q -p 'read_verilog -sv {0}/generic/kan_overlay_add.sv; chparam {1} "
                    "kan_overlay_add; prep -flatten -top "
                    "kan_overlay_add; rename -top plain; design -stash plain; read_verilog -sv "
                    "{0}/xilinx/kan_overlay_add.sv "
                    "{0}/generic/kan_lut_pair.sv {0}/generic/kan_carry_chain.sv; chparam {1} "
                    "kan_overlay_add; prep -flatten -top "
                    "kan_overlay_add; rename -top luts; design -copy-from plain plain; miter -equiv -flatten "
                    "-make_outputs plain "
                    "luts both; sat -verify -seq 2 -prove-skip 1 -set-def-inputs -prove trigger 0 both'",
                    rtl, widths));
    EXPECT_EQ(run.exit_code, 0) << widths << run.output;
  }
}

TEST(OverlaySynthesis, PutsTheTablesOfBothBanksIntoLutramAndNoneIntoRegisters) {
  if (!has_program("yosys")) GTEST_SKIP() << "yosys is not installed";
  // 4 x 4 tables of 32 entries and 4 x 3 of 16, in two banks. Three tables of 9 bits share a word of up to 27
  // bits, which RAM64M8 takes by 7 bits and RAM32M16 by 14.
  const std::string text =
      statistics(overlay({.sizes = "4-4-3", .code_bits = {5, 4}, .entry_bits = {9}, .output_bits = 8}));
  EXPECT_EQ(cells(text, "RAM64M8"), 4 * (4 + 2)) << text;
  EXPECT_EQ(cells(text, "RAM32M16"), 4 * 2) << text;
  const int registers = cells(text, "FDRE") + cells(text, "FDSE") + cells(text, "FDCE") + cells(text, "FDPE");
  EXPECT_GT(registers, 0);
  EXPECT_LT(registers, 2 * 4 * 4 * 32)
      << text;  // of 2 x 4 x 4 x 32 x 9 bits in the first layer's tables alone
}

TEST(OverlaySynthesis, GivesEachBankOfSixBitCodesItsOwnLutram) {
  if (!has_program("yosys")) GTEST_SKIP() << "yosys is not installed";
  // Words of 2 x 9 and 3 x 9 bits, 3 and 4 of RAM64M8, for 2 inputs and 2 banks each.
  const std::string text = statistics(overlay({.sizes = "2-2-3", .code_bits = {6}, .entry_bits = {9}}));
  EXPECT_EQ(cells(text, "RAM64M8"), 2 * 2 * (3 + 4)) << text;
}

}  // namespace
}  // namespace kantrig::test
