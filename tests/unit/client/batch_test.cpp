#include "client/batch.hpp"

#include "client/answer.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace kantrig::client {
namespace {

TEST(Batch, CopiesRowsAndCountsEvents) {
  const std::vector<float> floats(12, 1.5F);
  const Batch batch = Batch::of_floats(floats, 4);
  EXPECT_EQ(batch.event_count, 3U);
  EXPECT_EQ(batch.payload.bytes().size(), 48U);
  EXPECT_EQ(batch.encoding, wire::Encoding::kFloat32);
  const std::vector<std::uint8_t> bytes(12, 7);
  EXPECT_EQ(Batch::of_codes(bytes, 6).event_count, 2U);
  const std::vector<std::uint16_t> words(12, 700);
  EXPECT_EQ(Batch::of_codes(words, 6).payload.bytes().size(), 24U);
  EXPECT_EQ(Batch::of_codes(words, 0).event_count, 0U);
}

TEST(Batch, BorrowsAPayloadAndReleasesItOnce) {
  static int released = 0;
  released = 0;
  std::array<std::byte, 100> memory{};
  {
    Payload payload = Payload::borrowed(
        memory, [](void*, void* hint) { ++*static_cast<int*>(hint); }, &released);
    const Payload other = payload.shared();
    EXPECT_EQ(other.bytes().data(), memory.data());
    payload.clear();
    EXPECT_EQ(released, 0);
  }
  EXPECT_EQ(released, 1);
}

TEST(BatchBuilder, IsEmptyAgainAfterItGaveItsBatch) {
  BatchBuilder builder(2, 3);
  EXPECT_TRUE(builder.empty());
  for (int i = 0; i < 3; ++i) builder.add(std::array<float, 2>{1.0F, 2.0F});
  EXPECT_TRUE(builder.full());
  EXPECT_EQ(builder.take().event_count, 3U);
  EXPECT_TRUE(builder.empty());
}

TEST(Decisions, KeepWhatAnAnswerHolds) {
  const std::array<std::byte, 2> bitmap{std::byte{0x05}, std::byte{0x01}};
  const std::array<std::byte, 4> scores{std::byte{1}, std::byte{0}, std::byte{0xff}, std::byte{0xff}};
  Answer answer;
  answer.event_count = 9;
  answer.decision.accept_bitmap = bitmap;
  answer.decision.scores = scores;
  const Decisions decisions = Decisions::of(answer);
  const std::vector<bool> expected{true, false, true, false, false, false, false, false, true};
  EXPECT_EQ(decisions.accepted, expected);
  for (std::uint32_t i = 0; i < 9; ++i) EXPECT_EQ(answer.accepted(i), expected[i]);
  EXPECT_TRUE(decisions.malformed.empty());
  EXPECT_EQ(decisions.scores, (std::vector<std::int16_t>{1, -1}));
}

}  // namespace
}  // namespace kantrig::client
