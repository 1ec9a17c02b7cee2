// The messages of a menu file that is wrong: each names the file, the row, the line and what was expected.
#include "menu/menu_text.hpp"

#include <gmock/gmock.h>

#include <string>

#include "unit/menu/menu_fixture.hpp"

namespace kantrig::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

menu::ScoreSpace jets() {
  return space_of({"g", "q", "t", "w", "z"}, 5, -64, 63, 0.125);
}

const std::string kLine = "[[line]]\nname = \"a\"\nwhen = \"any\"\n";
const std::string kHead = "version = 1\nname = \"m\"\n";

std::string error(const std::string& text) {
  return error_of(text, jets());
}

TEST(MenuText, ReadsEveryKey) {
  const auto menu = menu::read_menu_text(
      "version = 1\nname = \"m\"\ndescription = \"d\"\nseed = 9\ncolumns = [\"p\", \"c\"]\ndefault_column = "
      "\"c\"\n"
      "[[line]]\nname = \"a\"\ndescription = \"e\"\nwhen = \"any\"\nkind = \"veto\"\nprescale = { c = 3, p = "
      "0 }\n"
      "[[line]]\nname = \"b\"\nwhen = \"class == t\"\nignores_veto = true\nprescale = 7\n",
      "f.toml");
  ASSERT_TRUE(menu) << menu.error().message;
  EXPECT_EQ(menu->name, "m");
  EXPECT_EQ(menu->description, "d");
  EXPECT_EQ(menu->seed, 9U);
  EXPECT_EQ(menu->columns, (std::vector<std::string>{"p", "c"}));
  EXPECT_EQ(menu->default_column, 1U);
  ASSERT_EQ(menu->lines.size(), 2U);
  EXPECT_EQ(menu->lines[0].info.kind, menu::LineKind::kVeto);
  EXPECT_EQ(menu->lines[0].info.description, "e");
  EXPECT_EQ(menu->lines[0].info.prescales, (std::vector<std::uint64_t>{0, 3}));
  EXPECT_EQ(menu->lines[0].row, 10U);
  EXPECT_EQ(menu->lines[1].info.prescales, (std::vector<std::uint64_t>{7, 7}));
  EXPECT_TRUE(menu->lines[1].info.ignores_veto);
  EXPECT_EQ(menu->lines[1].info.condition, "class == t");
}

TEST(MenuText, HasOneColumnNamedDefaultWhenNoneIsNamed) {
  const auto menu = menu::read_menu_text(kHead + kLine, "f.toml");
  ASSERT_TRUE(menu);
  EXPECT_EQ(menu->columns, std::vector<std::string>{"default"});
  EXPECT_EQ(menu->lines[0].info.prescales, std::vector<std::uint64_t>{1});
}

TEST(MenuText, NamesFileRowAndLineOfAConditionThatIsWrong) {
  EXPECT_EQ(error(kHead + "[[line]]\nname = \"two_prong\"\nwhen = \"class == h\"\n"),
            "test.toml:5: line \"two_prong\": character 10: unknown class \"h\", expected one of g q t w z");
}

TEST(MenuText, RefusesWhatIsNotToml) {
  EXPECT_THAT(error("version = 1\nname = \n"), StartsWith("test.toml:2: not TOML: "));
  EXPECT_EQ(error(std::string(300'000, '#')),
            "test.toml: the menu has 300000 bytes, at most 262144 are allowed");
}

TEST(MenuText, RefusesAHeadThatIsWrong) {
  EXPECT_EQ(error("name = \"m\"\n" + kLine), "test.toml:1: expected version = 1");
  EXPECT_EQ(error("version = 2\nname = \"m\"\n" + kLine), "test.toml:1: expected version = 1");
  EXPECT_EQ(error("version = 1\n" + kLine), "test.toml:1: \"name\" is missing");
  EXPECT_EQ(error("version = 1\nname = 3\n" + kLine), "test.toml:2: \"name\" must be a string");
  EXPECT_EQ(error("version = 1\nname = \"a b\"\n" + kLine),
            "test.toml:2: \"name\" must be 1 to 64 of the characters A-Z a-z 0-9 _ - .");
  EXPECT_EQ(error(kHead + "seed = -1\n" + kLine), "test.toml:3: \"seed\" must be an integer, 0 or more");
  EXPECT_EQ(error(kHead + "sead = 1\n" + kLine),
            "test.toml:3: unknown key \"sead\", expected one of version name description seed columns "
            "default_column line");
  EXPECT_EQ(error(kHead + "description = \"" + std::string(5000, 'x') + "\"\n" + kLine),
            "test.toml:3: \"description\" is longer than 4096 bytes");
}

TEST(MenuText, RefusesColumnsThatAreWrong) {
  EXPECT_EQ(error(kHead + "columns = []\n" + kLine),
            "test.toml:3: \"columns\" must be an array of 1 to 64 names");
  EXPECT_EQ(error(kHead + "columns = \"p\"\n" + kLine),
            "test.toml:3: \"columns\" must be an array of 1 to 64 names");
  EXPECT_EQ(error(kHead + "columns = [3]\n" + kLine),
            "test.toml:3: \"columns\" must be 1 to 64 of the characters A-Z a-z 0-9 _ - .");
  EXPECT_EQ(error(kHead + "columns = [\"p\", \"p\"]\n" + kLine), "test.toml:3: column \"p\" is there twice");
  EXPECT_EQ(error(kHead + "columns = [\"p\"]\ndefault_column = \"c\"\n" + kLine),
            "test.toml:4: unknown column \"c\", expected one of p");
}

TEST(MenuText, RefusesLinesThatAreWrong) {
  EXPECT_EQ(error(kHead), "test.toml:1: expected 1 to 64 lines, each a [[line]] table");
  EXPECT_EQ(error(kHead + "line = 3\n"), "test.toml:3: expected 1 to 64 lines, each a [[line]] table");
  std::string many = kHead;
  for (int l = 0; l < 65; ++l) many += "[[line]]\nname = \"l" + std::to_string(l) + "\"\nwhen = \"any\"\n";
  EXPECT_THAT(error(many), HasSubstr("expected 1 to 64 lines"));
  EXPECT_EQ(error(kHead + "[[line]]\nwhen = \"any\"\n"), "test.toml:3: line: \"name\" is missing");
  EXPECT_EQ(error(kHead + "[[line]]\nname = \"a\"\n"), "test.toml:3: line \"a\": \"when\" is missing");
  EXPECT_EQ(error(kHead + kLine + "pre_scale = 3\n"),
            "test.toml:6: line \"a\": unknown key \"pre_scale\", expected one of name description when "
            "prescale kind "
            "ignores_veto");
  EXPECT_EQ(error(kHead + kLine + kLine), "test.toml:6: line \"a\" is there twice");
  EXPECT_EQ(error(kHead + kLine + "kind = \"reject\"\n"),
            "test.toml:6: line \"a\": unknown kind \"reject\", expected accept or veto");
  EXPECT_EQ(error(kHead + kLine + "kind = \"veto\"\n"),
            "test.toml:3: no line of kind accept: this menu would keep nothing");
  EXPECT_EQ(error(kHead + kLine + "kind = \"veto\"\nignores_veto = true\n"),
            "test.toml:7: line \"a\": \"ignores_veto\" means nothing on a veto line");
  EXPECT_EQ(error(kHead + kLine + "ignores_veto = 1\n"),
            "test.toml:6: line \"a\": \"ignores_veto\" must be true or false");
}

TEST(MenuText, RefusesPrescalesThatAreWrong) {
  const std::string head = kHead + "columns = [\"p\", \"c\"]\n" + kLine;
  EXPECT_EQ(error(head + "prescale = -3\n"),
            "test.toml:7: line \"a\": \"prescale\" must be an integer, 0 or more");
  EXPECT_EQ(error(head + "prescale = 1.5\n"),
            "test.toml:7: line \"a\": \"prescale\" must be an integer, or one for every column");
  EXPECT_EQ(error(head + "prescale = { p = 1 }\n"),
            "test.toml:7: line \"a\": the prescale of column \"c\" is missing: name every column");
  EXPECT_EQ(error(head + "prescale = { p = 1, c = 1, x = 1 }\n"),
            "test.toml:7: line \"a\": prescale of unknown column \"x\", expected p c");
  EXPECT_EQ(error(head + "prescale = { p = 1, c = \"1\" }\n"),
            "test.toml:7: line \"a\": the prescale of column \"c\" must be an integer, 0 or more");
}

TEST(MenuText, IsCompiledOnlyForASpaceThatFits) {
  EXPECT_EQ(error_of(kHead + kLine, space_of({}, 0, 0, 1, 1.0)),
            "test.toml: the model has 0 outputs, a menu needs 1 to 256");
}

}  // namespace
}  // namespace kantrig::test
