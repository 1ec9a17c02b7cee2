// kanc train as a user calls it: the program itself, its exit codes and its words.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "support/temporary_folder.hpp"

namespace kantrig {
namespace {

using testing::HasSubstr;

constexpr std::string_view kSpecification = R"(name = "sides"
version = "1.0.0"
classes = ["left", "right"]
features = [{ name = "place", unit = "m" }]
[model]
layers = [1, 2]
bits = [4, 6]
[training]
epochs = 5
batch_size = 16
learning_rate = 0.05
)";

class TrainCommand : public testing::Test {
 protected:
  void SetUp() override {
    write("spec.toml", kSpecification);
    std::ostringstream csv;
    csv << "place,side\n";
    for (int i = 1; i <= 100; ++i) csv << (i % 2 == 0 ? i : -i) << (i % 2 == 0 ? ",right\n" : ",left\n");
    write("events.csv", csv.str());
  }
  void write(const char* name, std::string_view content) const {
    std::ofstream(folder_.path() / name) << content;
  }
  std::string read(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(folder_.path() / name).rdbuf();
    return text.str();
  }
  /// Runs `kanc train <arguments>` in the folder; leaves its words in the files out and err.
  int run(const std::string& arguments) const {
    const std::string command = "cd '" + folder_.path().string() +
                                "' && '" KANTRIG_BINARY_DIR "/bin/kanc' train " + arguments + " > out 2> err";
    return WEXITSTATUS(std::system(command.c_str()));
  }
  test::TemporaryFolder folder_;
};

TEST_F(TrainCommand, WritesABundleAndReportsEveryEpoch) {
  EXPECT_EQ(run("spec.toml --x events.csv --out sides-1.0.0"), 0) << read("err");
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "sides-1.0.0/manifest.json"));
  EXPECT_THAT(read("err"), HasSubstr("epoch    1/5  loss "));
  EXPECT_THAT(read("err"), HasSubstr("epoch    5/5  loss "));
  EXPECT_THAT(read("out"), HasSubstr("bundle sides-1.0.0 written to sides-1.0.0"));
  EXPECT_THAT(read("out"), HasSubstr("accuracy_validation 1.0000"));
}

TEST_F(TrainCommand, AStateOfAnotherSpecificationIsRefused) {
  std::ofstream(folder_.path() / "state") << "";
  EXPECT_EQ(run("spec.toml --x events.csv --out sides-1.0.0 --resume state"), 3);
  EXPECT_THAT(read("err"), HasSubstr("state: belongs to another specification or other data; remove it to begin anew"));
}

TEST_F(TrainCommand, QuietSaysNothing) {
  EXPECT_EQ(run("spec.toml --x events.csv --out sides-1.0.0 --quiet"), 0);
  EXPECT_EQ(read("err"), "");
  EXPECT_EQ(read("out"), "");
}

TEST_F(TrainCommand, TwoRunsGiveTheSameManifest) {
  EXPECT_EQ(run("spec.toml --x events.csv --out a --quiet"), 0);
  EXPECT_EQ(run("spec.toml --x events.csv --out b --quiet"), 0);
  EXPECT_EQ(read("a/manifest.json"), read("b/manifest.json"));
  EXPECT_NE(read("a/manifest.json"), "");
}

TEST_F(TrainCommand, EpochsOnTheCommandLineCountAndAreRecorded) {
  EXPECT_EQ(run("spec.toml --x events.csv --out a --epochs 2"), 0);
  EXPECT_THAT(read("err"), HasSubstr("epoch    2/2"));
  EXPECT_THAT(read("a/manifest.json"), HasSubstr("train --epochs 2"));
}

TEST_F(TrainCommand, RefusesAnExistingFolderUnlessToldToReplace) {
  EXPECT_EQ(run("spec.toml --x events.csv --out a --quiet"), 0);
  EXPECT_EQ(run("spec.toml --x events.csv --out a --quiet"), 5);
  EXPECT_EQ(read("err"), "kanc train: a: exists; give another --out, or --replace\n");
  EXPECT_EQ(run("spec.toml --x events.csv --out a --quiet --replace"), 0) << read("err");
}

TEST_F(TrainCommand, WrongInputExitsWith3AndSaysWhatToDo) {
  EXPECT_EQ(run("missing.toml --x events.csv --out a"), 3);
  EXPECT_THAT(read("err"), HasSubstr("missing.toml"));
  EXPECT_EQ(run("spec.toml --x events.npy --out a"), 3);
  EXPECT_THAT(read("err"), HasSubstr("--y"));
  write("bad.toml", std::string(kSpecification) + "speed = 3\n");
  EXPECT_EQ(run("bad.toml --x events.csv --out a"), 3);
  EXPECT_THAT(read("err"), HasSubstr("bad.toml: training.speed: unknown key"));
  write("nan.csv",
        "place,side\n1,left\nnan,right\n2,right\n3,left\n4,left\n5,left\n6,left\n7,left\n8,left\n9,left\n");
  EXPECT_EQ(run("spec.toml --x nan.csv --out a"), 3);
  EXPECT_THAT(read("err"), HasSubstr("nan.csv"));
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "a"));
}

TEST_F(TrainCommand, AWrongCommandLineExitsWith2) {
  EXPECT_EQ(run("spec.toml --out a"), 2);
  EXPECT_EQ(run("spec.toml --x events.csv --out a --epochs 0"), 2);
}

}  // namespace
}  // namespace kantrig
