#include "control/state_file.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "support/temporary_folder.hpp"

namespace kantrig::control {
namespace {

class StateFileTest : public testing::Test {
 protected:
  std::filesystem::path file() const { return folder.path() / "state.json"; }
  std::string error_of(const std::string& content) const {
    std::ofstream(file()) << content;
    const auto read = read_state(file());
    return read ? "none" : read.error().message;
  }
  test::TemporaryFolder folder;
};

TEST_F(StateFileTest, IsReadAsItWasWritten) {
  const PersistedState state{
      .configured = {"jets-1.0.0", "ab12", "physics"},
      .generation = {std::uint64_t{1} << 60},  // a JSON number would lose its last bits
      .model = "jets-1.1.0",
      .previous = "jets-1.0.0",
      .shadow = "",
      .menu_text = "a = \"\u00b5 \\\"\"\n",
      .menu_origin = "menu.toml",
      .column = "cosmics",
      .run = {7},
      .block = {12},
      .idle_block = {3}};
  ASSERT_TRUE(write_state(file(), state));
  const auto read = read_state(file());
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_TRUE(read->has_value());
  EXPECT_EQ((*read)->configured, state.configured);
  EXPECT_EQ((*read)->generation, state.generation);
  EXPECT_EQ((*read)->model, state.model);
  EXPECT_EQ((*read)->previous, state.previous);
  EXPECT_EQ((*read)->shadow, state.shadow);
  EXPECT_EQ((*read)->menu_text, state.menu_text);
  EXPECT_EQ((*read)->menu_origin, state.menu_origin);
  EXPECT_EQ((*read)->column, state.column);
  EXPECT_EQ((*read)->run, state.run);
  EXPECT_EQ((*read)->block, state.block);
  EXPECT_EQ((*read)->idle_block, state.idle_block);
}

TEST_F(StateFileTest, MayBeMissing) {
  const auto read = read_state(file());
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->has_value());
}

TEST_F(StateFileTest, ThatIsWrongNamesItselfAndWhatIsWrong) {
  EXPECT_NE(error_of("{").find("state.json: not JSON"), std::string::npos);
  EXPECT_NE(error_of("{}").find("\"format\": expected a text"), std::string::npos) << error_of("{}");
  EXPECT_NE(error_of(R"({"format": "1", "generation": 3})").find("expected a text"), std::string::npos);
  ASSERT_TRUE(write_state(file(), {}));
  std::ifstream in(file());
  std::string text(std::istreambuf_iterator<char>(in), {});
  text.replace(text.find("\"run\": \"0\""), 10, "\"run\": \"x\"");
  EXPECT_NE(error_of(text).find("\"run\": expected a whole number"), std::string::npos) << error_of(text);
  text.replace(text.find("\"run\": \"x\""), 10, "\"run\": \"0\"");
  text.replace(text.find("\"format\": \"1\""), 13, "\"format\": \"9\"");
  EXPECT_NE(error_of(text).find("format 9, expected 1"), std::string::npos) << error_of(text);
}

}  // namespace
}  // namespace kantrig::control
