#include "card_link/port.hpp"

#include <cstring>
#include <random>
#include <thread>

#include <gtest/gtest.h>

namespace kantrig::card_link {
namespace {

constexpr RegionShape kShape{.ports = 2, .slots = 4, .input_bytes = 4'096, .output_bytes = 4'096};

/// Both ends of port 1, over one mapping, so that ThreadSanitizer sees what each side touches.
class PortTest : public testing::Test {
 protected:
  std::shared_ptr<Region> region_ = Region::create(kShape).value();
  std::shared_ptr<Doorbell> card_bell_ = std::make_shared<Doorbell>(Doorbell::create().value());
  Doorbell daemon_bell_ = Doorbell::create().value();
  DaemonPort daemon_{region_, 1, card_bell_};
  CardPort card_{region_, 1, Doorbell::duplicate(daemon_bell_.fd()).value()};
};

TEST_F(PortTest, ASlotGoesToTheCardAndComesBackWithItsAnswer) {
  Submission submission;
  Completion completion;
  EXPECT_EQ(card_.take(submission), Take::kNothing);
  EXPECT_EQ(daemon_.take(completion), Take::kNothing);
  daemon_.submit(2, /*load_id=*/77, /*events=*/5, /*now_ns=*/1'000);
  EXPECT_TRUE(daemon_.in_flight(2));
  EXPECT_EQ(daemon_.in_flight_count(), 1U);
  EXPECT_TRUE(card_.waiting());
  ASSERT_EQ(card_.take(submission), Take::kSlot);
  EXPECT_FALSE(card_.waiting());
  EXPECT_EQ(submission.slot, 2U);
  EXPECT_EQ(submission.load_id, 77U);
  EXPECT_EQ(submission.events, 5U);
  EXPECT_EQ(submission.submit_ns, 1'000U);
  card_.complete({.slot = 2,
                  .status = SlotStatus::kFailed,
                  .error = 5,
                  .taken_ns = 1'001,
                  .copied_in_ns = 1'002,
                  .started_ns = 1'003,
                  .finished_ns = 1'004,
                  .completed_ns = 1'005});
  ASSERT_EQ(daemon_.take(completion), Take::kSlot);
  EXPECT_EQ(completion.slot, 2U);
  EXPECT_EQ(completion.status, SlotStatus::kFailed);
  EXPECT_EQ(completion.error, 5U);
  EXPECT_EQ(completion.submit_ns, 1'000U);
  EXPECT_EQ(completion.completed_ns, 1'005U);
  EXPECT_EQ(daemon_.in_flight_count(), 0U);
  EXPECT_EQ(daemon_.take(completion), Take::kNothing);
}

TEST_F(PortTest, SlotsComeBackInAnyOrderForEver) {
  std::mt19937 random(5);
  Submission submission;
  Completion completion;
  for (int round = 0; round < 1'000; ++round) {
    for (std::uint32_t slot = 0; slot < kShape.slots; ++slot) daemon_.submit(slot, 1, 1, 0);
    std::vector<std::uint32_t> taken;
    while (card_.take(submission) == Take::kSlot) taken.push_back(submission.slot);
    ASSERT_EQ(taken.size(), kShape.slots);
    std::shuffle(taken.begin(), taken.end(), random);
    for (const std::uint32_t slot : taken) card_.complete({.slot = slot, .status = SlotStatus::kDone});
    for (const std::uint32_t slot : taken) {
      ASSERT_EQ(daemon_.take(completion), Take::kSlot);
      ASSERT_EQ(completion.slot, slot);
    }
  }
}

TEST_F(PortTest, TheDoorbellRingsOnlyForASleeper) {
  daemon_.submit(0, 1, 1, 0);
  EXPECT_FALSE(card_bell_->wait(0));
  prepare_card_to_sleep(*region_);
  EXPECT_TRUE(card_.waiting()) << "what came before it lay down";
  daemon_.submit(1, 1, 1, 0);
  EXPECT_TRUE(card_bell_->wait(0));
  card_awake(*region_);
  daemon_.submit(2, 1, 1, 0);
  EXPECT_FALSE(card_bell_->wait(0));

  Submission submission;
  ASSERT_EQ(card_.take(submission), Take::kSlot);
  ASSERT_EQ(card_.take(submission), Take::kSlot);
  EXPECT_TRUE(daemon_.prepare_to_sleep());
  card_.complete({.slot = 0, .status = SlotStatus::kDone});
  EXPECT_TRUE(daemon_bell_.wait(0));
  daemon_.awake();
  card_.complete({.slot = 1, .status = SlotStatus::kDone});
  EXPECT_FALSE(daemon_bell_.wait(0));
  EXPECT_FALSE(daemon_.prepare_to_sleep()) << "two came back";
}

TEST_F(PortTest, WhatTheCardCannotHaveWrittenIsBroken) {
  SharedRing& ring = region_->port(1).completions;
  Completion completion;
  ring.tail = 1;  // nothing is in flight
  EXPECT_EQ(daemon_.take(completion), Take::kBroken);
  ring.tail = 0;
  daemon_.submit(3, 1, 1, 0);
  ring.slots[0] = 3;
  ring.tail = 2;  // more than is in flight
  EXPECT_EQ(daemon_.take(completion), Take::kBroken);
  ring.tail = 0xFFFF'FFFF;  // backwards
  EXPECT_EQ(daemon_.take(completion), Take::kBroken);
  ring.tail = 1;
  for (const std::uint32_t wrong : {2U, 4U, 0xFFFF'FFFFU}) {  // not in flight, or no slot
    ring.slots[0] = wrong;
    EXPECT_EQ(daemon_.take(completion), Take::kBroken);
    EXPECT_EQ(daemon_.take(completion), Take::kBroken) << "it stays so";
  }
  EXPECT_EQ(daemon_.in_flight_count(), 1U);
}

TEST_F(PortTest, ASlotThatComesBackTwiceIsBroken) {
  SharedRing& ring = region_->port(1).completions;
  Completion completion;
  daemon_.submit(0, 1, 1, 0);
  daemon_.submit(1, 1, 1, 0);
  ring.slots[0] = 1;
  ring.slots[1] = 1;
  ring.tail = 2;
  EXPECT_EQ(daemon_.take(completion), Take::kSlot);
  EXPECT_EQ(daemon_.take(completion), Take::kBroken);
}

TEST_F(PortTest, WhatTheDaemonCannotHaveWrittenIsBroken) {
  SharedRing& ring = region_->port(1).submissions;
  Submission submission;
  ring.tail = kShape.slots + 1;
  EXPECT_EQ(card_.take(submission), Take::kBroken);
  ring.tail = 0xFFFF'FFFF;
  EXPECT_EQ(card_.take(submission), Take::kBroken);
  ring.tail = 2;
  ring.slots[0] = kShape.slots;
  EXPECT_EQ(card_.take(submission), Take::kBroken);
  ring.slots[0] = 3;
  ring.slots[1] = 3;  // twice at one time
  EXPECT_EQ(card_.take(submission), Take::kSlot);
  EXPECT_EQ(card_.take(submission), Take::kBroken);
}

TEST_F(PortTest, AnyStatusAndAnyTimesAreHandedOn) {
  Completion completion;
  daemon_.submit(0, 1, 1, 0);
  region_->record(1, 0).status = static_cast<SlotStatus>(0xDEAD);
  region_->record(1, 0).finished_ns = ~0ULL;
  region_->port(1).completions.slots[0] = 0;
  region_->port(1).completions.tail = 1;
  ASSERT_EQ(daemon_.take(completion), Take::kSlot);
  EXPECT_EQ(static_cast<std::uint32_t>(completion.status), 0xDEADU);
}

/// Both sides sleep whenever they have nothing to do, one thread each, and a third completes. A wake-up that
/// is lost shows as a wait that times out.
class TwoSides : public PortTest {
 protected:
  static constexpr std::uint32_t kRounds = 20'000;
  static constexpr std::uint32_t kPatienceMs = 10'000;

  void run_card() {
    std::uint32_t seen = 0;
    while (seen < kRounds) {
      Submission submission;
      const Take take = card_.take(submission);
      ASSERT_NE(take, Take::kBroken);
      if (take == Take::kSlot) {
        ++seen;
        std::memcpy(card_.output(submission.slot).data(), card_.input(submission.slot).data(), 8);
        card_.complete({.slot = submission.slot, .status = SlotStatus::kDone, .error = submission.events});
        continue;
      }
      prepare_card_to_sleep(*region_);
      if (!card_.waiting()) {
        ASSERT_TRUE(card_bell_->wait(kPatienceMs)) << "a wake-up was lost";
      }
      card_awake(*region_);
    }
  }
};

TEST_F(TwoSides, NoWakeUpAndNoByteIsLost) {
  std::thread card([this] { run_card(); });
  std::mt19937 random(11);
  std::uint32_t sent = 0;
  std::uint32_t received = 0;
  while (received < kRounds && !HasFatalFailure()) {
    for (auto n = random() % (kShape.slots + 1); n > 0 && sent < kRounds; --n) {
      const std::uint32_t slot = sent % kShape.slots;
      if (daemon_.in_flight(slot)) break;
      const std::uint64_t word = sent;
      std::memcpy(daemon_.input(slot).data(), &word, sizeof word);
      daemon_.submit(slot, 1, sent, 0);
      ++sent;
    }
    Completion completion;
    const Take take = daemon_.take(completion);
    EXPECT_NE(take, Take::kBroken);
    if (take == Take::kBroken) break;
    if (take == Take::kSlot) {
      std::uint64_t word = 0;
      std::memcpy(&word, daemon_.output(completion.slot).data(), sizeof word);
      EXPECT_EQ(word, received);
      EXPECT_EQ(completion.error, received);
      ++received;
    } else if (daemon_.in_flight_count() > 0 && daemon_.prepare_to_sleep()) {
      EXPECT_TRUE(daemon_bell_.wait(kPatienceMs)) << "a wake-up was lost";
      daemon_.awake();
    }
  }
  card.join();
  EXPECT_EQ(received, kRounds);
}

}  // namespace
}  // namespace kantrig::card_link
