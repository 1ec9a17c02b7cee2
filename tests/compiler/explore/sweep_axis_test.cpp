// What --over and --set say.
#include "compiler/explore/sweep_axis.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kantrig::explore {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

std::string error_of(std::string_view text) {
  const auto axis = parse_axis(text);
  return axis ? "" : axis.error().message;
}

TEST(SweepAxis, ARangeHoldsBothItsEnds) {
  const auto axis = parse_axis("model.bits[0]=2..5");
  ASSERT_TRUE(axis) << axis.error().message;
  EXPECT_THAT(axis->fields, ElementsAre("model.bits[0]"));
  EXPECT_THAT(axis->values, ElementsAre("2", "3", "4", "5"));
}

TEST(SweepAxis, StepsAndDecimalsAreExact) {
  EXPECT_THAT(parse_axis("a=4..16:4")->values, ElementsAre("4", "8", "12", "16"));
  EXPECT_THAT(parse_axis("a=0.1..0.5:0.1")->values, ElementsAre("0.1", "0.2", "0.3", "0.4", "0.5"));
  EXPECT_THAT(parse_axis("a=-1..1:0.75")->values, ElementsAre("-1.00", "-0.25", "0.50"));
}

TEST(SweepAxis, ListsMixValuesAndRanges) {
  EXPECT_THAT(parse_axis("a=2..4, 8,1e-3")->values, ElementsAre("2", "3", "4", "8", "1e-3"));
  EXPECT_THAT(parse_axis("m=silu,none,true")->values, ElementsAre("\"silu\"", "\"none\"", "true"));
  EXPECT_THAT(parse_axis("l=[16,8,5],[16,10,5]")->values, ElementsAre("[16,8,5]", "[16,10,5]"));
  EXPECT_THAT(parse_axis("t=\"a,b\",'c'")->values, ElementsAre("\"a,b\"", "'c'"));
}

TEST(SweepAxis, FieldsJoinedByPlusTakeTheSameValue) {
  const auto axis = parse_axis("model.bits[1] + model.bits[2]=3,4");
  ASSERT_TRUE(axis) << axis.error().message;
  EXPECT_THAT(axis->fields, ElementsAre("model.bits[1]", "model.bits[2]"));
  EXPECT_EQ("model.bits[1]+model.bits[2]", axis->name());
}

TEST(SweepAxis, WhatCannotBeMeantIsRefusedWithWhatWasExpected) {
  EXPECT_THAT(error_of("model.bits[0]"), HasSubstr("expected FIELD=VALUES"));
  EXPECT_THAT(error_of("=3"), HasSubstr("expected FIELD=VALUES"));
  EXPECT_THAT(error_of("a="), HasSubstr("expected a value after '='"));
  EXPECT_THAT(error_of("a=1,,2"), HasSubstr("expected a value on both sides of ','"));
  EXPECT_THAT(error_of("a+=1"), HasSubstr("expected a field on both sides of '+'"));
  EXPECT_THAT(error_of("a+a=1"), HasSubstr("a is named twice"));
  EXPECT_THAT(error_of("a=1,2,1"), HasSubstr("a: 1 is there twice"));
  EXPECT_THAT(error_of("a=8..2"), HasSubstr("range '8..2': expected it to rise"));
  EXPECT_THAT(error_of("a=1..2:0"), HasSubstr("expected it to rise, by a step above 0"));
  EXPECT_THAT(error_of("a=1e3..2e3"), HasSubstr("expected plain numbers"));
  EXPECT_THAT(error_of("a=1..2000"), HasSubstr("has 2000 values, expected at most 1000"));
  EXPECT_THAT(error_of("a=0..999999999999999:0.000000001"), HasSubstr("has too many digits"));
}

TEST(SweepAxis, ASettingIsOneValue) {
  const auto settings = parse_setting("model.layers=[16, 8, 5]");
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_THAT(*settings, ElementsAre(Assignment{"model.layers", "[16, 8, 5]"}));
  EXPECT_THAT(*parse_setting("a+b=none"), SizeIs(2));
}

}  // namespace
}  // namespace kantrig::explore
