// kanc compile --target overlay and kanc tables, as their users run them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "base/file.hpp"
#include "support/command.hpp"
#include "support/temporary_folder.hpp"
#include "unit/kan/small_bundle.hpp"

namespace kantrig::compiler {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
namespace fs = std::filesystem;

using Outcome = test::CommandOutcome;

Outcome kanc(const std::string& arguments) {
  return test::run_command(std::string(KANTRIG_BINARY_DIR) + "/bin/kanc " + arguments + " 2>&1");
}

class KancTables : public testing::Test {
 protected:
  KancTables() { EXPECT_TRUE(kan::write_bundle(test::small_bundle(), bundle_, kan::Overwrite::kRefuse)); }

  test::TemporaryFolder folder_;
  fs::path bundle_ = folder_.path() / "b";
  fs::path overlay_ = folder_.path() / "overlay";
};

TEST_F(KancTables, WritesTheWordsThatLoadAModelIntoAnOverlay) {
  const Outcome compiled =
      kanc("compile " + bundle_.string() + " --target overlay --shape 3-3-3 --code-bits 2,3 " +
           "--entry-bits 10 --sum-bits 16 --out " + overlay_.string());
  ASSERT_EQ(compiled.exit_code, 0) << compiled.output;
  const Outcome text = kanc("tables " + bundle_.string() + " " + overlay_.string() + " --bank 1");
  ASSERT_EQ(text.exit_code, 0) << text.output;
  // Layer 0, input 0, code 0: -9 of node 0. Its node's offset is 1 + 1 + 8.
  EXPECT_THAT(text.output, StartsWith("00000100 000003f7\n"));
  EXPECT_THAT(text.output, HasSubstr("\n00000140 0000000a\n"));
  const fs::path file = folder_.path() / "words.bin";
  const Outcome binary =
      kanc("tables " + bundle_.string() + " " + overlay_.string() + " --bank 1 --out " + file.string());
  ASSERT_EQ(binary.exit_code, 0) << binary.output;
  const auto bytes = base::read_file(file, 1U << 20U);
  ASSERT_TRUE(bytes.has_value());
  EXPECT_EQ(bytes->size(),
            8 * static_cast<std::size_t>(std::count(text.output.begin(), text.output.end(), '\n')));
  EXPECT_EQ(bytes->substr(0, 8), std::string("\x00\x01\x00\x00\xf7\x03\x00\x00", 8));
}

TEST_F(KancTables, RefusesAnOverlayThatIsTooSmallAndABundleWithoutOne) {
  const Outcome small =
      kanc("compile " + bundle_.string() + " --target overlay --entry-bits 8 --out " + overlay_.string());
  EXPECT_EQ(small.exit_code, 3);
  EXPECT_THAT(small.output,
              HasSubstr("needs table entries of 9 bits (input 0: -9 to 300), the overlay has 8: declare "
                        "--entry-bits 9,8"));
  EXPECT_FALSE(fs::exists(overlay_));
  const Outcome none = kanc("tables " + bundle_.string() + " " + bundle_.string());
  EXPECT_EQ(none.exit_code, 3);
  EXPECT_THAT(none.output, HasSubstr("holds no design; kanc compile --target overlay makes one"));
}

TEST_F(KancTables, TeachesByExample) {
  const Outcome help = kanc("tables --help");
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.output, HasSubstr("Example:\n  kanc tables"));
  EXPECT_THAT(help.output, HasSubstr("Exit codes: 0"));
}

}  // namespace
}  // namespace kantrig::compiler
