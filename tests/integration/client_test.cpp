// The client against a daemon of the test's own making, over ipc, with the daemon in a thread of its own.
#include "client/client.hpp"

#include "support/scripted_server.hpp"
#include "support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace kantrig::client {
namespace {

constexpr std::uint32_t kPatienceMs = 10'000;

class ClientTest : public testing::Test {
 protected:
  void SetUp() override {
    options_.endpoint = endpoint_;
    options_.connect_timeout_ms = kPatienceMs;
  }
  void serve() {
    server_.start();
    thread_ = std::thread([this] {
      while (!stop_.load()) {
        if (server_.step() == 0) server_.wait(10);
      }
    });
  }
  void TearDown() override {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }

  test::TemporaryFolder folder_;
  std::string endpoint_ = "ipc://" + (folder_.path() / "events").string();
  test::ScriptedServer server_{endpoint_};
  std::atomic<bool> stop_{false};
  std::thread thread_;
  Options options_;
  const std::vector<std::uint8_t> rows_{1, 0, 2, 0, 3, 0};
};

TEST_F(ClientTest, DecidesABatchAndCloses) {
  serve();
  auto client = Client::connect(options_);
  ASSERT_TRUE(client.has_value()) << client.error().message;
  EXPECT_EQ(client->session().features, (std::vector<std::string>{"a", "b"}));
  const auto decisions = client->decide(Batch::of_codes(rows_, 2), kPatienceMs);
  ASSERT_TRUE(decisions.has_value()) << decisions.error().message;
  EXPECT_EQ(decisions->accepted, (std::vector<bool>{true, false, true}));
  EXPECT_EQ(decisions->first_event_id, 0U);
  EXPECT_EQ(client->decide(Batch::of_codes(rows_, 2), kPatienceMs)->first_event_id, 3U);
  const auto counts = client->close(kPatienceMs);
  ASSERT_TRUE(counts.has_value()) << counts.error().message;
  EXPECT_EQ(counts->events_sent, 6U);
  EXPECT_EQ(counts->events_accepted, 4U);
}

TEST_F(ClientTest, AnswersTenThousandBatchesOnceEach) {
  serve();
  options_.submit_wait_ms = kPatienceMs;
  options_.batches_pending_max = 64;
  auto client = Client::connect(options_);
  ASSERT_TRUE(client.has_value()) << client.error().message;
  std::uint64_t answered = 0;
  for (int i = 0; i < 10'000; ++i) {
    Payload payload = Payload::borrowed(
        std::as_bytes(std::span(rows_)), [](void*, void*) {}, nullptr);
    Batch batch{.payload = std::move(payload),
                .event_count = 3,
                .feature_count = 2,
                .encoding = wire::Encoding::kCode8};
    ASSERT_TRUE(client->submit(std::move(batch), [&](const Answer&) { ++answered; }).has_value());
  }
  ASSERT_TRUE(client->wait_answers(kPatienceMs).has_value());
  EXPECT_EQ(answered, 10'000U);
  EXPECT_EQ(client->statistics().events_accepted, 20'000U);
  EXPECT_EQ(client->statistics().batches_resent, 0U);
  EXPECT_GT(client->latency().quantile_ns(0.5), 0U);
}

TEST_F(ClientTest, RefusesABatchThatCannotBeRight) {
  serve();
  auto client = Client::connect(options_);
  ASSERT_TRUE(client.has_value()) << client.error().message;
  Batch batch = Batch::of_codes(rows_, 2);
  batch.event_count = 4;
  const auto taken = client->submit(std::move(batch), nullptr);
  ASSERT_FALSE(taken.has_value());
  EXPECT_EQ(taken.error().message, "submit: payload of 6 bytes, expected 4 events x 2 features x 1 bytes");
  EXPECT_FALSE(client->submit(Batch{}, nullptr).has_value());
  const std::vector<std::uint8_t> many(200'002, 1);
  const auto large = client->submit(Batch::of_codes(many, 2), nullptr);
  ASSERT_FALSE(large.has_value());
  EXPECT_EQ(large.error().message, "submit: 100001 events, expected at most 100000 a batch");
}

TEST_F(ClientTest, IsBusyWhenTooMuchIsPending) {
  server_.credit = {0, 0, 0};
  serve();
  options_.batches_pending_max = 2;
  auto client = Client::connect(options_);
  ASSERT_TRUE(client.has_value()) << client.error().message;
  int closed = 0;
  const auto on_answer = [&](const Answer& answer) { closed += answer.outcome == Outcome::kClosed ? 1 : 0; };
  EXPECT_TRUE(client->submit(Batch::of_codes(rows_, 2), on_answer).has_value());
  EXPECT_TRUE(client->submit(Batch::of_codes(rows_, 2), on_answer).has_value());
  EXPECT_FALSE(client->has_room(6));
  const auto third = client->submit(Batch::of_codes(rows_, 2), on_answer);
  ASSERT_FALSE(third.has_value());
  EXPECT_EQ(third.error().code, ErrorCode::kBusy);
  const auto unanswered = client->close(20);
  ASSERT_FALSE(unanswered.has_value());
  EXPECT_EQ(unanswered.error().code, ErrorCode::kTimeout);
  { const Client gone = std::move(*client); }
  EXPECT_EQ(closed, 2);
}

TEST_F(ClientTest, SaysWhyItIsNotWelcome) {
  server_.welcome_reason = wire::Reason::kSourceUnknown;
  serve();
  const auto client = Client::connect(options_);
  ASSERT_FALSE(client.has_value());
  EXPECT_NE(client.error().message.find("source_unknown: expected source 7"), std::string::npos)
      << client.error().message;
}

TEST_F(ClientTest, SaysThatNobodyAnswers) {
  options_.connect_timeout_ms = 20;
  const auto client = Client::connect(options_);
  ASSERT_FALSE(client.has_value());
  EXPECT_EQ(client.error().code, ErrorCode::kTimeout);
  options_.endpoint = "nowhere";
  const auto odd = Client::connect(options_);
  ASSERT_FALSE(odd.has_value());
  EXPECT_EQ(odd.error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace kantrig::client
