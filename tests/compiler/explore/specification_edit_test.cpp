// Fields of a specification set to other values.
#include "compiler/explore/specification_edit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace kantrig::explore {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kText = R"(name = "a"
features = [{ name = "x" }, { name = "y", unit = "m" }]
[model]
layers = [2, 1]
bits = [4, 6]
)";

std::string edited(const std::vector<Assignment>& assignments) {
  const auto text = with_assignments(kText, "spec.toml", assignments);
  return text ? *text : "error: " + text.error().message;
}

TEST(SpecificationEdit, ReplacesEntriesOfLists) {
  EXPECT_THAT(edited({{"model.bits[1]", "3"}}), HasSubstr("bits = [ 4, 3 ]"));
}

TEST(SpecificationEdit, AddsKeysAndTablesThatAreNotThere) {
  const std::string text = edited({{"training.seed", "7"}, {"training.learning_rate", "0.5"}});
  EXPECT_THAT(text, HasSubstr("[training]\nlearning_rate = 0.5\nseed = 7"));
}

TEST(SpecificationEdit, ReachesIntoListsOfTables) {
  EXPECT_THAT(edited({{"features[1].unit", "\"GeV\""}}), HasSubstr("name = 'y', unit = 'GeV'"));
}

TEST(SpecificationEdit, ReplacesWholeLists) {
  EXPECT_THAT(edited({{"model.layers", "[2, 8, 1]"}}), HasSubstr("layers = [ 2, 8, 1 ]"));
}

TEST(SpecificationEdit, TheLastAssignmentWins) {
  const std::string text = edited({{"model.bits[0]", "1"}, {"model.bits[0]", "2"}});
  EXPECT_THAT(text, HasSubstr("bits = [ 2, 6 ]"));
}

TEST(SpecificationEdit, SaysAtTheTopWhatWasSet) {
  EXPECT_THAT(edited({{"model.bits[0]", "1"}}), testing::StartsWith("# model.bits[0] = 1\n"));
}

TEST(SpecificationEdit, TheResultIsReadAgainAsTheSame) {
  const std::string once = edited({{"model.bits[0]", "5"}});
  const auto twice = with_assignments(once, "once", std::vector<Assignment>{{"model.bits[0]", "5"}});
  ASSERT_TRUE(twice);
  EXPECT_EQ(once, *twice);
}

TEST(SpecificationEdit, ErrorsNameTheFieldAndWhatIsThere) {
  EXPECT_THAT(edited({{"model.bits[2]", "3"}}),
              HasSubstr("spec.toml: field model.bits[2]: bits has 2 entries"));
  EXPECT_THAT(edited({{"name[0]", "3"}}), HasSubstr("name is not a list"));
  EXPECT_THAT(edited({{"name.first", "3"}}), HasSubstr("name is not a table"));
  EXPECT_THAT(edited({{"model..bits", "3"}}), HasSubstr("expected keys parted by dots"));
  EXPECT_THAT(edited({{"model.bits[x]", "3"}}), HasSubstr("expected keys parted by dots"));
  EXPECT_THAT(edited({{"a", "1 2"}}), HasSubstr("a=1 2: not a value of TOML"));
  EXPECT_THAT(edited({{"a", "1\nb = 2"}}), HasSubstr("expected a value on one line"));
  EXPECT_THAT(with_assignments("a = ", "broken.toml", {}).error().message, HasSubstr("broken.toml: line 1"));
}

}  // namespace
}  // namespace kantrig::explore
