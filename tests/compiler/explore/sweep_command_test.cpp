// kanc sweep as a user calls it: it goes on after it was killed, and failing points stop nobody.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <thread>

#include "support/command.hpp"
#include "support/temporary_folder.hpp"

namespace kantrig {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kSpecification = R"(name = "sides"
version = "1.0.0"
classes = ["left", "right"]
features = [{ name = "place", unit = "m" }]
[model]
layers = [1, 2]
bits = [4, 6]
[training]
epochs = 2
batch_size = 16
learning_rate = 0.05
)";

std::string read(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

bool holds_within(std::chrono::seconds time, const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return condition();
}

class SweepCommand : public testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(folder_.path() / "spec.toml") << kSpecification;
    std::ofstream csv(folder_.path() / "events.csv");
    csv << "place,side\n";
    for (int i = 1; i <= 100; ++i) csv << (i % 2 == 0 ? i : -i) << (i % 2 == 0 ? ",right\n" : ",left\n");
  }
  [[nodiscard]] test::CommandOutcome run(const std::string& arguments) const {
    return test::run_command("cd '" + folder_.path().string() +
                             "' && '" KANTRIG_BINARY_DIR "/bin/kanc' sweep " + arguments + " 2>&1");
  }
  [[nodiscard]] std::vector<fs::path> results() const {
    std::vector<fs::path> found;
    std::error_code error;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path() / "out", error)) {
      if (entry.path().filename() == "result.json") found.push_back(entry.path());
    }
    return found;
  }
  /// Processes that have the folder of this test in their command line.
  [[nodiscard]] int processes() const {
    int count = 0;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator("/proc", error)) {
      if (read(entry.path() / "cmdline").find(folder_.path().string() + "/out") != std::string::npos) ++count;
    }
    return count;
  }
  test::TemporaryFolder folder_;
};

const std::string kRun = "spec.toml --x events.csv --out out ";

TEST_F(SweepCommand, TrainsEveryPointAndLeavesTablesAndPictures) {
  const auto outcome = run(kRun + "--over 'model.bits[0]=2..4' --over 'model.bits[1]=4,5' --jobs 2");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("6/6"));
  EXPECT_THAT(outcome.output,
              HasSubstr("accuracy_validation of model.bits[0] (down) by model.bits[1] (across)"));
  EXPECT_THAT(outcome.output, HasSubstr("sweet spot  model.bits[0]="));
  EXPECT_EQ(results().size(), 6U);
  for (const char* name :
       {"sweep.json", "results.csv", "results.json", "quality.svg", "luts.svg", "pareto_luts.svg"}) {
    EXPECT_TRUE(fs::exists(folder_.path() / "out" / name)) << name;
  }
  const fs::path point = results().front().parent_path();
  for (const char* name : {"spec.toml", "report.json", "log", "bundle/manifest.json"}) {
    EXPECT_TRUE(fs::exists(point / name)) << name;
  }
}

TEST_F(SweepCommand, AgainTrainsNothingAndSaysTheSame) {
  const std::string arguments = kRun + "--over training.seed=1..3";
  ASSERT_EQ(run(arguments).exit_code, 0);
  const auto written = fs::last_write_time(results().front());
  const std::string table = read(folder_.path() / "out/results.csv");
  const auto again = run(arguments);
  EXPECT_EQ(again.exit_code, 0) << again.output;
  EXPECT_THAT(again.output, Not(HasSubstr("/3  ")));
  EXPECT_EQ(written, fs::last_write_time(results().front()));
  EXPECT_EQ(table, read(folder_.path() / "out/results.csv"));
}

TEST_F(SweepCommand, OtherDataAreOtherPoints) {
  const std::string arguments = kRun + "--over training.seed=1..2";
  ASSERT_EQ(run(arguments).exit_code, 0);
  std::ofstream(folder_.path() / "events.csv", std::ios::app) << "7,right\n";
  const auto one = run("--out out --point 0");
  EXPECT_EQ(one.exit_code, 3);
  EXPECT_THAT(one.output, HasSubstr("has changed since the sweep was begun"));
  EXPECT_THAT(run(arguments).output, HasSubstr("2/2  "));
}

TEST_F(SweepCommand, KilledHalfWayItGoesOnWhereItWas) {
  // Long enough that it cannot be through before it is seen and killed.
  const std::string arguments = kRun + "--over training.seed=1..6 --jobs 1 --set training.epochs=4000";
  const pid_t sweep = ::fork();
  if (sweep == 0) {
    if (::chdir(folder_.path().c_str()) != 0) ::_exit(126);
    const std::string command =
        "exec '" KANTRIG_BINARY_DIR "/bin/kanc' sweep " + arguments + " > killed.log 2>&1";
    ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    ::_exit(127);
  }
  ASSERT_TRUE(holds_within(std::chrono::seconds(60), [&] { return !results().empty(); }));
  ::kill(sweep, SIGKILL);
  int status = 0;
  ::waitpid(sweep, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status)) << "it was through already: " << read(folder_.path() / "killed.log");
  ASSERT_TRUE(holds_within(std::chrono::seconds(30), [&] { return processes() == 0; }))
      << "children were left behind";
  const std::size_t before = results().size();
  ASSERT_LT(before, 6U);
  const fs::path first = results().front();
  const auto written = fs::last_write_time(first);

  const auto again = run(arguments);
  EXPECT_EQ(again.exit_code, 0) << again.output;
  EXPECT_THAT(again.output, HasSubstr(std::to_string(before + 1) + "/6  "));
  EXPECT_EQ(results().size(), 6U);
  EXPECT_EQ(written, fs::last_write_time(first)) << "what was done is done";
}

TEST_F(SweepCommand, AFailingPointIsRecordedAndDoesNotStopTheOthers) {
  const auto outcome = run(kRun + "--over 'model.bits[0]=3,99,4'");
  EXPECT_EQ(outcome.exit_code, 1) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("failed: model.bits[0]=99: kanc train: "));
  EXPECT_THAT(outcome.output, HasSubstr("model.bits: expected integers from 1 to"));
  EXPECT_THAT(outcome.output, HasSubstr("sweet spot  model.bits[0]="));
  const auto again = run(kRun + "--over 'model.bits[0]=3,99,4'");
  EXPECT_THAT(again.output, Not(HasSubstr("/3  ")));
  EXPECT_THAT(run(kRun + "--over 'model.bits[0]=3,99,4' --retry-failed").output,
              HasSubstr("3/3  model.bits[0]=99"));
}

TEST_F(SweepCommand, ATrainingThatTakesTooLongHasFailed) {
  std::ofstream csv(folder_.path() / "many.csv");
  csv << "place,side\n";
  for (int i = 0; i < 50'000; ++i) csv << i * 7919 % 1000 << (i % 3 == 0 ? ",left\n" : ",right\n");
  csv.close();
  const auto outcome =
      run("spec.toml --x many.csv --out out --over training.seed=1 --set training.epochs=100000 "
          "--point-seconds 1");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(processes(), 0);
  EXPECT_THAT(read(results().front()), HasSubstr("not done after 1 s"));
}

TEST_F(SweepCommand, CollectShowsWhatThereIs) {
  ASSERT_EQ(run(kRun + "--over training.seed=1..3").exit_code, 0);
  fs::remove(results().front());
  const auto outcome = run("--collect --out out --cost bits");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("1 of 3 points are not trained yet"));
  EXPECT_THAT(outcome.output, HasSubstr("the fewest bits of all points"));
}

TEST_F(SweepCommand, WhatCannotBeSweptIsRefusedBeforeAnythingIsTrained) {
  EXPECT_THAT(run(kRun + "--over model.bit=3").output, HasSubstr("no point of the sweep is possible"));
  EXPECT_THAT(run(kRun + "--over 'model.bits[7]=3'").output, HasSubstr("bits has 2 entries"));
  EXPECT_THAT(run(kRun).output, HasSubstr("expected 1 to 8 of --over FIELD=VALUES"));
  EXPECT_EQ(run("--out out").exit_code, 2);
  EXPECT_EQ(run("--collect --out nowhere").exit_code, 3);
  EXPECT_EQ(run("spec.toml --x nowhere.csv --out out --over a=1").exit_code, 3);
  EXPECT_FALSE(fs::exists(folder_.path() / "out"));
}

TEST_F(SweepCommand, ListsItsPoints) {
  const auto outcome = run(kRun + "--over 'model.bits[0]+model.bits[1]=4,6' --over training.seed=1,2 --list");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.output, HasSubstr("     3  model.bits[0]+model.bits[1]=6 training.seed=2\n"));
  EXPECT_FALSE(fs::exists(folder_.path() / "out"));
}

TEST_F(SweepCommand, CodebookTellsHowFewShapesAreEnough) {
  const std::string kanc = "cd '" + folder_.path().string() + "' && '" KANTRIG_BINARY_DIR "/bin/kanc' ";
  const auto trained = test::run_command(kanc + "train spec.toml --x events.csv --out sides --quiet 2>&1");
  ASSERT_EQ(trained.exit_code, 0) << trained.output;
  const auto outcome = test::run_command(
      kanc + "codebook spec.toml --x events.csv --start sides.kan --shapes 1 --epochs 3 --out out 2>&1");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("1 shapes are enough"));
  for (const char* name : {"codebook.csv", "codebook.json", "accuracy.svg", "shapes.svg", "shapes_1.kan"}) {
    EXPECT_TRUE(fs::exists(folder_.path() / "out" / name)) << name;
  }
  EXPECT_EQ(test::run_command(kanc + "codebook spec.toml --x events.csv --shapes 0 --out out 2>&1").exit_code,
            2);
}

TEST_F(SweepCommand, HelpTeachesTheSyntax) {
  const auto outcome = run("--help");
  EXPECT_EQ(outcome.exit_code, 0);
  for (const char* words : {"model.bits[1]+model.bits[2]=2..8", "0.5..2:0.25", "[16,8,5],[16,10,5]",
                            "at most 10,000", "--slurm"}) {
    EXPECT_THAT(outcome.output, HasSubstr(words));
  }
}

}  // namespace
}  // namespace kantrig
