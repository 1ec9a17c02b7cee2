#include "kan/feature_columns.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/kan/small_bundle.hpp"

namespace kantrig::kan {
namespace {

using testing::ElementsAre;

TEST(FeatureColumns, AreFoundByNameAndOthersLeftOut) {
  const base::FeatureTable table{2, 3, {1, 2, 3, 4, 5, 6}, {"multiplicity", "pt", "mass"}};
  const auto arranged = arrange_columns(table, test::small_bundle(), "x.csv");
  ASSERT_TRUE(arranged) << arranged.error().message;
  EXPECT_THAT(arranged->values, ElementsAre(3, 1, 6, 4));
  EXPECT_THAT(arranged->column_names, ElementsAre("mass", "multiplicity"));
}

TEST(FeatureColumns, WithoutNamesTheyAreTakenByPosition) {
  const auto arranged = arrange_columns({1, 2, {1, 2}, {}}, test::small_bundle(), "x.npy");
  ASSERT_TRUE(arranged) << arranged.error().message;
  EXPECT_THAT(arranged->values, ElementsAre(1, 2));
  const auto wrong = arrange_columns({1, 3, {1, 2, 3}, {}}, test::small_bundle(), "x.npy");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message, "x.npy: has 3 columns, expected the 2 features of bundle small-1.2.0");
}

TEST(FeatureColumns, AMissingFeatureIsNamedUnlessTheBundleTakesCodesOnly) {
  Bundle bundle = test::small_bundle();
  const base::FeatureTable table{1, 2, {1, 2}, {"a", "b"}};
  const auto refused = arrange_columns(table, bundle, "x.csv");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "x.csv: has no column 'mass', a feature of bundle small-1.2.0");
  bundle.model.codes_only = true;
  EXPECT_TRUE(arrange_columns(table, bundle, "x.csv"));
}

}  // namespace
}  // namespace kantrig::kan
