#include "compiler/train/package.hpp"

#include "base/digest.hpp"
#include "base/file.hpp"
#include "compiler/train/data_files.hpp"
#include "kan/reference.hpp"

#include "compiler/train_problems.hpp"
#include "support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <numeric>
#include <string>

namespace kantrig::train {
namespace {

using testing::HasSubstr;

kan::Bundle moons_bundle(std::uint64_t seed) {
  Specification specification = test::moons_specification();
  specification.training.epochs = 4;
  specification.training.seed = seed;
  const Dataset data = test::two_moons(1000);
  auto training = train(specification, data, {});
  auto bundle = make_bundle(specification, data, *training, base::sha256("specification").hex());
  EXPECT_TRUE(bundle) << (bundle ? "" : bundle.error().message);
  return std::move(*bundle);
}

/// Every file below `folder` with its content.
std::map<std::string, std::string> files_of(const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    files[std::filesystem::relative(entry.path(), folder).string()] =
        *base::read_file(entry.path(), 1U << 26U);
  }
  return files;
}

double metric(const kan::Bundle& bundle, std::string_view name) {
  for (const kan::Metric& one : bundle.metrics) {
    if (one.name == name) return one.value;
  }
  ADD_FAILURE() << "no metric " << name;
  return -1.0;
}

TEST(Package, GoldenVectorsCoverEventsCornersAndRandomCodesAndHold) {
  const kan::Bundle bundle = moons_bundle(1);
  const std::size_t inputs = bundle.features.size();
  EXPECT_EQ(bundle.golden.count, 256U + 2U + 2U * inputs + 256U);
  ASSERT_EQ(bundle.golden.inputs.size(), bundle.golden.count * inputs);
  for (std::uint32_t v = 0; v < bundle.golden.count; ++v) {
    const auto outputs =
        kan::reference_outputs(bundle.model, std::span(bundle.golden.inputs).subspan(v * inputs, inputs));
    for (std::size_t k = 0; k < outputs.size(); ++k)
      ASSERT_EQ(bundle.golden.outputs[v * outputs.size() + k], outputs[k]);
  }
  EXPECT_EQ(bundle.golden.inputs[256 * inputs], 0);
  EXPECT_EQ(bundle.golden.inputs[257 * inputs], 63);
}

TEST(Package, HistogramsCountEveryTrainingEvent) {
  const kan::Bundle bundle = moons_bundle(1);
  ASSERT_EQ(bundle.reference.features.size(), 2U);
  ASSERT_EQ(bundle.reference.scores.size(), 2U);
  EXPECT_EQ(bundle.reference.scores[1].name, "lower");
  for (const auto* histograms : {&bundle.reference.features, &bundle.reference.scores}) {
    for (const kan::Histogram& one : *histograms) {
      EXPECT_EQ(std::accumulate(one.counts.begin(), one.counts.end(), std::uint64_t{0}), 1000U) << one.name;
    }
  }
  EXPECT_EQ(bundle.reference.features[0].counts.size(), 64U);
  EXPECT_EQ(bundle.reference.scores[0].first, -64);
  EXPECT_EQ(bundle.reference.scores[0].counts.size(), 128U);
}

TEST(Package, SaysWhereItComesFromAndHowGoodItIs) {
  const kan::Bundle bundle = moons_bundle(7);
  EXPECT_THAT(bundle.provenance.tool, testing::StartsWith("kanc "));
  EXPECT_EQ(bundle.provenance.command, "train");
  EXPECT_EQ(bundle.provenance.source, "moons");
  EXPECT_EQ(bundle.provenance.seed, 7U);
  EXPECT_EQ(bundle.provenance.specification_sha256, base::sha256("specification").hex());
  EXPECT_GT(metric(bundle, "accuracy_validation"), 0.8);
  EXPECT_GT(metric(bundle, "accuracy_train"), 0.8);
  EXPECT_GT(metric(bundle, "auc_upper"), 0.9);
  EXPECT_THAT(bundle.report_json, HasSubstr("\"bundle\": \"moons-0.1.0\""));
  EXPECT_THAT(bundle.report_json, HasSubstr("\"epoch\": 4"));
}

TEST(Package, TheSameSeedGivesTheSameBytesTwice) {
  const test::TemporaryFolder folder;
  const auto write = [&](const char* name, std::uint64_t seed) {
    const auto path = folder.path() / name;
    const auto digest = kan::write_bundle(moons_bundle(seed), path, kan::Overwrite::kRefuse);
    EXPECT_TRUE(digest) << (digest ? "" : digest.error().message);
    return files_of(path);
  };
  const auto first = write("first", 1);
  EXPECT_GE(first.size(), 4U);
  EXPECT_EQ(write("second", 1), first);
  EXPECT_NE(write("third", 2), first);
}

TEST(Package, TheWrittenBundleLoads) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "moons-0.1.0";
  ASSERT_TRUE(kan::write_bundle(moons_bundle(1), path, kan::Overwrite::kRefuse));
  const auto loaded = kan::load_bundle(path);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->full_name(), "moons-0.1.0");
  EXPECT_EQ(loaded->features[1].unit, "m");
}

class DataFilesTest : public testing::Test {
 protected:
  std::filesystem::path file(const char* name, std::string_view content) const {
    std::ofstream(folder_.path() / name) << content;
    return folder_.path() / name;
  }
  std::string error_of(const DataFiles& files) const {
    const auto data = read_dataset(test::moons_specification(), files);
    return data ? "" : data.error().message;
  }
  test::TemporaryFolder folder_;
};

TEST_F(DataFilesTest, ReadsFeaturesAndNamedClassesFromOneCsv) {
  const auto csv = file("events.csv", "x,y,kind\n0.5,1,upper\n-1,2.5,lower\n");
  const auto data = read_dataset(test::moons_specification(), {.x = csv, .y = {}, .class_column = {}});
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_THAT(data->values, testing::ElementsAre(0.5F, 1.0F, -1.0F, 2.5F));
  EXPECT_THAT(data->classes, testing::ElementsAre(0, 1));
  EXPECT_EQ(data->name, "events.csv");
  EXPECT_EQ(data->sha256, base::sha256("x,y,kind\n0.5,1,upper\n-1,2.5,lower\n").hex());
}

TEST_F(DataFilesTest, FindsTheClassColumnByItsName) {
  const auto csv = file("events.csv", "kind,x,y\nlower,0.5,1\n");
  const auto data = read_dataset(test::moons_specification(), {.x = csv, .y = {}, .class_column = "kind"});
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_THAT(data->values, testing::ElementsAre(0.5F, 1.0F));
  EXPECT_THAT(data->classes, testing::ElementsAre(1));
}

TEST_F(DataFilesTest, RefusesColumnsThatAreNotTheFeatures) {
  const auto swapped = file("swapped.csv", "y,x,kind\n0.5,1,upper\n");
  EXPECT_THAT(error_of({.x = swapped, .y = {}, .class_column = {}}),
              HasSubstr("column 1 is 'y', expected 'x'"));
  const auto few = file("few.csv", "x,kind\n0.5,upper\n");
  EXPECT_THAT(error_of({.x = few, .y = {}, .class_column = {}}),
              HasSubstr("has 1 feature columns, expected 2"));
}

TEST_F(DataFilesTest, RefusesClassesThatDoNotFit) {
  const auto x = file("x.csv", "x,y\n0.5,1\n0.5,2\n");
  EXPECT_THAT(error_of({.x = x, .y = file("y.csv", "kind\nupper\n"), .class_column = {}}),
              HasSubstr("has 1 classes for the 2 rows"));
  EXPECT_NE(error_of({.x = x, .y = file("y.csv", "kind\nupper\nsideways\n"), .class_column = {}}), "");
  EXPECT_NE(error_of({.x = x, .y = file("y.csv", "kind\n0\n2\n"), .class_column = {}}), "");
}

TEST_F(DataFilesTest, AsksForTheClassesOfAnNpyFile) {
  EXPECT_THAT(error_of({.x = folder_.path() / "x.npy", .y = {}, .class_column = {}}), HasSubstr("by --y"));
}

}  // namespace
}  // namespace kantrig::train
