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

TEST(RecordLayout, PacksCodesLowestBitFirst) {
  const std::vector<HardwareField> fields{field(0, 6), field(6, 6), field(12, 9)};
  const std::array<std::uint16_t, 3> codes{0b100001, 0b111100, 0b1'0000'0011};
  std::array<std::uint8_t, 4> record{0xFF, 0xFF, 0xFF, 0xFF};
  pack_codes(fields, codes, record);
  EXPECT_THAT(record, ElementsAre(0b00'100001, 0b0011'1111, 0b000'10000, 0));
  EXPECT_EQ(get_bits(record, 12, 9), 0b1'0000'0011U);
}

TEST(RecordLayout, ReadsScoresAsTwosComplement) {
  const std::vector<HardwareField> fields{field(0, 5), field(5, 5), field(10, 32)};
  std::array<std::uint8_t, 8> record{};
  put_bits(record, 0, 5, 0b10000);
  put_bits(record, 5, 5, 0b01111);
  put_bits(record, 10, 32, 0xFFFF'FFFF);
  std::array<std::int32_t, 3> scores{};
  unpack_scores(fields, record, scores);
  EXPECT_THAT(scores, ElementsAre(-16, 15, -1));
}

}  // namespace
}  // namespace kantrig::compiler
