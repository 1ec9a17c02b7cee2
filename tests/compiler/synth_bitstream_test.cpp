// kanc bitstream, as its users run it, and the board's serial line in simulation.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <random>
#include <regex>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "compiler/synth_design.hpp"
#include "kan/bundle.hpp"
#include "kan/reference.hpp"
#include "support/command.hpp"
#include "support/temporary_folder.hpp"

namespace kantrig::synth {
namespace {

using test::CommandOutcome;
using testing::HasSubstr;
namespace fs = std::filesystem;

/// Two features of 6 bits, two nodes, one output: two bytes in, one byte out.
kan::Bundle tiny_bundle() {
  std::mt19937 random(7);  // a fixed model
  const auto fill = [&](kan::Layer& layer, std::size_t entries, int limit) {
    while (layer.tables.size() < entries)
      layer.tables.push_back(static_cast<std::int16_t>(
          static_cast<int>(random() % static_cast<unsigned>(2 * limit + 1)) - limit));
  };
  kan::Bundle bundle;
  bundle.name = "tiny";
  bundle.version = "1.0.0";
  bundle.features = {{"x", "mm"}, {"y", "mm"}};
  bundle.classes = {"background", "signal"};
  bundle.model.inputs.assign(2, {.bits = 6});
  kan::Layer first;
  first.input_codes.assign(2, 64);
  first.nodes = {{.low = -8, .high = 7, .edge_begin = 0, .edge_end = 2},
                 {.low = -8, .high = 7, .edge_begin = 2, .edge_end = 4}};
  first.edges = {{0, 0}, {1, 64}, {0, 128}, {1, 192}};
  fill(first, 256, 8);
  kan::Layer second;
  second.input_codes.assign(2, 16);
  second.nodes = {{.low = -64, .high = 63, .edge_begin = 0, .edge_end = 2}};
  second.edges = {{0, 0}, {1, 16}};
  fill(second, 32, 40);
  bundle.model.layers = {first, second};
  bundle.model.output_scales = {1.0};
  bundle.model.codes_only = true;
  for (std::uint16_t v = 0; v < 40; ++v) {
    const std::vector<std::uint16_t> codes{static_cast<std::uint16_t>(v * 13 % 64),
                                           static_cast<std::uint16_t>(v * 29 % 64)};
    const auto outputs = kan::reference_outputs(bundle.model, codes);
    bundle.golden.inputs.insert(bundle.golden.inputs.end(), codes.begin(), codes.end());
    bundle.golden.outputs.insert(bundle.golden.outputs.end(), outputs.begin(), outputs.end());
    ++bundle.golden.count;
  }
  return bundle;
}

class BitstreamCommand : public testing::Test {
 protected:
  static CommandOutcome kanc(const std::string& arguments) {
    return test::run_command(std::string(KANTRIG_BINARY_DIR) + "/bin/kanc " + arguments + " 2>&1");
  }
  void write(const kan::Bundle& bundle, const fs::path& path) const {
    const auto written = kan::write_bundle(bundle, path, kan::Overwrite::kReplace);
    ASSERT_TRUE(written) << written.error().message;
  }
  /// The tiny bundle, compiled for `device`, as `design_`.
  void compile(const std::string& device) {
    write(tiny_bundle(), folder_.path() / "b");
    const CommandOutcome compiled = kanc("compile " + (folder_.path() / "b").string() +
                                         " --target fixed --device " + device + " --out " + design_.string());
    ASSERT_EQ(compiled.exit_code, 0) << compiled.output;
  }
  [[nodiscard]] CommandOutcome bitstream(const std::string& arguments = "") const {
    return kanc("bitstream " + design_.string() + " --board up5k --out " + out_.string() + " " + arguments);
  }

  test::TemporaryFolder folder_;
  fs::path design_ = folder_.path() / "d";
  fs::path out_ = folder_.path() / "out";
};

#define KANTRIG_NEEDS(program) \
  if (!test::has_program(program)) GTEST_SKIP() << program << " is not installed"

TEST_F(BitstreamCommand, GoesFromABundleToABitstreamWithItsFmax) {
  KANTRIG_NEEDS("yosys");
  KANTRIG_NEEDS("nextpnr-ice40");
  KANTRIG_NEEDS("icetime");
  compile("ice40");
  const CommandOutcome made = bitstream("--json");
  ASSERT_EQ(made.exit_code, 0) << made.output;
  std::smatch fmax;
  ASSERT_TRUE(std::regex_search(made.output, fmax, std::regex("\"fmax_icetime_mhz\": ([0-9.]+)")))
      << made.output;
  EXPECT_GT(std::stod(fmax[1]), 12.0) << "the board's clock";
  EXPECT_THAT(made.output, HasSubstr("\"cells_available\": 5280"));
  const std::string bytes = base::read_file(out_ / "kan_board_up5k.bin", 1'000'000).value_or("");
  ASSERT_GT(bytes.size(), 1'000U);
  EXPECT_NE(bytes.find("\x7e\xaa\x99\x7e"), std::string::npos) << "the preamble of an iCE40 bitstream";
  EXPECT_TRUE(fs::exists(out_ / "timing.txt"));
}

TEST_F(BitstreamCommand, RefusesADesignForAnotherFamily) {
  compile("xcup");
  const CommandOutcome outcome = bitstream();
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.output,
              HasSubstr("its design is for xcup, expected ice40: compile it with --device ice40"));
}

TEST_F(BitstreamCommand, TellsByHowMuchADesignDoesNotFit) {
  KANTRIG_NEEDS("yosys");
  kan::Bundle bundle = test::with_design(tiny_bundle(), 4);
  bundle.rtl_files["rtl/published_structure.v"] +=
      "module large (input clk_i, input a, output y);\n"
      "  reg [5999:0] q;\n  always @(posedge clk_i) q <= {q[5998:0], a};\n  assign y = q[5999];\nendmodule\n";
  std::string& datapath = bundle.rtl_files["rtl/kan_datapath.sv"];
  datapath.insert(datapath.rfind("endmodule"),
                  "  wire y;\n  large u_large (.clk_i(clk_i), .a(codes_i[0]), .y(y));\n"
                  "  assign scores_o[0] = y;\n");
  const std::size_t port = datapath.find(".scores_o(scores_o)");
  datapath.replace(port, 19, ".scores_o()");
  bundle.rtl_files["rtl/kan_design_pkg.sv"] =
      "package kan_design_pkg;\n  localparam int unsigned InputWidth = 12;\n"
      "  localparam int unsigned OutputWidth = 7;\n  localparam int unsigned Latency = 5;\nendpackage\n";
  auto design = compiler::design_from_json(bundle.rtl_files.at("rtl/design.json")).value();
  design.files.insert(design.files.begin(), "kan_design_pkg.sv");
  bundle.rtl_files["rtl/design.json"] = compiler::design_to_json(design);
  write(bundle, design_);
  const CommandOutcome outcome = bitstream();
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.output,
              testing::ContainsRegex("the design needs [0-9]+ LUT4 and 6[0-9]+ registers, an iCE40 "
                                     "UP5K has 5280 cells"));
}

/// A host on the serial line: half an event, a pause, then every event; prints what came back.
constexpr const char* kHost = R"(module bench;
  localparam int ClocksPerBit = 8;
  reg clk = 0, rx = 1;
  wire tx, led_n;
  reg [7:0] bytes [0:79];
  reg [7:0] expected [0:39];
  reg [7:0] got;
  integer received = 0, wrong = 0, i;
  kan_board_up5k #(.ClocksPerBit(ClocksPerBit), .PauseWidth(8)) u_board (
    .clk_i(clk), .rx_i(rx), .tx_o(tx), .led_no(led_n));
  always #1 clk = ~clk;
  task send(input [7:0] b);
    integer k;
    begin
      rx = 0; #(2 * ClocksPerBit);
      for (k = 0; k < 8; k = k + 1) begin rx = b[k]; #(2 * ClocksPerBit); end
      rx = 1; #(2 * ClocksPerBit);
    end
  endtask
  always @(negedge tx) begin : listen
    integer k;
    #(3 * ClocksPerBit);
    for (k = 0; k < 8; k = k + 1) begin got[k] = tx; #(2 * ClocksPerBit); end
    if (received >= 40 || got !== expected[received]) wrong = wrong + 1;
    received = received + 1;
  end
  initial begin
    $readmemh("bytes.hex", bytes);
    $readmemh("expected.hex", expected);
    #200 send(8'ha5);
    #2000;
    for (i = 0; i < 40; i = i + 1) begin
      send(bytes[2 * i]);
      send(bytes[2 * i + 1]);
      #400;
    end
    $display("received %0d wrong %0d", received, wrong);
    $finish;
  end
endmodule
)";

TEST_F(BitstreamCommand, TheBoardAnswersEveryEventAndForgetsHalfOfOne) {
  KANTRIG_NEEDS("verilator");
  compile("ice40");
  const kan::Bundle bundle = tiny_bundle();
  std::string bytes;
  for (std::uint32_t v = 0; v < bundle.golden.count; ++v) {
    const unsigned codes =
        bundle.golden.inputs[2 * v] | static_cast<unsigned>(bundle.golden.inputs[2 * v + 1]) << 6U;
    bytes += fmt::format("{:02x}\n{:02x}\n", codes & 255U, codes >> 8U);
  }
  const auto design =
      compiler::design_from_json(base::read_file(design_ / "rtl/design.json", 1'000'000).value_or(""));
  ASSERT_TRUE(design);
  ASSERT_LE(design->output_width, 8U);
  const unsigned mask = (1U << design->output_width) - 1U;
  std::string expected;  // above the score's own bits: 0
  for (const std::int16_t output : bundle.golden.outputs)
    expected += fmt::format("{:02x}\n", static_cast<unsigned>(output) & mask);
  const fs::path rtl = design_ / "rtl";
  ASSERT_TRUE(base::write_file_atomic(rtl / "bytes.hex", bytes));
  ASSERT_TRUE(base::write_file_atomic(rtl / "expected.hex", expected));
  ASSERT_TRUE(base::write_file_atomic(rtl / "bench.sv", kHost));
  const std::string board = std::string(KANTRIG_SOURCE_DIR) + "/firmware/synth/board/";
  const CommandOutcome run = test::run_command(
      "cd " + rtl.string() +
      " && verilator --binary -O1 -CFLAGS -O0 --top-module bench -Wno-fatal -Wno-lint --Mdir obj " +
      "$(cat files.f) " + board + "kan_uart_rx.sv " + board + "kan_uart_tx.sv " + board +
      "kan_board_up5k.sv bench.sv > log 2>&1 && obj/Vbench || tail -20 log");
  EXPECT_THAT(run.output, HasSubstr("received 40 wrong 0"));
}

TEST(BoardSources, PassLintAlone) {
  KANTRIG_NEEDS("verilator");
  for (const char* const module : {"kan_uart_rx", "kan_uart_tx"}) {
    const CommandOutcome lint = test::run_command(fmt::format(
        "verilator --lint-only -Wall {}/firmware/synth/board/{}.sv 2>&1", KANTRIG_SOURCE_DIR, module));
    EXPECT_EQ(lint.exit_code, 0) << lint.output;
  }
}

}  // namespace
}  // namespace kantrig::synth
