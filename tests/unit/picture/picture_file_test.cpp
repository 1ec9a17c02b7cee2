// Pictures as files: .svg as it is, .png through rsvg-convert.
#include "picture/picture_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.hpp"
#include "picture/chart.hpp"
#include "support/command.hpp"
#include "support/temporary_folder.hpp"

namespace kantrig::picture {
namespace {

using testing::HasSubstr;

std::string some_chart() {
  Chart chart{.title = "t", .x = {"x"}, .y = {"y"}};
  chart.series.push_back({.name = "s", .x = {0, 1}, .y = {0, 1}});
  return draw(chart);
}

std::uint32_t big_endian(const std::string& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8U | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

TEST(PictureFile, WritesSvgAsItIs) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "a.svg";
  ASSERT_TRUE(write_picture(path, some_chart()));
  EXPECT_EQ(base::read_file(path, 1 << 20).value(), some_chart());
}

TEST(PictureFile, DrawsPngAtTwiceTheSize) {
  if (!test::has_program("rsvg-convert")) GTEST_SKIP() << "rsvg-convert is not installed";
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "a picture's; name.png";
  const auto written = write_picture(path, some_chart());
  ASSERT_TRUE(written) << written.error().message;
  const std::string png = base::read_file(path, 1 << 24).value();
  ASSERT_GT(png.size(), 1000U);
  EXPECT_EQ(png.substr(0, 8), "\x89PNG\r\n\x1a\n");
  EXPECT_EQ(big_endian(png, 16), 1720U);  // width
}

TEST(PictureFile, SaysWhatIsWrongWithWhatCannotBeDrawn) {
  if (!test::has_program("rsvg-convert")) GTEST_SKIP() << "rsvg-convert is not installed";
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "a.png";
  const auto written = write_picture(path, "<svg");
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().message, HasSubstr("a.png: rsvg-convert failed: "));
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(PictureFile, NamesTheEndingsItKnows) {
  const auto written = write_picture("picture.jpg", some_chart());
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().message, "picture.jpg: a picture's name ends in .svg or .png");
}

TEST(PictureFile, NamesThePackageWhenTheProgramIsMissing) {
  const test::TemporaryFolder folder;
  const std::string path = ::getenv("PATH");
  ::setenv("PATH", folder.path().c_str(), 1);
  const auto written = write_picture(folder.path() / "a.png", some_chart());
  ::setenv("PATH", path.c_str(), 1);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(written.error().message, HasSubstr("librsvg2-bin"));
}

}  // namespace
}  // namespace kantrig::picture
