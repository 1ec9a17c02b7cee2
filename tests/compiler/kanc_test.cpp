// The program kanc, as its users run it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "base/file.hpp"
#include "support/command.hpp"
#include "support/temporary_folder.hpp"
#include "unit/kan/small_bundle.hpp"

namespace kantrig::compiler {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

using Outcome = test::CommandOutcome;

Outcome kanc(const std::string& arguments) {
  return test::run_command(std::string(KANTRIG_BINARY_DIR) + "/bin/kanc " + arguments + " 2>&1");
}

class Kanc : public testing::Test {
 protected:
  Kanc() { EXPECT_TRUE(kan::write_bundle(test::small_bundle(), bundle_, kan::Overwrite::kRefuse)); }
  void write(const fs::path& path, const std::string& text) {
    ASSERT_TRUE(base::write_file_atomic(path, text));
  }

  test::TemporaryFolder folder_;
  fs::path bundle_ = folder_.path() / "b";
};

TEST_F(Kanc, EverySubcommandTeachesByExample) {
  for (const std::string verb : {"import kanele", "import checkpoint", "import torch", "import pykan",
                                 "export onnx", "inspect", "evaluate", "keygen", "sign", "registers",
                                 "compile", "tables", "verify", "simulate", "resources", "bitstream"}) {
    const Outcome help = kanc(verb + " --help");
    EXPECT_EQ(help.exit_code, 0) << verb;
    EXPECT_THAT(help.output, HasSubstr("Example:\n  kanc " + verb)) << verb;
    EXPECT_THAT(help.output, HasSubstr("Exit codes: 0")) << verb;
  }
}

TEST_F(Kanc, AWrongCommandLineExitsWithTwo) {
  EXPECT_EQ(kanc("").exit_code, 2);
  EXPECT_EQ(kanc("melt").exit_code, 2);
  EXPECT_EQ(kanc("inspect").exit_code, 2);
}

TEST_F(Kanc, InspectShowsWhatIsInABundle) {
  const Outcome shown = kanc("inspect " + bundle_.string());
  EXPECT_EQ(shown.exit_code, 0);
  EXPECT_THAT(shown.output, HasSubstr("bundle    small-1.2.0\n"));
  EXPECT_THAT(shown.output, HasSubstr("mass [GeV]"));
  EXPECT_THAT(shown.output, HasSubstr("0: 2 -> 2, 3 active edges of 4"));
  EXPECT_THAT(shown.output, HasSubstr("accuracy_validation = 0.75"));
  const Outcome json = kanc("inspect --json " + bundle_.string());
  EXPECT_THAT(json.output, HasSubstr("\"codes_only\": false"));
  EXPECT_THAT(json.output, HasSubstr("\"table_bytes\": 24"));
}

TEST_F(Kanc, ABundleWithAFlippedBitExitsWithThreeAndIsNamed) {
  std::string model = base::read_file(bundle_ / "model.pb", 10'000).value();
  model[20] = static_cast<char>(model[20] ^ 4);
  write(bundle_ / "model.pb", model);
  const Outcome shown = kanc("inspect " + bundle_.string());
  EXPECT_EQ(shown.exit_code, 3);
  EXPECT_THAT(shown.output, HasSubstr("kanc: error: bundle b: model.pb: has sha256"));
}

TEST_F(Kanc, EvaluateReadsFeaturesByNameAndClassesFromOneCsv) {
  const fs::path csv = folder_.path() / "jets.csv";
  write(csv, "multiplicity,mass,class\n8,0.7,z\n100,100,z\n");
  const Outcome json =
      kanc("evaluate " + bundle_.string() + " --x " + csv.string() + " --y " + csv.string() + " --json");
  EXPECT_EQ(json.exit_code, 0) << json.output;
  EXPECT_THAT(json.output, HasSubstr("\"events\": 2"));
  EXPECT_THAT(json.output, HasSubstr("\"auc_score\": \"softmax\""));
  const Outcome missing = kanc("evaluate " + bundle_.string() + " --x nowhere.npy --y " + csv.string());
  EXPECT_EQ(missing.exit_code, 3);
  EXPECT_THAT(missing.output, HasSubstr("nowhere.npy: cannot open"));
}

TEST_F(Kanc, KeygenAndSignMakeABundleThatAPolicyAccepts) {
  const std::string keys = (folder_.path() / "release").string();
  EXPECT_EQ(kanc("keygen --out " + keys).exit_code, 0);
  EXPECT_EQ(kanc("keygen --out " + keys).exit_code, 5);
  EXPECT_EQ(kanc("sign " + bundle_.string() + " --key " + keys + ".key").exit_code, 0);
  EXPECT_TRUE(kan::load_bundle(bundle_, {.required = true, .public_keys = keys + ".pub"}));
  EXPECT_EQ(kanc("sign " + bundle_.string() + " --key nowhere").exit_code, 3);
}

TEST_F(Kanc, ImportWarnsOfEntriesOutOfRangeAndReplacesOnlyWhenAsked) {
  const fs::path published = folder_.path() / "tiny";
  fs::create_directory(published);
  write(published / "config.json", R"({"layers": [1, 1], "layers_bitwidth": [1, 2]})");
  write(published / "truth_tables.json", R"({"0_0_0": {"acive": 1, "values_int": [-3, 1]}})");
  const std::string command =
      "import kanele " + published.string() + " --out " + (folder_.path() / "t").string();
  const Outcome imported = kanc(command);
  EXPECT_EQ(imported.exit_code, 0) << imported.output;
  EXPECT_THAT(imported.output, HasSubstr("warning: 1 entries out of range"));
  EXPECT_THAT(imported.output, HasSubstr("as bundle tiny-1.0.0"));
  EXPECT_THAT(imported.output, HasSubstr("codes only"));
  EXPECT_EQ(kanc(command).exit_code, 5);
  EXPECT_EQ(kanc(command + " --replace").exit_code, 0);
  EXPECT_EQ(kanc("import kanele nowhere --out " + (folder_.path() / "n").string()).exit_code, 3);
}

}  // namespace
}  // namespace kantrig::compiler
