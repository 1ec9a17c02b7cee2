#include "backend/card/card_seat.hpp"

#include <gmock/gmock.h>

#include "unit/backend/seat_room.hpp"

namespace kantrig::test {
namespace {

using backend::Route;
using backend::SeatState;
using backend::Trouble;

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

TEST_F(CardSeatTest, FinishNowDecidesHereAndALateSlotIsNobodys) {
  bring_up();
  const auto space = workspace();
  for (std::uint64_t n = 0; n < 20; ++n) {
    const SeatBatch batch(data_, 100, n);
    space->begin(batch.payload(), {}, 0);
    if (n % 2 == 0) seat_.flush(clock_.now);
    space->finish_now();
    ASSERT_TRUE(space->done());
    EXPECT_EQ(space->path(), wire::Path::kCpu);
    batch.expect(*space);
    poll(60 * kUs);
    serve();
    poll();
  }
  EXPECT_EQ(seat_.probe().taken_over_batches.value(), 20U);
  EXPECT_EQ(seat_.probe().passed_over_batches.value(), 0U) << "no slot is lost";
  EXPECT_EQ(seat_.state(), SeatState::kUp);
}

TEST_F(CardSeatTest, AWorkspaceThatGoesWhileItWaitsLosesNoSlot) {
  bring_up();
  const SeatBatch batch(data_, 600, 1);
  for (int n = 0; n < 30; ++n) {
    auto going = workspace();
    const auto staying = workspace();
    going->begin(batch.payload(), {}, 0);
    if (n % 3 == 0) seat_.flush(clock_.now);
    if (n % 3 == 1) going.reset();
    poll(60 * kUs);
    if (n % 3 == 2) going.reset();
    serve();
    poll();
    going.reset();
    poll();
    staying->begin(batch.payload(), {}, 0);
    ASSERT_FALSE(staying->done());
    seat_.flush(clock_.now);
    serve();
    poll();
    ASSERT_TRUE(staying->done());
    EXPECT_EQ(staying->path(), wire::Path::kFpga);
    batch.expect(*staying);
  }
  EXPECT_EQ(seat_.probe().passed_over_batches.value(), 0U);
}

TEST_F(CardSeatTest, AWithdrawnPortComesBackAndItsBatchesAreDecidedHere) {
  bring_up();
  const SeatBatch batch(data_, 10, 1);
  const auto space = workspace();
  space->begin(batch.payload(), {}, 0);
  seat_.flush(clock_.now);
  EXPECT_EQ(seat_.returned(), nullptr);
  seat_.withdraw();
  poll();
  EXPECT_TRUE(space->done());
  batch.expect(*space);
  expect_returned(Trouble::kNone);
  join();
  seat_.withdraw();  // before the shard has seen it
  poll();
  poll();
  expect_returned(Trouble::kNone);
  join();
  poll();
  poll();
  EXPECT_EQ(seat_.state(), SeatState::kProving) << "that wish was for the port before";
}

TEST_F(CardSeatTest, OnePortAtATime) {
  join();
  auto second = std::make_unique<card_link::DaemonPort>(
      region_, 0, std::make_shared<card_link::Doorbell>(card_link::Doorbell::create().value()));
  EXPECT_FALSE(seat_.offer(std::move(second)));
}

TEST_F(CardSeatTest, AModelThatIsDroppedKeepsItsSlotsInFlightAndTakesNoMore) {
  bring_up();
  const SeatBatch batch(data_, 10, 1);
  const auto in_flight = workspace();
  const auto later = workspace();
  in_flight->begin(batch.payload(), {}, 0);
  seat_.flush(clock_.now);
  model_->clear_place(0);
  poll();
  later->begin(batch.payload(), {}, 0);
  EXPECT_TRUE(later->done());
  EXPECT_EQ(later->path(), wire::Path::kCpu);
  serve();
  poll();
  ASSERT_TRUE(in_flight->done());
  EXPECT_EQ(in_flight->path(), wire::Path::kFpga);
  batch.expect(*in_flight);
  poll(5'000 * kMs);
  EXPECT_EQ(serve(), 0U) << "no golden vectors of a model that nobody wants";
}

TEST_F(CardSeatTest, ModelsComeAndGoForEver) {
  join();
  poll();
  const SeatBatch batch(data_, 5, 1);
  for (std::uint64_t id = 100; id < 300; ++id) {
    card_.load(id, data_, dense_input(data_), dense_output(data_));
    place(id);
    poll();
    serve();
    poll();
    seat_.set_route(Route::kCard);
    const auto space = workspace(64);
    space->begin(batch.payload(), {}, 0);
    ASSERT_FALSE(space->done()) << id;
    seat_.flush(clock_.now);
    ASSERT_EQ(serve(), 1U);
    poll();
    ASSERT_TRUE(space->done());
    batch.expect(*space);
    card_.unload(id);
    if (id % 3 == 0) model_ = make_model(data_);
  }
}

TEST_F(CardSeatTest, ManyModelsAtOnceAreBounded) {
  join();
  poll();
  std::vector<std::shared_ptr<backend::CardModel>> models;
  std::vector<bool> placed;
  for (std::uint64_t id = 100; id < 140; ++id) {
    card_.load(id, data_, dense_input(data_), dense_output(data_));
    models.push_back(make_model(data_));
    placed.push_back(models.back()->set_place(0, {id, dense_input(data_), dense_output(data_)}).has_value());
  }
  EXPECT_TRUE(placed.front());
  EXPECT_FALSE(placed.back()) << "the shard reads its orders by and by";
  for (int i = 0; i < 100; ++i) {
    poll();
    serve();
  }
  EXPECT_TRUE(models.back()->set_place(0, {140, dense_input(data_), dense_output(data_)}));
  EXPECT_EQ(seat_.probe().canaries_passed.value(), 8U);
}

TEST_F(CardSeatTest, SleepsUntilItHasSomethingToDoByItself) {
  EXPECT_EQ(seat_.sleep_ms(clock_.now, 100), 100U);
  EXPECT_TRUE(seat_.prepare_to_sleep());
  bring_up();
  EXPECT_EQ(seat_.sleep_ms(clock_.now, 100), 100U);
  EXPECT_NEAR(seat_.sleep_ms(clock_.now, 5'000), 1'000, 2);
  const SeatBatch batch(data_, 10, 1);
  const auto space = workspace();
  space->begin(batch.payload(), {}, 0);
  EXPECT_EQ(seat_.sleep_ms(clock_.now, 100), 0U) << "it waits for others, for 50 us";
  seat_.flush(clock_.now);
  EXPECT_NEAR(seat_.sleep_ms(clock_.now, 100), 20, 1) << "the deadline";
  EXPECT_TRUE(seat_.prepare_to_sleep());
  serve();
  seat_.awake();
  EXPECT_FALSE(seat_.prepare_to_sleep()) << "it is back";
  poll();
  EXPECT_TRUE(space->done());
}

TEST_F(CardSeatTest, TheRouteIsTheOperatorsWord) {
  bring_up();
  const SeatBatch batch(data_, 10, 1);
  const auto space = workspace();
  seat_.set_route(Route::kCpu);
  space->begin(batch.payload(), {}, 100);
  EXPECT_TRUE(space->done());
  seat_.set_route(Route::kCard);
  space->begin(batch.payload(), {}, 0);
  EXPECT_FALSE(space->done());
  space->finish_now();
}

TEST_F(CardSeatTest, WithoutASeatEverythingIsDecidedHere) {
  bring_up();
  const SeatBatch batch(data_, 10, 1);
  for (const std::optional<std::uint32_t> shard :
       {std::optional<std::uint32_t>(), std::optional<std::uint32_t>(1)}) {
    const auto space = model_->make_workspace(64, shard);
    space->begin(batch.payload(), {}, 9);
    EXPECT_TRUE(space->done());
    EXPECT_EQ(space->path(), wire::Path::kCpu);
    batch.expect(*space);
  }
}

using CardModelTest = SeatRoom;

TEST_F(CardModelTest, APlaceThatDoesNotFitIsRefusedByWhatWasExpected) {
  const auto refusal = [&](std::uint32_t shard, std::uint64_t id, auto change) {
    backend::CardPlace place{id, dense_input(data_), dense_output(data_)};
    change(place);
    const auto placed = model_->set_place(shard, place);
    return placed ? std::string() : placed.error().message;
  };
  const auto none = [](backend::CardPlace&) {};
  using testing::HasSubstr;
  EXPECT_THAT(refusal(1, 1, none), HasSubstr("shard 1 has no seat"));
  EXPECT_THAT(refusal(0, 0, none), HasSubstr("load id 0"));
  EXPECT_THAT(refusal(0, 1, [](auto& place) { place.input.fields.pop_back(); }),
              HasSubstr("takes 3 codes and gives 3 scores, expected 4 and 3"));
  EXPECT_THAT(refusal(0, 1, [](auto& place) { place.output.fields.clear(); }), HasSubstr("no fields"));
  EXPECT_THAT(refusal(0, 1, [](auto& place) { place.input.fields[2].width = 4; }),
              HasSubstr("code 2 has 4 bits, expected at least 5"));
  EXPECT_THAT(refusal(0, 1, [](auto& place) { place.input.record_bits = 24; }), HasSubstr("24 bits"));
  EXPECT_EQ(refusal(0, 1, none), "");
  EXPECT_EQ(refusal(0, 1, none), "") << "said twice";
}

}  // namespace
}  // namespace kantrig::test
