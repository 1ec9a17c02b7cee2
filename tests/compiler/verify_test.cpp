// kanc verify and kanc simulate, as their users run them, on designs that are right and on designs that are
// not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "compiler/verify/read_design.hpp"
#include "compiler/verify/rtl_builder.hpp"
#include "compiler/verify/tools.hpp"
#include "kan/bundle.hpp"
#include "kan/rtl_library.hpp"
#include "support/command.hpp"
#include "support/plain_design.hpp"
#include "support/rtl_build.hpp"
#include "support/temporary_folder.hpp"

namespace kantrig::compiler {
namespace {

using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

using Outcome = test::CommandOutcome;

Outcome run(const std::string& command) {
  return test::run_command(command + " 2>&1");
}

std::string kanc_program() {
  return std::string(KANTRIG_BINARY_DIR) + "/bin/kanc";
}

class Verify : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::can_simulate()) GTEST_SKIP() << test::kCannotSimulate;
  }

  /// Writes `bundle` with right digests, whatever is in it.
  fs::path write(const kan::Bundle& bundle) {
    const fs::path folder = folder_.path() / ("design-" + std::to_string(count_++));
    const auto written = kan::write_bundle(bundle, folder, kan::Overwrite::kRefuse);
    EXPECT_TRUE(written) << written.error().message;
    return folder;
  }
  Outcome kanc(const std::string& verb, const fs::path& folder, const std::string& more = {}) {
    return run(kanc_program() + " " + verb + " " + folder.string() + " --build-folder " +
               test::rtl_cache().string() + " " + more);
  }
  static kan::Bundle plain() {
    kan::Bundle bundle = test::two_layer_bundle();
    test::add_plain_design(bundle);
    return bundle;
  }
  static void replace(kan::Bundle& bundle, const std::string& file, const std::string& from,
                      const std::string& to) {
    std::string& text = bundle.rtl_files.at("rtl/" + file);
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
  }
  /// Changes one entry of a table in the SystemVerilog by one.
  static void change_entry(kan::Bundle& bundle, std::size_t layer, std::uint32_t edge_index,
                           std::uint32_t node, std::uint32_t code) {
    const kan::Layer& tables = bundle.model.layers[layer];
    const kan::Edge& edge = tables.edges[tables.nodes[node].edge_begin + edge_index];
    const int entry = tables.tables[edge.table_offset + code];
    const std::string place = fmt::format("'d{}: t_{}_{} = 32'(", code, edge.input, node);
    replace(bundle, fmt::format("kan_layer{}.sv", layer), fmt::format("{}{})", place, entry),
            fmt::format("{}{})", place, entry + 1));
  }

  test::TemporaryFolder folder_;
  int count_ = 0;
};

TEST_F(Verify, ADesignThatGivesTheModelsBitsIsEqualInEveryStage) {
  const Outcome outcome = kanc("verify", write(plain()), "--random 5000 --seed 11");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("equal: the design gives the model's bits"));
  EXPECT_THAT(outcome.output, Not(HasSubstr("DIFFER")));
  for (const char* stage : {"golden", "boundary", "input sweeps", "random", "every input",
                            "every code of every edge", "every input of a node"}) {
    EXPECT_THAT(outcome.output, HasSubstr(stage));
  }
}

TEST_F(Verify, AnEntryOffByOneIsNamedThoughEveryDigestIsRight) {
  kan::Bundle bundle = plain();
  change_entry(bundle, 0, /*edge_index=*/1, /*node=*/1, /*code=*/21);  // behind a shift of 2
  change_entry(bundle, 1, /*edge_index=*/0, /*node=*/0, /*code=*/33);
  const fs::path folder = write(bundle);
  ASSERT_TRUE(kan::load_bundle(folder));
  const Outcome text = kanc("verify", folder, "--random 1000");
  EXPECT_EQ(text.exit_code, 1) << text.output;
  EXPECT_THAT(text.output, HasSubstr("layer 0, edge charge -> h1_1 (input 2, node 1), code 21:"));
  EXPECT_THAT(text.output, HasSubstr("layer 1, edge h1_0 -> quark (input 0, node 0), code 33:"));
  EXPECT_THAT(text.output, HasSubstr("NOT EQUAL"));
  const Outcome json = kanc("verify", folder, "--random 1000 --json");
  EXPECT_EQ(json.exit_code, 1);
  EXPECT_THAT(json.output, HasSubstr("\"equal\": false"));
  EXPECT_THAT(json.output, HasSubstr("\"code\": 21"));
  EXPECT_THAT(json.output, HasSubstr("\"input_name\": \"charge\""));
}

TEST_F(Verify, AWrongSumIsNamedByItsNode) {
  kan::Bundle bundle = plain();
  replace(bundle, "kan_layer0.sv", "+ t_1_0", "- t_1_0");
  replace(bundle, "kan_layer1.sv", "sum_1_q <= 32'(2)", "sum_1_q <= 32'(9)");  // the bias
  const Outcome outcome = kanc("verify", write(bundle), "--random 100");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.output, HasSubstr("layer 0, node h1_0 (0):")) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("layer 1, node gluon (1):"));
}

TEST_F(Verify, CodesThatCannotOccurAreNotDriven) {
  kan::Bundle bundle = plain();
  change_entry(bundle, 1, 0, 0, 39);
  auto design = read_design(bundle);
  ASSERT_TRUE(design) << design.error().message;
  design->layers[1].inputs[0].reachable = {{0, 30}, {32, 38}};
  bundle.rtl_files["rtl/design.json"] = design_to_json(*design);
  // Code 39 of the hidden node does occur: kan_datapath differs, but no sweep of the layer may say so.
  const Outcome outcome = kanc("verify", write(bundle), "--random 100");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.output, testing::ContainsRegex("kan_layer1 +every code of every edge.* equal"));
  EXPECT_THAT(outcome.output, testing::ContainsRegex("kan_layer1 +random .* equal"));
  EXPECT_THAT(outcome.output, testing::ContainsRegex("kan_datapath +every input .*DIFFER"));
}

TEST_F(Verify, ALatencyThatIsNotThePackagesIsRefused) {
  kan::Bundle bundle = plain();
  auto design = read_design(bundle);
  ASSERT_TRUE(design);
  ++design->cycles;
  bundle.rtl_files["rtl/design.json"] = design_to_json(*design);
  const Outcome outcome = kanc("verify", write(bundle));
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.output, HasSubstr("kan_design_pkg::Latency is not what design.json says"));
}

TEST_F(Verify, ADesignOfAnotherModelIsRefused) {
  kan::Bundle bundle = plain();
  ++bundle.model.layers[0].nodes[0].bias;
  const auto design = read_design(bundle);
  ASSERT_FALSE(design);
  EXPECT_THAT(design.error().message, HasSubstr("rtl/design.json: is of model"));
  bundle.rtl_files.clear();
  EXPECT_THAT(read_design(bundle).error().message, HasSubstr("kanc compile makes one"));
}

TEST_F(Verify, WhatKancCompilesForXilinxAndForAnyDeviceIsEqual) {
  const fs::path bundle = write(test::two_layer_bundle());
  for (const std::string device : {"xcup", "generic"}) {
    const fs::path design = folder_.path() / device;
    const Outcome compiled = run(kanc_program() + " compile " + bundle.string() +
                                 " --target fixed  --device " + device + " --out " + design.string());
    ASSERT_EQ(compiled.exit_code, 0) << compiled.output;
    const Outcome outcome = kanc("verify", design, "--random 2000");
    EXPECT_EQ(outcome.exit_code, 0) << device << ": " << outcome.output;
  }
}

TEST_F(Verify, YosysProvesATableAndRefutesAWrongOneWithEdgeAndCode) {
  if (!find_tool("yosys", "yosys")) GTEST_SKIP() << "yosys: " << test::kCannotSimulate;
  const fs::path design = folder_.path() / "xcup";
  const Outcome compiled = run(kanc_program() + " compile " + write(test::two_layer_bundle()).string() +
                               " --device xcup  --out " + design.string());
  ASSERT_EQ(compiled.exit_code, 0) << compiled.output;
  const Outcome right = kanc("verify", design, "--random 100 --prove");
  EXPECT_EQ(right.exit_code, 0) << right.output;
  EXPECT_THAT(right.output, HasSubstr("yosys: 5 of 5 nodes proved"));
  kan::Bundle bundle = plain();
  change_entry(bundle, 0, /*edge_index=*/1, /*node=*/0, /*code=*/6);
  const Outcome wrong = kanc("verify", write(bundle), "--random 100 --prove");
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.output, HasSubstr("yosys: 4 of 5 nodes proved"));
  EXPECT_THAT(wrong.output,
              HasSubstr("yosys: refuted: layer 0, edge width -> h1_0 (input 1, node 0), code 6,"));
}

TEST_F(Verify, AnAssertionOfTheDesignEndsTheSimulationAndNotTheProgram) {
  kan::Bundle bundle = plain();
  replace(bundle, "kan_layer0.sv", "endmodule",
          "  always_ff @(posedge clk_i) if (codes_i[3:0] == 4'd9) $fatal(1, \"nine\");\nendmodule");
  const Outcome outcome = kanc("verify", write(bundle));
  EXPECT_EQ(outcome.exit_code, 3) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("the simulation was stopped by an assertion of the design"));
}

TEST_F(Verify, TheSecondBuildComesFromTheCacheWhichIsBounded) {
  const fs::path cache = folder_.path() / "cache";
  fs::create_directories(cache);
  for (int i = 0; i < 40; ++i) std::ofstream(cache / (std::to_string(i) + ".so")) << "old";
  const kan::Bundle bundle = plain();
  const auto design = read_design(bundle);
  ASSERT_TRUE(design);
  int builds = 0;
  const RtlBuildOptions options{.cache = cache, .keep = {}, .progress = [&](std::string_view what) {
                                  builds += what == "verilator" ? 1 : 0;
                                }};
  const auto first = build_rtl_library(bundle, *design, options);
  ASSERT_TRUE(first) << first.error().message;
  const auto second = build_rtl_library(bundle, *design, options);
  ASSERT_TRUE(second);
  EXPECT_EQ(*first, *second);
  EXPECT_EQ(builds, 1);
  const auto files = std::distance(fs::directory_iterator(cache), fs::directory_iterator());
  EXPECT_EQ(static_cast<std::size_t>(files), kLibrariesKept) << "nothing else is left there";
}

TEST_F(Verify, SimulateWritesALibraryUnderTheModelsDigest) {
  const kan::Bundle bundle = plain();
  const Outcome outcome = kanc("simulate", write(bundle), "--out " + folder_.path().string());
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  const std::string digest = read_design(bundle)->model_digest;
  const auto library = kan::RtlLibrary::open(folder_.path() / (digest + ".so"));
  ASSERT_TRUE(library) << library.error().message;
  EXPECT_EQ((*library)->model_digest(), digest);
  EXPECT_EQ((*library)->bundle(), "two-1.0.0");
  EXPECT_EQ((*library)->bank_count(), 0U) << "its tables are logic";
  ASSERT_EQ((*library)->units().size(), 1U) << "the daemon needs the whole only";
  EXPECT_STREQ((*library)->units()[0].module, "kan_datapath");
  EXPECT_EQ((*library)->units()[0].cycles, 4U);
}

TEST_F(Verify, AMissingToolIsNamedWithItsPackage) {
  const fs::path design = write(plain());
  const Outcome outcome = run("PATH=/nowhere " + kanc_program() + " verify " + design.string() +
                              " --build-folder " + folder_.path().string());
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.output,
              HasSubstr("verilator: not found on the PATH; expected Debian's package verilator "
                        "(deploy/install-deps.sh --hardware)"));
}

TEST_F(Verify, BothCommandsTeachByExample) {
  for (const std::string verb : {"verify", "simulate"}) {
    const Outcome help = run(kanc_program() + " " + verb + " --help");
    EXPECT_EQ(help.exit_code, 0);
    EXPECT_THAT(help.output, HasSubstr("Example:\n  kanc " + verb));
    EXPECT_THAT(help.output, HasSubstr("Exit codes: 0"));
  }
}

}  // namespace
}  // namespace kantrig::compiler
