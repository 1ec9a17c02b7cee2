#include "base/event_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.hpp"
#include "support/temporary_folder.hpp"

namespace kantrig::base {
namespace {

using testing::ElementsAre;

const std::vector<std::string> kClasses{"g", "q", "1"};

TEST(EventFiles, ALabelIsTheClassOfThatNameBeforeItIsAnIndex) {
  const auto indices = class_indices(std::vector<std::string>{"q", "g", "0", "1", "2"}, kClasses, "y.csv");
  ASSERT_TRUE(indices) << indices.error().message;
  EXPECT_THAT(*indices, ElementsAre(1, 0, 0, 2, 2));
}

TEST(EventFiles, ALabelOfNoClassIsRefusedWithItsRow) {
  const auto indices = class_indices(std::vector<std::string>{"q", "t"}, kClasses, "y.csv");
  ASSERT_FALSE(indices);
  EXPECT_EQ(indices.error().message, "y.csv row 2: label is 't', expected a class name or 0 to 2");
  EXPECT_FALSE(class_indices(std::vector<std::string>{"3"}, kClasses, "y.csv"));
  EXPECT_FALSE(class_indices(std::vector<std::string>{"-1"}, kClasses, "y.csv"));
}

TEST(EventFiles, FeaturesAndLabelsComeFromOneCsv) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "jets.csv";
  ASSERT_TRUE(write_file_atomic(path, "mass,class\n80.4,q\n91.2,g\n"));
  const auto features = read_features(path, "");
  ASSERT_TRUE(features) << features.error().message;
  EXPECT_THAT(features->values, ElementsAre(80.4F, 91.2F));
  const auto labels = read_labels(path, "class", kClasses);
  ASSERT_TRUE(labels) << labels.error().message;
  EXPECT_THAT(*labels, ElementsAre(1, 0));
}

TEST(EventFiles, AnotherEndingIsRefused) {
  const auto features = read_features("jets.root", std::nullopt);
  ASSERT_FALSE(features);
  EXPECT_EQ(features.error().message, "jets.root: expected a file that ends in .npy or .csv");
}

}  // namespace
}  // namespace kantrig::base
