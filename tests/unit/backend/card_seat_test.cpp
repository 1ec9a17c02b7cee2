// A seat when all is well: proof, joining, slots, who decides.
#include "backend/card/card_seat.hpp"

#include <gmock/gmock.h>

#include "unit/backend/seat_room.hpp"

namespace kantrig::test {
namespace {

using backend::Route;
using backend::SeatState;

using CardSeatTest = SeatRoom;

TEST_F(CardSeatTest, NothingGoesToTheCardBeforeItsGoldenVectorsWereRight) {
  const SeatBatch batch(data_, 10, 1);
  const auto space = workspace();
  seat_.set_route(Route::kCard);
  const auto expect_cpu = [&] {
    space->begin(batch.payload(), {}, 0);
    EXPECT_TRUE(space->done());
    EXPECT_EQ(space->path(), wire::Path::kCpu);
    batch.expect(*space);
  };
  expect_cpu();
  join();
  expect_cpu();
  poll();
  EXPECT_EQ(seat_.state(), SeatState::kProving);
  expect_cpu();
  place();
  expect_cpu();
  poll();
  expect_cpu();
  EXPECT_EQ(serve(), 1U) << "golden vectors";
  EXPECT_EQ(card_.events, kGolden);
  expect_cpu();
  poll();
  EXPECT_EQ(seat_.state(), SeatState::kUp);
  EXPECT_EQ(seat_.probe().canaries_passed.value(), 1U);
  space->begin(batch.payload(), {}, 0);
  EXPECT_FALSE(space->done());
}

TEST_F(CardSeatTest, ABatchIsDecidedByTheCardAndSaysSo) {
  bring_up();
  const SeatBatch batch(data_, 100, 2);
  const auto space = workspace();
  EXPECT_EQ(space->begin(batch.payload(), {}, 0), 0U);
  EXPECT_FALSE(space->done());
  EXPECT_EQ(serve(), 0U) << "others may join it";
  seat_.flush(clock_.now);
  EXPECT_EQ(serve(), 1U);
  EXPECT_FALSE(space->done()) << "the shard has not looked yet";
  poll();
  ASSERT_TRUE(space->done());
  EXPECT_TRUE(space->done());
  EXPECT_EQ(space->path(), wire::Path::kFpga);
  batch.expect(*space);
  EXPECT_EQ(seat_.probe().batches.value(), 1U);
  EXPECT_EQ(seat_.probe().events.value(), 100U);
  EXPECT_EQ(seat_.probe().slots.value(), 1U);
  EXPECT_EQ(seat_.probe().slot.count(), 1U);
}

TEST_F(CardSeatTest, BatchesJoinOneSlotUntilTheDelayHasPassed) {
  bring_up();
  const auto first = workspace();
  const auto second = workspace();
  const auto third = workspace();
  const SeatBatch one(data_, 7, 3);
  const SeatBatch two(data_, 1, 4);
  const SeatBatch three(data_, 65, 5);
  first->begin(one.payload(), {}, 1);
  poll(20 * kUs);
  second->begin(two.payload(), {}, 1);
  third->begin(three.payload(), {}, 1);
  poll(29 * kUs);
  EXPECT_EQ(serve(), 0U);
  poll(1 * kUs);
  EXPECT_EQ(serve(), 1U);
  poll();
  for (const auto* space : {&first, &second, &third}) {
    ASSERT_TRUE((*space)->done());
    EXPECT_EQ((*space)->path(), wire::Path::kFpga);
  }
  one.expect(*first);
  two.expect(*second);
  three.expect(*third);
  EXPECT_EQ(seat_.probe().slots.value(), 1U);
  EXPECT_EQ(seat_.probe().batches.value(), 3U);
}

TEST_F(CardSeatTest, AFullSlotLeavesAtOnceAndWhatDoesNotFitTakesTheNext) {
  bring_up();  // 4096 bytes of 4-byte records: 1024 events
  const auto first = workspace();
  const auto second = workspace();
  const auto third = workspace();
  const SeatBatch half(data_, 512, 3);
  first->begin(half.payload(), {}, 1);
  second->begin(half.payload(), {}, 1);
  EXPECT_EQ(serve(), 1U);
  const SeatBatch most(data_, 1'000, 4);
  third->begin(most.payload(), {}, 1);
  poll();
  ASSERT_TRUE(first->done());
  ASSERT_TRUE(second->done());
  half.expect(*first);
  half.expect(*second);
  first->begin(half.payload(), {}, 1);  // not into what is left of the third's slot
  EXPECT_EQ(serve(), 1U);
  poll(50 * kUs);
  EXPECT_EQ(serve(), 1U);
  poll();
  ASSERT_TRUE(third->done());
  ASSERT_TRUE(first->done());
  most.expect(*third);
  half.expect(*first);
  EXPECT_EQ(first->path(), wire::Path::kFpga);
}

TEST_F(CardSeatTest, ABatchThatNoSlotHoldsIsDecidedHere) {
  bring_up();
  const SeatBatch batch(data_, 1'025, 6);
  const auto space = workspace();
  space->begin(batch.payload(), {}, 5);
  ASSERT_TRUE(space->done());
  EXPECT_EQ(space->path(), wire::Path::kCpu);
  batch.expect(*space);
}

TEST_F(CardSeatTest, WithoutAFreeSlotTheCpuDecides) {
  bring_up();
  const SeatBatch batch(data_, 1'024, 7);
  std::vector<std::unique_ptr<backend::Workspace>> spaces;
  for (int i = 0; i < 3; ++i) {
    spaces.push_back(workspace());
    spaces.back()->begin(batch.payload(), {}, 5);
  }
  EXPECT_FALSE(spaces[0]->done());
  EXPECT_FALSE(spaces[1]->done());
  EXPECT_TRUE(spaces[2]->done());
  EXPECT_EQ(seat_.probe().passed_over_batches.value(), 1U);
  serve();
  poll();
  for (const auto& space : spaces) {
    EXPECT_TRUE(space->done());
    batch.expect(*space);
  }
}

TEST_F(CardSeatTest, MalformedEventsAreMalformedWhoeverDecides) {
  bring_up();
  SeatBatch batch(data_, 200, 8);
  batch.codes[4 * 9] = 64;  // event 9, past 6 bits
  batch.codes[4 * 150 + 3] = 8;
  const auto space = workspace();
  EXPECT_EQ(space->begin(batch.payload(), {}, 0), 2U);
  seat_.flush(clock_.now);
  serve();
  poll();
  ASSERT_TRUE(space->done());
  EXPECT_EQ(space->path(), wire::Path::kFpga);
  EXPECT_EQ(space->malformed()[0], 1ULL << 9U);
  EXPECT_EQ(space->malformed()[2], 1ULL << 22U);
  for (const std::uint32_t i : {0U, 8U, 10U, 149U, 199U}) {
    for (std::uint32_t k = 0; k < 3; ++k) EXPECT_EQ(space->outputs(k)[i], batch.outputs[i][k]);
  }
}

}  // namespace
}  // namespace kantrig::test
