#include "base/csv.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace kantrig::base {
namespace {

using testing::ElementsAre;

std::string message(std::string_view text, const CsvLabelColumn& label = std::nullopt) {
  const auto table = parse_csv(text, "x.csv", label);
  return table ? "no error" : table.error().message;
}

TEST(Csv, ReadsNumbersUnderTheirNames) {
  const auto table = parse_csv("mass, pt\n1.5,-2e3\r\n+3,inf\n", "x.csv", std::nullopt);
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_THAT(table->features.column_names, ElementsAre("mass", "pt"));
  EXPECT_EQ(table->features.rows, 2U);
  EXPECT_THAT(table->features.values, ElementsAre(1.5F, -2000.0F, 3.0F, INFINITY));
  EXPECT_TRUE(table->labels.empty());
}

TEST(Csv, TakesTheLabelFromTheLastOrANamedColumn) {
  const auto last = parse_csv("a,b,class\n1,2,w\n3,4,z", "x.csv", "");
  ASSERT_TRUE(last) << last.error().message;
  EXPECT_EQ(last->label_name, "class");
  EXPECT_THAT(last->labels, ElementsAre("w", "z"));
  EXPECT_THAT(last->features.column_names, ElementsAre("a", "b"));
  EXPECT_THAT(last->features.values, ElementsAre(1, 2, 3, 4));

  const auto named = parse_csv("class,a,b\nw,1,2\n", "x.csv", "class");
  ASSERT_TRUE(named) << named.error().message;
  EXPECT_THAT(named->labels, ElementsAre("w"));
  EXPECT_THAT(named->features.column_names, ElementsAre("a", "b"));
}

TEST(Csv, NumbersPastFloat32BecomeInfiniteOrZero) {
  const auto table = parse_csv("a,b,c\n1e39,-1e39,1e-60\n", "x.csv", std::nullopt);
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_THAT(table->features.values, ElementsAre(INFINITY, -INFINITY, 0.0F));
}

TEST(Csv, CountedColumnsAreNamesToo) {
  EXPECT_EQ(message("0,1,2\n5,6,7\n"), "no error");
  EXPECT_EQ(message("1,2,3\n5,6,7\n"), "no error");
}

TEST(Csv, ErrorsNameFileLineAndColumn) {
  EXPECT_EQ(message(""), "x.csv line 1: expected a header with column names");
  EXPECT_EQ(message("a,a\n"), "x.csv line 1: column 'a' occurs twice");
  EXPECT_EQ(message("a,,b\n"), "x.csv line 1: column 2 has no name");
  EXPECT_EQ(message("a,b\n1,2\n1,x\n"), "x.csv line 3 column 2 'b': expected a number, found 'x'");
  EXPECT_EQ(message("a,b\n1,2 3\n"), "x.csv line 2 column 2 'b': expected a number, found '2 3'");
  EXPECT_EQ(message("a,b\n1,\n"), "x.csv line 2 column 2 'b': expected a number, found ''");
  EXPECT_EQ(message("a,b\n1\n"), "x.csv line 2: has 1 columns, expected 2");
  EXPECT_EQ(message("a,b\n1,2,3\n"), "x.csv line 2: has more than the 2 columns of the header");
  EXPECT_EQ(message("a,b\n1,2\n", "class"), "x.csv line 1: expected a column 'class'");
  EXPECT_EQ(message("a,b\n1,\n", ""), "x.csv line 2 column 2 'b': label is empty");
  EXPECT_EQ(message("1.5,2\n3,4\n"), "x.csv line 1: expected a header with column names, found numbers");
  EXPECT_EQ(message("7,7\n3,4\n"), "x.csv line 1: expected a header with column names, found numbers");
  EXPECT_EQ(message("a\n1\n\n2\n"), "x.csv line 3 column 1 'a': expected a number, found ''");
}

}  // namespace
}  // namespace kantrig::base
