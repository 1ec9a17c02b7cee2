// A seat when the card is late, wrong or gone.
#include "backend/card/card_seat.hpp"

#include <gmock/gmock.h>

#include "unit/backend/seat_room.hpp"

namespace kantrig::test {
namespace {

using backend::SeatState;
using backend::Trouble;

using CardSeatTest = SeatRoom;

class SeatFaults : public SeatRoom {
 protected:
  SeatFaults() : SeatRoom({.cross_check = 1.0}) {}

  /// Two batches are under way when `fault` strikes: one in flight, one in the open slot.
  void strike(CardFault fault, Trouble expected, std::uint64_t after_ns = kUs) {
    bring_up();
    const SeatBatch batch(data_, 300, 9);
    const auto in_flight = workspace();
    const auto waiting = workspace();
    in_flight->begin(batch.payload(), {}, 0);
    seat_.flush(clock_.now);
    card_.fault = fault;
    waiting->begin(batch.payload(), {}, 0);
    serve();
    poll(after_ns);
    EXPECT_TRUE(in_flight->done());
    EXPECT_TRUE(waiting->done());
    for (const auto* space : {&in_flight, &waiting}) {
      EXPECT_EQ((*space)->path(), wire::Path::kCpu);
      batch.expect(**space);
    }
    EXPECT_EQ(seat_.probe().taken_over_batches.value(), 2U);
    EXPECT_EQ(seat_.probe().taken_over_events.value(), 600U);
    EXPECT_EQ(seat_.probe().batches.value(), 0U);
    expect_returned(expected);
    // From here on the CPU decides at once.
    in_flight->begin(batch.payload(), {}, 5);
    EXPECT_TRUE(in_flight->done());
    batch.expect(*in_flight);
  }
};

TEST_F(SeatFaults, ASlotThatDoesNotComeBackInTime) {
  strike(CardFault::kSilent, Trouble::kDeadline, 20 * kMs);
}
TEST_F(SeatFaults, ACardThatTakesNothing) {
  strike(CardFault::kDeaf, Trouble::kDeadline, 20 * kMs);
}
TEST_F(SeatFaults, ASlotThatFailed) {
  strike(CardFault::kFail, Trouble::kSlotFailed);
}
TEST_F(SeatFaults, ASlotPastTheCardsOwnDeadline) {
  strike(CardFault::kTimeout, Trouble::kSlotFailed);
}
TEST_F(SeatFaults, ABrokenRing) {
  strike(CardFault::kBrokenRing, Trouble::kProtocol);
}
TEST_F(SeatFaults, ASlotThatComesBackTwice) {
  strike(CardFault::kTwice, Trouble::kProtocol);
}
TEST_F(SeatFaults, OneWrongBit) {
  strike(CardFault::kFlipBit, Trouble::kCrossCheck);
}

TEST_F(CardSeatTest, ScoresThatTheModelCannotGiveNeedNoSampleToBeFound) {
  kan::Model narrow = data_;
  for (kan::Node& node : narrow.layers.back().nodes) node.low = -31;
  data_ = narrow;
  model_ = make_model(data_);
  bring_up();
  card_.fault = CardFault::kImpossible;  // -32
  const SeatBatch batch(data_, 8, 1);
  const auto space = workspace();
  space->begin(batch.payload(), {}, 0);
  seat_.flush(clock_.now);
  serve();
  poll();
  ASSERT_TRUE(space->done());
  batch.expect(*space);
  expect_returned(Trouble::kCrossCheck);
}

TEST_F(CardSeatTest, ASampledCrossCheckFindsAWrongCardSoonerOrLater) {
  bring_up();
  card_.fault = CardFault::kFlipLiveBit;
  std::uint64_t wrong = 0;
  const auto space = workspace();
  for (std::uint64_t n = 0; n < 20'000 && seat_.state() == SeatState::kUp; ++n) {
    const SeatBatch batch(data_, 20, n);
    space->begin(batch.payload(), {}, 0);
    seat_.flush(clock_.now);
    serve();
    poll();
    ASSERT_TRUE(space->done());
    ++wrong;
  }
  EXPECT_EQ(seat_.trouble(), Trouble::kCrossCheck);
  EXPECT_EQ(seat_.probe().cross_check_failures.value(), 1U);
  EXPECT_NEAR(static_cast<double>(seat_.probe().cross_checked_events.value()),
              0.01 * 20.0 * static_cast<double>(wrong), 1.0);
}

TEST_F(CardSeatTest, GoldenVectorsThatAreWrongAtFirstNeverLetAnEventThrough) {
  join();
  card_.fault = CardFault::kFlipBit;
  place();
  poll();
  serve();
  poll();
  EXPECT_EQ(seat_.probe().canaries_failed.value(), 1U);
  EXPECT_EQ(seat_.probe().canaries_passed.value(), 0U);
  expect_returned(Trouble::kCanary);
}

TEST_F(CardSeatTest, GoldenVectorsGoOutEverySecondAndTakeAWrongCardOut) {
  bring_up();
  for (int i = 0; i < 20; ++i) {
    poll(100 * kMs);
    serve();
  }
  poll();
  EXPECT_EQ(seat_.probe().canaries_passed.value(), 3U);
  card_.fault = CardFault::kFlipBit;
  for (int i = 0; i < 11 && seat_.state() == SeatState::kUp; ++i) {
    poll(100 * kMs);
    serve();
  }
  expect_returned(Trouble::kCanary);
}

TEST_F(CardSeatTest, OnlyGoldenVectorsBringItBack) {
  bring_up();
  card_.fault = CardFault::kFail;
  const SeatBatch batch(data_, 10, 1);
  const auto space = workspace();
  space->begin(batch.payload(), {}, 0);
  seat_.flush(clock_.now);
  serve();
  poll();
  EXPECT_TRUE(space->done());
  expect_returned(Trouble::kSlotFailed);

  card_.fault = CardFault::kNone;
  join();
  poll();
  EXPECT_EQ(seat_.state(), SeatState::kProving);
  poll(5'000 * kMs);
  EXPECT_EQ(serve(), 0U) << "the place was of the link before";
  card_.load(8, data_, dense_input(data_), dense_output(data_));
  place(8);
  poll();
  space->begin(batch.payload(), {}, 0);
  EXPECT_TRUE(space->done());
  EXPECT_EQ(space->path(), wire::Path::kCpu);
  serve();
  poll();
  EXPECT_EQ(seat_.state(), SeatState::kUp);
  space->begin(batch.payload(), {}, 0);
  EXPECT_FALSE(space->done());
}

TEST_F(CardSeatTest, AModelThatIsNotLoadedIsNoTroubleAndProvenAnew) {
  bring_up();
  const SeatBatch batch(data_, 10, 1);
  const auto space = workspace();
  card_.unload(kLoad);
  space->begin(batch.payload(), {}, 0);
  seat_.flush(clock_.now);
  serve();
  poll();
  ASSERT_TRUE(space->done());
  EXPECT_EQ(space->path(), wire::Path::kCpu);
  batch.expect(*space);
  EXPECT_EQ(seat_.state(), SeatState::kUp);
  space->begin(batch.payload(), {}, 0);
  EXPECT_TRUE(space->done()) << "no event goes there until golden vectors were right again";
  card_.load(kLoad, data_, dense_input(data_), dense_output(data_));
  poll(50 * kMs);
  EXPECT_EQ(serve(), 1U);
  poll();
  space->begin(batch.payload(), {}, 0);
  EXPECT_FALSE(space->done());
  space->finish_now();
  EXPECT_EQ(seat_.trouble(), Trouble::kNone);
}

}  // namespace
}  // namespace kantrig::test
