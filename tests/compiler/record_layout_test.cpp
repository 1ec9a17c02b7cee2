#include "compiler/hardware/record_layout.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace kantrig::compiler {
namespace {

using testing::ElementsAre;

HardwareField field(std::uint32_t offset, std::uint32_t width) {
  HardwareField result;
  result.offset = offset;
  result.width = width;
  return result;
}

TEST(RecordLayout, PadsToAPowerOfTwoUpToAMemoryWordAndToWholeWordsBeyond) {
  EXPECT_EQ(record_bits(1), 8U);
  EXPECT_EQ(record_bits(8), 8U);
  EXPECT_EQ(record_bits(9), 16U);
  EXPECT_EQ(record_bits(96), 128U);
  EXPECT_EQ(record_bits(512), 512U);
  EXPECT_EQ(record_bits(513), 1024U);
  EXPECT_EQ(record_bits(1025), 1536U);
}

TEST(RecordLayout, GivesAsManyLanesAsEventsFitInAWord) {
  EXPECT_EQ(lanes_of(24), 4U);
  EXPECT_EQ(lanes_of(24, 16), 16U);
  EXPECT_EQ(lanes_of(200), 2U);
  EXPECT_EQ(lanes_of(300), 1U);
  EXPECT_EQ(lanes_of(784), 1U);
}

TEST(RecordLayout, RoundsBuffersToWholeMemoryWords) {
  EXPECT_EQ(buffer_bytes(0, 24), 0U);
  EXPECT_EQ(buffer_bytes(1, 24), 64U);
  EXPECT_EQ(buffer_bytes(16, 24), 64U);
  EXPECT_EQ(buffer_bytes(17, 24), 128U);
  EXPECT_EQ(buffer_bytes(3, 600), 384U);
}

TEST(RecordLayout, TellsTheHostWhereTheFieldsLie) {
  const std::vector<HardwareField> fields{field(0, 6), field(6, 6), field(12, 9)};
  const kan::RecordLayout layout = record_layout(fields, 24);
  EXPECT_EQ(layout.record_bits, 32U);
  EXPECT_TRUE(kan::check(layout));
  const std::array<std::uint16_t, 3> codes{0b100001, 0b111100, 0b1'0000'0011};
  std::array<std::byte, 64> records{};
  kan::pack_records(layout, codes, 1, records);
  EXPECT_THAT(std::span(records).first(4), ElementsAre(std::byte{0b00'100001}, std::byte{0b0011'1111},
                                                       std::byte{0b000'10000}, std::byte{0}));
}

}  // namespace
}  // namespace kantrig::compiler
