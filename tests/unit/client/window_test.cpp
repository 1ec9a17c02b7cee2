#include "client/window.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace kantrig::client {
namespace {

constexpr wire::Credit kPlenty{1'000'000, 1'000'000, 1'000};

PendingBatch batch_of(std::uint32_t events) {
  PendingBatch batch;
  batch.header.event_count = events;
  batch.payload = wire::Frame::with_size(events);
  return batch;
}

/// Sends whatever the credit allows and returns the sequences.
std::vector<std::uint64_t> send_all(Window& window, const wire::Credit& credit, std::uint64_t now_ns = 1) {
  std::vector<std::uint64_t> sequences;
  while (PendingBatch* batch = window.next_to_send(credit)) {
    sequences.push_back(batch->header.sequence.value);
    window.mark_sent(now_ns);
  }
  return sequences;
}

using Sequences = std::vector<std::uint64_t>;

TEST(Window, SendsInOrderAndOnce) {
  Window window(4);
  for (int i = 0; i < 3; ++i) window.push(batch_of(10));
  EXPECT_EQ(send_all(window, kPlenty), (Sequences{1, 2, 3}));
  EXPECT_EQ(send_all(window, kPlenty), Sequences{});
  EXPECT_EQ(window.in_flight(), (wire::Credit{30, 30, 3}));
  EXPECT_EQ(window.last_sent(), Sequence{3});
}

TEST(Window, StaysWithinTheCreditInEventsBytesAndBatches) {
  for (const wire::Credit credit : {wire::Credit{25, 1000, 10}, {1000, 25, 10}, {1000, 1000, 2}}) {
    Window window(4);
    for (int i = 0; i < 3; ++i) window.push(batch_of(10));
    EXPECT_EQ(send_all(window, credit), (Sequences{1, 2}));
    ASSERT_TRUE(window.take({1}));
    EXPECT_EQ(send_all(window, credit), (Sequences{3}));
  }
  Window window(4);
  window.push(batch_of(1));
  EXPECT_EQ(send_all(window, {0, 0, 0}), Sequences{});
  EXPECT_TRUE(window.waiting());
}

TEST(Window, GivesABatchOutOnce) {
  Window window(4);
  window.push(batch_of(10));
  window.push(batch_of(10));
  EXPECT_FALSE(window.take({1}));  // never sent: nobody can have answered it
  send_all(window, kPlenty);
  EXPECT_TRUE(window.take({2}));
  EXPECT_EQ(window.unanswered(), 1U);
  EXPECT_FALSE(window.take({2}));
  EXPECT_TRUE(window.take({1}));
  EXPECT_TRUE(window.empty());
  EXPECT_FALSE(window.take({1}));
  EXPECT_FALSE(window.take({7}));
  EXPECT_EQ(window.in_flight(), wire::Credit{});
  EXPECT_EQ(window.pending_bytes(), 0U);
}

TEST(Window, IsFullAtItsBoundAndGoesRoundAndRound) {
  Window window(3);
  std::uint64_t next = 1;
  for (int round = 0; round < 20; ++round) {
    while (!window.full()) EXPECT_EQ(window.push(batch_of(1)).header.sequence.value, next++);
    send_all(window, kPlenty);
    ASSERT_TRUE(window.take({next - 3}));
    ASSERT_TRUE(window.take({next - 2}));
  }
}

TEST(Window, SendsARefusedBatchAndAllLaterOnesAgain) {
  Window window(8);
  for (int i = 0; i < 4; ++i) window.push(batch_of(10));
  send_all(window, kPlenty);
  ASSERT_TRUE(window.take({1}));
  EXPECT_TRUE(window.hold_back({2}));
  EXPECT_EQ(window.in_flight(), wire::Credit{});
  EXPECT_EQ(send_all(window, kPlenty), (Sequences{2, 3, 4}));
}

TEST(Window, IgnoresRefusalsOfCopiesThatWereSentAgainSince) {
  Window window(8);
  for (int i = 0; i < 3; ++i) window.push(batch_of(10));
  send_all(window, kPlenty);
  EXPECT_TRUE(window.hold_back({1}));
  EXPECT_EQ(send_all(window, kPlenty), (Sequences{1, 2, 3}));
  EXPECT_FALSE(window.hold_back({2}));  // of the first copies, which fell into the gap
  EXPECT_FALSE(window.hold_back({3}));
  EXPECT_EQ(send_all(window, kPlenty), Sequences{});
  EXPECT_TRUE(window.take({1}));
  EXPECT_TRUE(window.hold_back({2}));  // of the second
  EXPECT_EQ(send_all(window, kPlenty), (Sequences{2, 3}));
}

TEST(Window, SendsEverythingAgainWhenTheConnectionIsLost) {
  Window window(8);
  for (int i = 0; i < 3; ++i) window.push(batch_of(10));
  send_all(window, kPlenty, 5);
  EXPECT_EQ(window.oldest_sent_ns(), 5U);
  ASSERT_TRUE(window.take({2}));
  window.lose_copies();
  EXPECT_EQ(window.oldest_sent_ns(), 0U);
  EXPECT_FALSE(window.hold_back({1}));  // no copy is under way
  EXPECT_EQ(send_all(window, kPlenty, 9), (Sequences{1, 3}));
  EXPECT_EQ(window.oldest_sent_ns(), 9U);
  EXPECT_TRUE(window.take({1}));
  EXPECT_TRUE(window.take({3}));
}

TEST(Window, TakesTheAnswerToABatchThatWaitsToBeSentAgain) {
  Window window(4);
  window.push(batch_of(10));
  send_all(window, kPlenty);
  window.hold_all();
  ASSERT_TRUE(window.take({1}));
  EXPECT_EQ(window.in_flight(), wire::Credit{});
  EXPECT_EQ(send_all(window, kPlenty), Sequences{});
}

TEST(Window, KnowsWhichNextSequenceADaemonCanMean) {
  Window window(8);
  for (int i = 0; i < 4; ++i) window.push(batch_of(1));
  send_all(window, {2, 100, 10});  // 1 and 2
  for (const std::uint64_t next : {1U, 2U, 3U}) EXPECT_TRUE(window.is_plausible_next({next})) << next;
  for (const std::uint64_t next : {0U, 4U, 5U}) EXPECT_FALSE(window.is_plausible_next({next})) << next;
}

TEST(Window, RenumbersBatchesThatWereNeverSent) {
  for (const std::uint64_t next : {1U, 2U, 5U, 1000U, 1003U}) {
    Window window(4);
    window.push(batch_of(1));
    window.push(batch_of(2));
    send_all(window, {1, 100, 10});
    ASSERT_TRUE(window.take_oldest_sent());
    EXPECT_FALSE(window.take_oldest_sent());
    window.push(batch_of(3));
    window.renumber({next});
    EXPECT_EQ(send_all(window, kPlenty), (Sequences{next, next + 1}));
    EXPECT_EQ(window.take({next})->header.event_count, 2U);
    EXPECT_EQ(window.take({next + 1})->header.event_count, 3U);
  }
}

}  // namespace
}  // namespace kantrig::client
