// Ports, models and workspaces that come and go, sleep and routes.
#include "backend/card/card_seat.hpp"

#include <gmock/gmock.h>

#include "unit/backend/seat_room.hpp"

namespace kantrig::test {
namespace {

using backend::Route;
using backend::SeatState;
using backend::Trouble;

using CardSeatTest = SeatRoom;

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
