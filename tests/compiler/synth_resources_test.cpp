// kanc resources, as its users run it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "base/file.hpp"
#include "compiler/synth_design.hpp"
#include "support/command.hpp"
#include "support/temporary_folder.hpp"
#include "unit/kan/small_bundle.hpp"

namespace kantrig::synth {
namespace {

using test::CommandOutcome;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

class ResourcesCommand : public testing::Test {
 protected:
  CommandOutcome resources(const std::string& arguments, const std::string& before = "") const {
    return test::run_command(before + std::string(KANTRIG_BINARY_DIR) + "/bin/kanc resources " +
                             bundle_.string() + " " + arguments + " 2>&1");
  }
  void write(const kan::Bundle& bundle) const {
    const auto written = kan::write_bundle(bundle, bundle_, kan::Overwrite::kReplace);
    ASSERT_TRUE(written) << written.error().message;
  }
  [[nodiscard]] std::string file(const char* name) const {
    return base::read_file(bundle_ / name, 1'000'000).value_or("");
  }

  test::TemporaryFolder folder_;
  fs::path bundle_ = folder_.path() / "d";
};

#define KANTRIG_NEEDS_YOSYS() \
  if (!test::has_program("yosys")) GTEST_SKIP() << "yosys is not installed"

TEST_F(ResourcesCommand, PrintsDesignAndBaselineAndPutsThemIntoTheReport) {
  KANTRIG_NEEDS_YOSYS();
  write(test::with_design(test::small_bundle(), 4));
  const CommandOutcome json = resources("--json --picture " + (folder_.path() / "area.svg").string());
  ASSERT_EQ(json.exit_code, 0) << json.output;
  for (const char* const key :
       {"\"design\": {", "\"baseline\": {", "\"luts\": ", "\"ffs\": ", "\"carries\": ", "\"levels_max\": ",
        "\"cycles\": 5", "\"ratio\": {", "\"events_per_cycle\": 1"}) {
    EXPECT_THAT(json.output, HasSubstr(key));
  }
  EXPECT_THAT(json.output, HasSubstr("\"name\": \"g\"")) << "area by class name";
  const std::string picture = base::read_file(folder_.path() / "area.svg", 1'000'000).value_or("");
  EXPECT_THAT(picture, testing::StartsWith("<svg "));
  EXPECT_THAT(picture, HasSubstr("layer 1, node g: "));
  EXPECT_THAT(picture, HasSubstr(">published</text>"));
  EXPECT_THAT(file("report.json"), HasSubstr("\"epochs\": 3"));
  EXPECT_THAT(file("report.json"), HasSubstr("\"xcup\""));
  EXPECT_TRUE(kan::load_bundle(bundle_));

  const std::string digest = file("manifest.sha256");
  const CommandOutcome again = resources("");
  EXPECT_EQ(again.exit_code, 0) << again.output;
  EXPECT_THAT(again.output, HasSubstr("published"));
  EXPECT_THAT(again.output, Not(HasSubstr("written into"))) << "the same figures";
  EXPECT_EQ(file("manifest.sha256"), digest);
}

TEST_F(ResourcesCommand, LeavesTheBundleAloneWhenToldSo) {
  KANTRIG_NEEDS_YOSYS();
  write(test::with_design(test::small_bundle(), 2));
  const std::string digest = file("manifest.sha256");
  const fs::path kept = folder_.path() / "kept";
  const CommandOutcome text = resources("--no-report --baseline none --family ice40 --keep " + kept.string());
  ASSERT_EQ(text.exit_code, 0) << text.output;
  EXPECT_THAT(text.output, HasSubstr("fixed, ice40: Yosys"));
  EXPECT_THAT(text.output, Not(HasSubstr("published")));
  EXPECT_EQ(file("manifest.sha256"), digest);
  EXPECT_TRUE(fs::exists(kept / "design.json"));
  EXPECT_TRUE(fs::exists(kept / "design.log"));
}

TEST_F(ResourcesCommand, RefusesADesignWithAnotherLatencyThanItSays) {
  KANTRIG_NEEDS_YOSYS();
  kan::Bundle bundle = test::with_design(test::small_bundle(), 4);
  auto design = compiler::design_from_json(bundle.rtl_files.at("rtl/design.json")).value();
  design.cycles = 4;
  bundle.rtl_files["rtl/design.json"] = compiler::design_to_json(design);
  write(bundle);
  const CommandOutcome outcome = resources("--baseline none");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.output, HasSubstr("kan_datapath: the netlist takes 5 cycles, design.json says 4"));
}

TEST_F(ResourcesCommand, QuotesYosysWhenTheSourceIsWrong) {
  KANTRIG_NEEDS_YOSYS();
  kan::Bundle bundle = test::with_design(test::small_bundle(), 4);
  bundle.rtl_files["rtl/kan_datapath.sv"] = "module kan_datapath (input logic clk_i;\nendmodule\n";
  write(bundle);
  const CommandOutcome outcome = resources("");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.output,
              HasSubstr("kan_datapath: yosys failed with exit code 1: rtl/kan_datapath.sv:1: ERROR"));
}

TEST_F(ResourcesCommand, NamesThePackageWhenYosysIsMissing) {
  write(test::with_design(test::small_bundle(), 4));
  const CommandOutcome outcome = resources("", "PATH=/nonexistent ");
  EXPECT_EQ(outcome.exit_code, 4);
  EXPECT_THAT(outcome.output, HasSubstr("yosys is not installed: it is in the Debian package yosys, which "
                                        "deploy/install-deps.sh --hardware installs"));
}

TEST_F(ResourcesCommand, RefusesADesignForAnotherFamily) {
  kan::Bundle bundle = test::with_design(test::small_bundle(), 4);
  auto design = compiler::design_from_json(bundle.rtl_files.at("rtl/design.json")).value();
  design.device = "xcup";
  bundle.rtl_files["rtl/design.json"] = compiler::design_to_json(design);
  write(bundle);
  const CommandOutcome outcome = resources("--family ice40");
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.output, HasSubstr("its design is for xcup, expected ice40"));
}

TEST_F(ResourcesCommand, TeachesByExample) {
  EXPECT_THAT(resources("--help").output, HasSubstr("Example:\n  kanc resources "));
  const CommandOutcome help =
      test::run_command(std::string(KANTRIG_BINARY_DIR) + "/bin/kanc bitstream --help");
  EXPECT_THAT(help.output, HasSubstr("Example:\n  kanc bitstream "));
}

TEST_F(ResourcesCommand, SaysHowToMakeADesignWhenThereIsNone) {
  write(test::small_bundle());
  const CommandOutcome outcome = resources("");
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.output, HasSubstr("bundle small-1.2.0: has no design"));
  EXPECT_THAT(outcome.output, HasSubstr("kanc compile"));
}

}  // namespace
}  // namespace kantrig::synth
