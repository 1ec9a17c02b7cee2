#include "control/card_supervisor.hpp"

#include <gmock/gmock.h>

#include "control/backoff.hpp"
#include "unit/card_link/descriptors.hpp"
#include "unit/control/card_room.hpp"

namespace kantrig::test {
namespace {

using control::Breaker;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using CardSupervisorTest = CardRoom;

TEST_F(CardSupervisorTest, JoinsLoadsProvesAndThenTheCardDecidesOnEverySeat) {
  process_.start();
  start();
  const auto model = make_loaded("jets", 1);
  EXPECT_EQ(figures().breaker, Breaker::kHalfOpen);
  supervisor_->want(model, nullptr);
  ASSERT_TRUE(until_closed());
  EXPECT_EQ(figures().reason, "");
  EXPECT_EQ(figures().device, "0000:03:00.1");
  EXPECT_EQ(figures().joins, 1U);
  EXPECT_EQ(figures().loads[static_cast<std::size_t>(card_link::LoadKind::kTables)], 1U);
  EXPECT_EQ(decide(model, 0, 1), wire::Path::kFpga);
  EXPECT_EQ(decide(model, 1, 2), wire::Path::kFpga);
  EXPECT_EQ(process_.repeated_load_ids(), 0U);
  std::uint64_t rung = 0;
  EXPECT_EQ(::read(bells_[1], &rung, sizeof rung), 8) << "a shard that sleeps would read its orders late";
}

TEST_F(CardSupervisorTest, WithoutACardTheCpuDecidesUntilOneComes) {
  start();
  const auto model = make_loaded("jets", 1);
  supervisor_->want(model, nullptr);
  for (int i = 0; i < 30; ++i) turn();
  EXPECT_EQ(figures().breaker, Breaker::kOpen);
  EXPECT_THAT(figures().reason, HasSubstr("expected a running kantrig-card"));
  EXPECT_EQ(opened("absent"), 1U) << "one thing that happened, however often it was tried";
  EXPECT_EQ(decide(model, 0, 1), wire::Path::kCpu);
  process_.start();
  ASSERT_TRUE(until_closed());
  EXPECT_EQ(decide(model, 0, 1), wire::Path::kFpga);
}

TEST_F(CardSupervisorTest, ADeadProcessIsLeftAndJoinedAgainWhenItIsBack) {
  process_.start();
  start();
  const auto model = make_loaded("jets", 1);
  supervisor_->want(model, nullptr);
  ASSERT_TRUE(until_closed());
  const auto descriptors = open_descriptors();
  for (std::uint64_t n = 1; n <= 10; ++n) {
    process_.kill();
    ASSERT_TRUE(until([this] { return figures().breaker == Breaker::kOpen; }));
    EXPECT_EQ(decide(model, 0, n), wire::Path::kCpu);
    process_.start();
    ASSERT_TRUE(until_closed());
    EXPECT_EQ(decide(model, 1, n), wire::Path::kFpga);
    EXPECT_EQ(figures().joins, n + 1);
  }
  EXPECT_EQ(open_descriptors(), descriptors) << "a link that was given up leaks";
  EXPECT_EQ(process_.repeated_load_ids(), 0U);
  EXPECT_GE(opened("lost"), 10U);
}

TEST_F(CardSupervisorTest, SlotsInFlightAtADeathAreDecidedOnTheCpu) {
  process_.start();
  start();
  const auto model = make_loaded("jets", 1);
  supervisor_->want(model, nullptr);
  ASSERT_TRUE(until_closed());
  process_.set_fault(CardFault::kSilent);
  const SeatBatch batch(model->bundle.model, 50, 3);
  const auto space = model->prepared->make_workspace(64, 0);
  space->begin(batch.payload(), {}, 0);
  turn();
  EXPECT_FALSE(space->done());
  process_.kill();
  ASSERT_TRUE(until([&] { return space->done(); }));
  EXPECT_EQ(space->path(), wire::Path::kCpu);
  batch.expect(*space);
}

struct Faulty {
  CardFault fault;
  std::string reason;
};
class CardFaults : public CardRoom, public testing::WithParamInterface<Faulty> {};

TEST_P(CardFaults, TakeTheCardOutAndGoldenVectorsBringItBack) {
  process_.start();
  start();
  const auto model = make_loaded("jets", 1);
  supervisor_->want(model, nullptr);
  ASSERT_TRUE(until_closed());
  process_.set_fault(GetParam().fault);
  for (std::uint64_t n = 0; opened(GetParam().reason) == 0; ++n) {
    ASSERT_LT(n, 10'000U);
    turn();
    // A bit of every slot is found by golden vectors here, and not by events.
    if (GetParam().fault != CardFault::kFlipBit) (void)decide(model, 0, n);
  }
  process_.set_fault(CardFault::kNone);
  ASSERT_TRUE(until_closed());
  EXPECT_EQ(decide(model, 0, 1), wire::Path::kFpga);
  EXPECT_EQ(decide(model, 1, 1), wire::Path::kFpga);
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, CardFaults,
    testing::Values(Faulty{CardFault::kFail, "slot_failed"}, Faulty{CardFault::kTimeout, "slot_failed"},
                    Faulty{CardFault::kFlipBit, "canary"}, Faulty{CardFault::kFlipLiveBit, "cross_check"},
                    Faulty{CardFault::kBrokenRing, "protocol"}),
    [](const auto& test) { return "Fault" + std::to_string(static_cast<int>(test.param.fault)); });

class ImpatientCard : public CardRoom {
 protected:
  ImpatientCard() : CardRoom(impatient()) {}
  static control::CardOptions impatient() {
    control::CardOptions options = fast();
    options.beat_timeout_ms = 100;
    options.load_timeout_ms = 100;
    options.hello_timeout_ms = 100;
    return options;
  }
};

TEST_F(ImpatientCard, AHungProcessIsFoundByItsHeart) {
  process_.start();
  start();
  const auto model = make_loaded("jets", 1);
  supervisor_->want(model, nullptr);
  ASSERT_TRUE(until_closed());
  process_.set_hung(true);
  ASSERT_TRUE(until([this] { return opened("heartbeat") > 0; }));
  EXPECT_EQ(decide(model, 0, 1), wire::Path::kCpu);
  ASSERT_TRUE(until([this] { return opened("refused") > 0; })) << "its socket takes us and says nothing";
  process_.set_hung(false);
  ASSERT_TRUE(until_closed());
}

TEST_F(ImpatientCard, ALoadThatIsNotAnsweredIsGivenUp) {
  process_.set_swallowing(true);
  process_.start();
  start();
  supervisor_->want(make_loaded("jets", 1), nullptr);
  ASSERT_TRUE(until([this] { return opened("load_timeout") > 0; }));
  process_.set_swallowing(false);
  ASSERT_TRUE(until_closed());
}

TEST_F(CardSupervisorTest, ARefusalIsKeptForTheOperator) {
  process_.set_refusing(true);
  process_.start();
  start();
  ASSERT_TRUE(until([this] { return opened("refused") > 1; }));
  EXPECT_EQ(figures().breaker, Breaker::kOpen);
  EXPECT_THAT(figures().reason, HasSubstr("another daemon has it"));
  EXPECT_EQ(figures().joins, 0U);
}

TEST_F(CardSupervisorTest, BytesThatAreNoMessageEndTheLink) {
  process_.set_garbage(true);
  process_.start();
  start();
  ASSERT_TRUE(until([this] { return opened("refused") > 1; }));
  process_.set_garbage(false);
  supervisor_->want(make_loaded("jets", 1), nullptr);
  ASSERT_TRUE(until_closed());
}

TEST_F(CardSupervisorTest, AModelWithoutHardwareIsNoTrouble) {
  process_.start();
  start();
  auto foreign = *make_loaded("jets", 1);
  foreign.folder = "/models/elsewhere";
  const auto model = std::make_shared<const pipeline::LoadedModel>(foreign);
  supervisor_->want(model, nullptr);
  ASSERT_TRUE(until([this] { return figures().loads_failed > 0; }));
  EXPECT_EQ(figures().breaker, Breaker::kHalfOpen);
  EXPECT_THAT(figures().reason, HasSubstr("no image for platform test"));
  EXPECT_EQ(decide(model, 0, 1), wire::Path::kCpu);
  for (int i = 0; i < 50; ++i) turn();
  EXPECT_EQ(figures().loads_failed, 1U) << "not asked again and again";
  EXPECT_EQ(figures().joins, 1U);
  const auto other = make_loaded("other", 2);
  supervisor_->want(other, model);
  ASSERT_TRUE(until_closed());
  EXPECT_EQ(decide(other, 0, 1), wire::Path::kFpga);
}

TEST_F(CardSupervisorTest, ALayoutOfAnotherModelIsRefusedAndNoEventGoesThere) {
  process_.set_wrong_layout(true);
  process_.start();
  start();
  const auto model = make_loaded("jets", 1);
  supervisor_->want(model, nullptr);
  ASSERT_TRUE(until([this] { return process_.loads() > 0 && !figures().reason.starts_with("loading"); }));
  EXPECT_THAT(figures().reason, HasSubstr("takes 3 codes"));
  EXPECT_EQ(decide(model, 0, 1), wire::Path::kCpu);
}

TEST_F(CardSupervisorTest, SwapAndRollbackKeepWhatThereIsRoomFor) {
  process_.start();
  start();
  const auto first = make_loaded("first", 1);
  const auto second = make_loaded("second", 2);
  supervisor_->want(first, nullptr);
  ASSERT_TRUE(until_closed());
  EXPECT_THAT(process_.last_keep(), IsEmpty());
  supervisor_->want(second, first);
  EXPECT_EQ(figures().breaker, Breaker::kHalfOpen);
  EXPECT_EQ(figures().reason, "loading");
  EXPECT_EQ(decide(second, 0, 1), wire::Path::kCpu);
  ASSERT_TRUE(until_closed());
  EXPECT_THAT(process_.last_keep(), ElementsAre(1U));
  ASSERT_TRUE(until([&] { return decide(second, 0, 2) == wire::Path::kFpga; }));
  supervisor_->want(first, second);
  EXPECT_EQ(figures().breaker, Breaker::kClosed) << "it was kept: nothing to load";
  EXPECT_EQ(decide(first, 0, 3), wire::Path::kFpga);
  EXPECT_EQ(process_.loads(), 2U);
  supervisor_->want(first, second);
  EXPECT_EQ(process_.loads(), 2U);
}

TEST_F(CardSupervisorTest, WhatThereIsNoRoomForIsLoadedAnewUnderAnotherId) {
  process_.set_room(1);
  process_.start();
  start();
  const auto first = make_loaded("first", 1);
  const auto second = make_loaded("second", 2);
  supervisor_->want(first, nullptr);
  ASSERT_TRUE(until_closed());
  for (std::uint64_t n = 0; n < 20; ++n) {
    const auto& active = n % 2 == 0 ? second : first;
    supervisor_->want(active, n % 2 == 0 ? first : second);
    ASSERT_TRUE(until([&] { return decide(active, 0, n) == wire::Path::kFpga; }));
    EXPECT_EQ(decide(n % 2 == 0 ? first : second, 0, n), wire::Path::kCpu);
  }
  EXPECT_EQ(process_.loads(), 21U);
  EXPECT_EQ(process_.repeated_load_ids(), 0U);
  EXPECT_EQ(figures().joins, 1U);
}

TEST_F(CardSupervisorTest, ADeviceThatGoesAndComesBackKeepsTheLink) {
  process_.start();
  start();
  const auto model = make_loaded("jets", 1);
  supervisor_->want(model, nullptr);
  ASSERT_TRUE(until_closed());
  process_.set_present(false);
  ASSERT_TRUE(until([this] { return figures().breaker == Breaker::kOpen; }));
  EXPECT_THAT(figures().reason, HasSubstr("the card is recovering: the device is gone"));
  EXPECT_EQ(figures().card_state, card_link::CardState::kRecovering);
  ASSERT_TRUE(until([&] { return decide(model, 0, 1) == wire::Path::kCpu; }));
  process_.set_present(true);
  ASSERT_TRUE(until_closed());
  ASSERT_TRUE(until([&] { return decide(model, 0, 2) == wire::Path::kFpga; }));
  EXPECT_EQ(figures().joins, 1U);
  EXPECT_EQ(process_.loads(), 1U) << "it came back with what it had";
}

TEST_F(CardSupervisorTest, WantBeforeStartAndModelsOfOtherBackendsAreFine) {
  process_.start();
  std::vector<control::CardSupervisor::Seat> seats{{0, seats_[0].get(), bells_[0]}};
  supervisor_ = std::make_unique<control::CardSupervisor>(io_, clock_, log_, options_, seats);
  supervisor_->want(nullptr, nullptr);
  auto plain = *make_loaded("plain", 3);
  plain.prepared = backend::prepare(plain.bundle, {}).value();
  supervisor_->want(std::make_shared<const pipeline::LoadedModel>(plain), nullptr);
  supervisor_->start();
  ASSERT_TRUE(until([this] { return figures().joins == 1; }));
  for (int i = 0; i < 20; ++i) turn();
  EXPECT_EQ(process_.loads(), 0U);
  EXPECT_EQ(figures().breaker, Breaker::kHalfOpen);
  EXPECT_EQ(figures().reason, "no model is wanted of it");
  supervisor_->stop();
  EXPECT_EQ(figures().breaker, Breaker::kOpen);
}

TEST(BackoffTest, DoublesUpToItsBoundWithJitterAndBeginsAnewAfterALongTime) {
  control::Backoff backoff(100, 1'000, 7);
  std::uint64_t now = 0;
  EXPECT_TRUE(backoff.over(now));
  for (const std::uint64_t pause : {100U, 200U, 400U, 800U, 1'000U, 1'000U}) {
    backoff.failed(now, false);
    EXPECT_FALSE(backoff.over(now + pause * 3 / 4 - 1)) << pause;
    EXPECT_TRUE(backoff.over(now + pause * 5 / 4)) << pause;
    now += 10'000;
  }
  backoff.failed(now, true);
  EXPECT_TRUE(backoff.over(now + 125));
}

}  // namespace
}  // namespace kantrig::test
