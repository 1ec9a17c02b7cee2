#include "kan/card_image.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace kantrig::kan {
namespace {

using testing::HasSubstr;

CardImage overlay_image() {
  return {.platform = "emulated",
          .kernel = "kan_kernel",
          .compute_units = 2,
          .interface_version = 1,
          .overlay = true,
          .hardware_digest = std::string(64, 'a'),
          .input = {.record_bits = 16, .fields = {{0, 6}, {6, 6}}},
          .output = {.record_bits = 32, .fields = {{0, 16}}},
          .xclbin_sha256 = std::string(64, '0'),
          .bank_begin = {0, 8192},
          .table_words = 8192};
}

CardImage fixed_image() {
  CardImage image = overlay_image();
  image.overlay = false;
  image.bank_begin = {};
  image.table_words = 0;
  return image;
}

std::string error_of(const CardImage& image) {
  const auto read = card_image_from_json(card_image_to_json(image));
  return read ? "no error" : read.error().message;
}

TEST(CardImage, ReadsBackWhatWasWritten) {
  for (const CardImage& image : {overlay_image(), fixed_image()}) {
    const std::string json = card_image_to_json(image);
    EXPECT_TRUE(json.ends_with("}\n"));
    const auto read = card_image_from_json(json);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, image);
  }
}

TEST(CardImage, EachWrongFieldIsNamed) {
  const std::vector<std::pair<std::string, std::function<void(CardImage&)>>> cases{
      {"platform", [](CardImage& i) { i.platform = "../up"; }},
      {"kernel", [](CardImage& i) { i.kernel.clear(); }},
      {"compute_units", [](CardImage& i) { i.compute_units = 0; }},
      {"compute_units", [](CardImage& i) { i.compute_units = 129; }},
      {"hardware_digest", [](CardImage& i) { i.hardware_digest.pop_back(); }},
      {"xclbin_sha256", [](CardImage& i) { i.xclbin_sha256[3] = 'G'; }},
      {"input", [](CardImage& i) { i.input.record_bits = 24; }},
      {"output", [](CardImage& i) { i.output.fields[0].width = 17; }},
      {"table_words", [](CardImage& i) { i.table_words = 0; }},
      {"table_words", [](CardImage& i) { i.table_words = (1U << 22U) + 1; }},
  };
  for (const auto& [name, spoil] : cases) {
    CardImage image = overlay_image();
    spoil(image);
    EXPECT_THAT(error_of(image), HasSubstr(name));
  }
}

TEST(CardImage, TextThatIsNoneIsRefused) {
  EXPECT_THAT(card_image_from_json("{").error().message, HasSubstr("is not a card image"));
  EXPECT_THAT(card_image_from_json("{}").error().message, HasSubstr("format_version"));
  EXPECT_THAT(card_image_from_json(R"({"format_version": 2})").error().message, HasSubstr("expected 1"));
  EXPECT_THAT(card_image_from_json(std::string((4U << 20U) + 1, ' ')).error().message, HasSubstr("bytes"));
}

}  // namespace
}  // namespace kantrig::kan
