// A lane against a daemon of the test's own making, over ipc: both sides are stepped by hand, with a clock of
// the test.
#include "client/lane.hpp"

#include "support/manual_clock.hpp"
#include "support/scripted_server.hpp"
#include "support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <numeric>
#include <optional>

namespace kantrig::client {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint32_t kPatienceMs = 10'000;

/// Two events of two features, the first accepted.
PendingBatch pair_batch(AnswerCallback on_answer) {
  PendingBatch batch;
  batch.header.event_count = 2;
  batch.header.feature_count = 2;
  batch.header.encoding = wire::Encoding::kCode8;
  const std::array<std::byte, 4> rows{std::byte{1}, std::byte{0}, std::byte{2}, std::byte{0}};
  batch.payload = wire::Frame::copy_of(rows);
  batch.on_answer = std::move(on_answer);
  return batch;
}

std::vector<std::uint64_t> from_one_to(std::uint64_t last) {
  std::vector<std::uint64_t> numbers(last);
  std::iota(numbers.begin(), numbers.end(), 1U);
  return numbers;
}

class LaneTest : public testing::Test {
 protected:
  void SetUp() override {
    clock_.now = kSecond;
    server_.start();
    options_.endpoint = endpoint_;
    options_.source = {7};
    options_.context = &context_;
    auto lane = Lane::open(options_, context_, clock_);
    ASSERT_TRUE(lane.has_value()) << lane.error().message;
    lane_.emplace(std::move(*lane));
  }

  /// Steps both sides until `done()`. False when that does not come.
  template <typename Done>
  bool run_until(const Done& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      if (lane_->step() + server_.step() == 0) lane_->wait(1);
    }
    return true;
  }
  bool open() {
    return run_until([&] { return lane_->is_open(); });
  }
  void submit(int batches) {
    for (int i = 0; i < batches; ++i) {
      const Sequence sequence = lane_->enqueue(pair_batch([this](const Answer& answer) { note(answer); }));
      answers_.try_emplace(sequence.value, 0);
    }
  }
  void note(const Answer& answer) {
    ++answers_[answer.sequence.value];
    last_ = Decisions::of(answer);
  }
  bool all_answered() {
    return run_until([&] { return lane_->window().empty(); });
  }
  void expect_one_answer_each(std::size_t batches) {
    EXPECT_EQ(answers_.size(), batches);
    for (const auto& [sequence, count] : answers_) EXPECT_EQ(count, 1) << "sequence " << sequence;
    const Statistics& s = lane_->statistics();
    EXPECT_EQ(s.events_sent, s.events_accepted + s.events_rejected + s.events_malformed + s.events_refused +
                                 s.events_unknown);
  }

  test::TemporaryFolder folder_;
  std::string endpoint_ = "ipc://" + (folder_.path() / "events").string();
  wire::Context context_ = wire::Context::create(1).value();
  test::ManualClock clock_;
  test::ScriptedServer server_{endpoint_};
  Options options_;
  std::optional<Lane> lane_;
  std::map<std::uint64_t, int> answers_;  // by sequence
  Decisions last_;
};

TEST_F(LaneTest, SendsOnlyAfterItIsWelcomeAndGetsEveryAnswer) {
  submit(3);
  EXPECT_TRUE(all_answered());
  expect_one_answer_each(3);
  EXPECT_EQ(server_.hellos, 1U);
  EXPECT_EQ(server_.decided, from_one_to(3));
  EXPECT_EQ(lane_->statistics().events_accepted, 3U);
  EXPECT_EQ(lane_->statistics().events_rejected, 3U);
  EXPECT_EQ(last_.accepted, (std::vector<bool>{true, false}));
  EXPECT_EQ(lane_->latency().count(), 3U);
}

TEST_F(LaneTest, CountsOnFromTheSequenceThatTheWelcomeNames) {
  server_.next_sequence = 41;
  submit(2);
  EXPECT_TRUE(all_answered());
  EXPECT_EQ(server_.decided, (std::vector<std::uint64_t>{41, 42}));
}

TEST_F(LaneTest, StaysWithinItsCredit) {
  server_.credit = {5, 1'000, 10};  // two batches of two events
  ASSERT_TRUE(open());
  server_.deaf = true;
  submit(10);
  while (lane_->step() > 0) {
  }
  EXPECT_EQ(lane_->window().in_flight().batches, 2U);
  server_.deaf = false;
  EXPECT_TRUE(all_answered());
  EXPECT_EQ(server_.decided, from_one_to(10));
  EXPECT_EQ(server_.gaps, 0U);
}

TEST_F(LaneTest, SendsWhatIsUnansweredAgainAfterTheServerWasKilled) {
  ASSERT_TRUE(open());
  submit(4);
  ASSERT_TRUE(all_answered());
  for (const bool decided : {false, true}) {  // killed before and after it decided
    server_.loses_answers = decided;
    server_.deaf = !decided;
    submit(5);
    const std::size_t wanted = server_.decided.size() + 5;
    ASSERT_TRUE(
        run_until([&] { return decided ? server_.decided.size() == wanted : !lane_->window().waiting(); }));
    server_.kill();
    server_.loses_answers = false;
    server_.deaf = false;
    ASSERT_TRUE(run_until([&] { return !lane_->is_open(); }));
    server_.start();
    EXPECT_TRUE(run_until([&] {  // a greeting that went into the dying connection is said again after a while
      clock_.now += kSecond / 1000;
      return lane_->window().empty();
    }));
  }
  expect_one_answer_each(14);
  EXPECT_EQ(server_.decided, from_one_to(14));
  EXPECT_EQ(server_.duplicates, 5U);
  EXPECT_EQ(lane_->statistics().reconnects, 2U);
  EXPECT_EQ(lane_->statistics().batches_resent, 10U);
  EXPECT_EQ(lane_->statistics().batches_sent, 14U);
  EXPECT_TRUE(last_.duplicate);
}

TEST_F(LaneTest, SendsAgainWhenAnAnswerDoesNotCome) {
  ASSERT_TRUE(open());
  server_.loses_answers = true;
  submit(3);
  ASSERT_TRUE(run_until([&] { return server_.decided.size() == 3; }));
  server_.loses_answers = false;
  clock_.now += kSecond;
  lane_->step();
  EXPECT_EQ(lane_->statistics().batches_resent, 0U);
  clock_.now += 2 * kSecond;
  EXPECT_TRUE(all_answered());
  expect_one_answer_each(3);
  EXPECT_EQ(server_.duplicates, 3U);
  EXPECT_EQ(lane_->statistics().resend_timeouts, 1U);
}

TEST_F(LaneTest, IgnoresASecondAnswer) {
  server_.answers_twice = true;
  submit(5);
  EXPECT_TRUE(all_answered());
  ASSERT_TRUE(run_until([&] { return lane_->statistics().answers_ignored == 5; }));
  expect_one_answer_each(5);
}

TEST_F(LaneTest, SendsAgainAfterEachPassingReason) {
  ASSERT_TRUE(open());
  std::uint64_t sent = 0;
  for (const wire::Reason reason : {wire::Reason::kCredit, wire::Reason::kNoRun}) {
    int refusals = 3;
    server_.refuse = [&](const wire::BatchHeader&) { return refusals-- > 0 ? reason : wire::Reason::kNone; };
    submit(6);
    sent += 6;
    ASSERT_TRUE(run_until([&] {
      clock_.now += 1'000'000;
      return lane_->window().empty();
    })) << wire::name_of(reason);
    EXPECT_EQ(server_.decided, from_one_to(sent)) << wire::name_of(reason);
  }
  expect_one_answer_each(sent);
  EXPECT_EQ(lane_->statistics().events_refused, 0U);
  EXPECT_GT(lane_->statistics().answers_passing, 6U);   // the later ones fell into the gap
  EXPECT_LT(lane_->statistics().batches_resent, 100U);  // and did not start an avalanche
}

TEST_F(LaneTest, PausesAfterAPassingRefusal) {
  ASSERT_TRUE(open());
  server_.refuse = [](const wire::BatchHeader&) { return wire::Reason::kNoRun; };
  submit(1);
  ASSERT_TRUE(run_until([&] { return lane_->statistics().answers_passing == 1; }));
  for (int i = 0; i < 10; ++i) lane_->step();
  EXPECT_EQ(lane_->statistics().batches_resent, 0U);
  server_.refuse = nullptr;
  clock_.now += options_.retry_after_ms * 1'000'000ULL;
  EXPECT_TRUE(all_answered());
}

TEST_F(LaneTest, SaysHelloWhenItIsNotWelcomed) {
  ASSERT_TRUE(open());
  int refusals = 1;
  server_.refuse = [&](const wire::BatchHeader&) {
    return refusals-- > 0 ? wire::Reason::kNotWelcomed : wire::Reason::kNone;
  };
  submit(4);
  EXPECT_TRUE(all_answered());
  EXPECT_EQ(server_.hellos, 2U);
  EXPECT_EQ(server_.decided, from_one_to(4));
  EXPECT_TRUE(server_.drain_acks.empty());  // that refusal carries no credit
}

TEST_F(LaneTest, HandsAFinalRefusalToTheCallbackAndGoesOn) {
  ASSERT_TRUE(open());
  for (const wire::Reason reason : {wire::Reason::kFeatureCount, wire::Reason::kRunMismatch}) {
    server_.refuse = [&](const wire::BatchHeader&) { return reason; };
    submit(1);
    ASSERT_TRUE(all_answered());
    EXPECT_EQ(last_.outcome, Outcome::kRefused);
    EXPECT_EQ(last_.reason, reason);
    EXPECT_EQ(last_.detail, "as the test wants");
  }
  server_.refuse = nullptr;
  submit(1);
  ASSERT_TRUE(all_answered());
  EXPECT_EQ(last_.outcome, Outcome::kDecided);
  EXPECT_EQ(lane_->statistics().events_refused, 4U);
  expect_one_answer_each(3);
}

TEST_F(LaneTest, DrainsWhenTheCreditIsZeroAndGoesOnAfterwards) {
  ASSERT_TRUE(open());
  submit(3);
  ASSERT_TRUE(all_answered());
  server_.send_credit({0, 0, 0});
  ASSERT_TRUE(run_until([&] { return server_.drain_acks.size() == 1; }));
  EXPECT_EQ(server_.drain_acks.front(), 3U);
  submit(2);
  for (int i = 0; i < 10; ++i) lane_->step();
  EXPECT_EQ(lane_->statistics().batches_sent, 3U);
  server_.send_credit({1'000, 1'000, 10});
  EXPECT_TRUE(all_answered());
  EXPECT_EQ(server_.drain_acks.size(), 1U);
  expect_one_answer_each(5);
}

TEST_F(LaneTest, AcknowledgesADrainThatAnAnswerAsksFor) {
  ASSERT_TRUE(open());
  server_.credit = {0, 0, 0};
  submit(2);
  ASSERT_TRUE(all_answered());
  ASSERT_TRUE(run_until([&] { return !server_.drain_acks.empty(); }));
  EXPECT_EQ(server_.drain_acks.back(), 2U);
}

TEST_F(LaneTest, BeatsWhenIdleAndReconnectsWhenNobodyBeatsBack) {
  ASSERT_TRUE(open());
  clock_.now += kSecond;
  ASSERT_TRUE(run_until([&] { return server_.heartbeats == 1; }));
  ASSERT_TRUE(run_until([&] { return lane_->step() > 0; }));  // its echo
  server_.deaf = true;
  clock_.now += kSecond;
  lane_->step();
  clock_.now += 2 * kSecond;
  lane_->step();
  EXPECT_TRUE(lane_->is_open());
  clock_.now += 2 * kSecond;
  lane_->step();
  EXPECT_FALSE(lane_->is_open());
  server_.deaf = false;
  ASSERT_TRUE(open());
  submit(1);
  EXPECT_TRUE(all_answered());
}

TEST_F(LaneTest, FollowsTheWelcomeToTheShardThatOwnsItsLane) {
  const std::string other = endpoint_ + ".1";
  test::ScriptedServer owner(other);
  owner.start();
  server_.redirect = other;
  submit(2);
  ASSERT_TRUE(run_until([&] { return owner.step() == 0 && lane_->window().empty(); }));
  EXPECT_EQ(owner.decided, from_one_to(2));
  EXPECT_TRUE(server_.decided.empty());
  EXPECT_EQ(lane_->session().endpoint, other);
}

TEST_F(LaneTest, GivesUpOnEndpointsThatSendItInCircles) {
  const std::string other = endpoint_ + ".1";
  test::ScriptedServer there(other);
  there.start();
  server_.redirect = other;
  there.redirect = endpoint_;
  ASSERT_TRUE(run_until([&] { return there.step() == 0 && lane_->refusal().has_value(); }));
  EXPECT_NE(lane_->refusal()->message.find("4 times"), std::string::npos) << lane_->refusal()->message;
}

TEST_F(LaneTest, SaysUnknownOfWhatWasSentWhenTheBooksAreGone) {
  ASSERT_TRUE(open());
  submit(3);
  ASSERT_TRUE(all_answered());
  server_.loses_answers = true;
  server_.credit = {4, 1'000, 10};
  submit(1);
  ASSERT_TRUE(run_until([&] { return server_.decided.size() == 4; }));
  server_.kill();
  ASSERT_TRUE(run_until([&] { return !lane_->is_open(); }));
  submit(2);  // never sent
  server_.next_sequence = 1;
  server_.kept.clear();
  server_.decided.clear();
  server_.loses_answers = false;
  server_.start();
  ASSERT_TRUE(all_answered());
  EXPECT_EQ(lane_->statistics().events_unknown, 2U);
  EXPECT_EQ(lane_->statistics().books_lost, 1U);
  EXPECT_EQ(server_.decided, from_one_to(2));
  EXPECT_EQ(last_.outcome, Outcome::kDecided);
}

TEST_F(LaneTest, LeavesItsCountsWithTheServer) {
  ASSERT_TRUE(open());
  submit(3);
  lane_->say_bye();  // goes out when all is answered
  ASSERT_TRUE(run_until([&] { return lane_->bye_echo().has_value(); }));
  ASSERT_EQ(server_.byes.size(), 1U);
  const wire::Bye& bye = server_.byes.front();
  EXPECT_EQ(bye.source, SourceId{7});
  EXPECT_EQ(bye.run, RunNumber{3});
  EXPECT_EQ(bye.events_sent, 6U);
  EXPECT_EQ(bye.events_accepted, 3U);
  EXPECT_EQ(bye.events_rejected, 3U);
}

TEST_F(LaneTest, LetsACallbackSubmit) {
  int left = 5;
  AnswerCallback again = [&](const Answer& answer) {
    note(answer);
    EXPECT_EQ(lane_->step(), 0U);  // polling within a callback does nothing
    if (left-- > 0) lane_->enqueue(pair_batch(again));
  };
  lane_->enqueue(pair_batch(again));
  EXPECT_TRUE(all_answered());
  expect_one_answer_each(6);
}

}  // namespace
}  // namespace kantrig::client
