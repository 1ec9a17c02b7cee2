// Batches under way: order, decisions, and what the lane sends meanwhile.
#include "integration/late_room.hpp"
#include "kantrig/v1/session.pb.h"

namespace kantrig::test {
namespace {

using wire::Reason;

TEST_F(LateShardTest, AnswersInTheOrderOfReceiptInWhateverOrderBatchesComeBack) {
  for (std::uint64_t sequence = 1; sequence <= 6; ++sequence) send(sequence);
  step_until_begun(6);
  for (const std::uint32_t i : {5U, 4U, 2U, 1U}) card_.give_back(i);
  EXPECT_TRUE(silent(client_)) << "the first is not back";
  EXPECT_EQ(room_.counts().totals.received, 0U) << "nor is anything in the books";
  card_.give_back(0);
  for (std::uint64_t sequence = 1; sequence <= 3; ++sequence) expect_answer(sequence, wire::Path::kFpga);
  EXPECT_TRUE(silent(client_));
  card_.give_back(3);
  for (std::uint64_t sequence = 4; sequence <= 6; ++sequence) expect_answer(sequence, wire::Path::kFpga);
  EXPECT_EQ(room_.counts().totals.received, 24U);
}

TEST_F(LateShardTest, LetsABatchThatTheCpuDecidesWaitForItsTurn) {
  card_.refuses_events = 5;
  send(1);
  step_until_begun(1);
  send(client_, rows(2, 5));
  EXPECT_TRUE(silent(client_));
  card_.give_back(0);
  expect_answer(1, wire::Path::kFpga);
  expect_answer(2, wire::Path::kCpu);
  send(client_, rows(3, 5));
  expect_answer(3, wire::Path::kCpu);  // with nothing before it, at once
  EXPECT_EQ(card_.begun, 1U);
}

TEST_F(LateShardTest, BeginsNoMoreThanItHasRoomForAndReadsOnWhenOneIsAnswered) {
  for (std::uint64_t sequence = 1; sequence <= kDepth + 3; ++sequence) send(sequence);
  step_until_begun(kDepth);
  EXPECT_TRUE(silent(client_));
  EXPECT_EQ(card_.begun, kDepth);
  card_.give_back(0);
  expect_answer(1, wire::Path::kFpga);
  step_until_begun(kDepth + 1);
  EXPECT_GT(card_.backlog, 0U) << "it had not read everything";
  card_.give_back_all();
  for (std::uint64_t sequence = 2; sequence <= kDepth + 3; ++sequence)
    expect_answer(sequence, wire::Path::kFpga);
}

TEST_F(LateShardTest, DecidesAsTheReferenceDoesHoweverLateAndWhoeverDecides) {
  RawClient other = room_.connect("client of source 8");
  greet(other, {8});
  constexpr std::uint64_t kBatches = 400;
  std::vector<Rows> sent;
  for (std::uint32_t i = 0; i < LateCard::kBatchesMax; ++i)
    card_.give_back(i, static_cast<std::int32_t>(random_() % 6));
  card_.refuses_events = 9;
  std::uint64_t answered = 0;
  std::uint64_t events = 0;
  for (std::uint64_t i = 0; i < 2 * kBatches; ++i) {
    const bool second = i % 2 == 1;
    sent.push_back(rows(1 + i / 2, 1 + static_cast<std::uint32_t>(random_() % 64), {second ? 8U : 7U}));
    events += sent.back().header.event_count;
    send(second ? other : client_, sent.back());
    for (; i - answered >= 11 && !HasFailure(); ++answered)
      expect_reference(answer(answered % 2 == 1 ? other : client_), sent[answered], model_->bundle.model);
  }
  for (; answered < 2 * kBatches && !HasFailure(); ++answered)
    expect_reference(answer(answered % 2 == 1 ? other : client_), sent[answered], model_->bundle.model);
  EXPECT_GT(card_.came_back, kBatches);
  EXPECT_EQ(card_.taken_over, 0U);
  EXPECT_EQ(room_.counts().totals.received, events);
  EXPECT_EQ(room_.counts().batches, 2 * kBatches);
}

TEST_F(LateShardTest, AnswersARepeatOfABatchUnderWayAfterTheBatchItself) {
  const Rows first = rows(1);
  send(client_, first);
  send(2);
  step_until_begun(2);
  send(client_, first);
  expect_answer(1, wire::Path::kCpu);
  expect_answer(2, wire::Path::kCpu);
  const Answer repeated = answer();
  EXPECT_EQ(repeated.sequence, 1U);
  EXPECT_TRUE(repeated.duplicate);
  EXPECT_EQ(card_.taken_over, 2U);
  EXPECT_EQ(room_.counts().totals.duplicate, 4U);
  card_.give_back_all();
  send(3);
  expect_answer(3, wire::Path::kFpga);
}

TEST_F(LateShardTest, AnswersAGapAfterWhatIsUnderWayAndTakesTheMissingBatch) {
  send(1);
  step_until_begun(1);
  send(3);
  expect_answer(1, wire::Path::kCpu);
  const Answer gap = answer();
  EXPECT_EQ(gap.reason, Reason::kSequenceGap);
  EXPECT_EQ(gap.expected_sequence, 2U);
  card_.give_back_all();
  send(2);
  send(3);
  expect_answer(2, wire::Path::kFpga);
  expect_answer(3, wire::Path::kFpga);
}

TEST_F(LateShardTest, EntersABatchThatCannotBeDecidedInItsTurn) {
  send(1);
  step_until_begun(1);
  Rows wrong = rows(2);
  wrong.header.feature_count = 1;
  wrong.header.event_count = 8;
  send(client_, wrong);
  wrong = rows(3);
  wrong.codes.pop_back();
  send(client_, wrong);
  expect_answer(1, wire::Path::kCpu);
  EXPECT_EQ(answer().reason, Reason::kFeatureCount);
  EXPECT_EQ(answer().reason, Reason::kPayloadSize);
  card_.give_back_all();
  send(4);
  expect_answer(4, wire::Path::kFpga);
}

TEST_F(LateShardTest, LeavesToTheCardWhatAStrangerDisturbs) {
  send(1);
  step_until_begun(1);
  RawClient stranger = room_.connect("stranger");
  Rows uninvited = rows(1);
  send(stranger, uninvited);
  EXPECT_EQ(answer(stranger).reason, Reason::kNotWelcomed);
  constexpr std::array<std::byte, 3> kNoise{std::byte{0xFF}, std::byte{0xFF}, std::byte{0xFF}};
  stranger.send(kNoise);
  EXPECT_EQ(answer(stranger).reason, Reason::kHeader);
  EXPECT_EQ(card_.taken_over, 0U);
  card_.give_back_all();
  expect_answer(1, wire::Path::kFpga);
}

TEST_F(LateShardTest, EchoesAHeartbeatWithoutWaitingForTheCard) {
  send(1);
  step_until_begun(1);
  std::array<std::byte, wire::kClientMessageBytesMax> bytes{};
  client_.send(std::span(bytes).first(wire::encode_heartbeat({5}, bytes)));
  const wire::ServerMessage* echo = room_.answer_to(client_);
  ASSERT_TRUE(echo != nullptr && echo->kind == wire::ServerMessageKind::kHeartbeat);
  EXPECT_EQ(card_.taken_over, 0U);
  card_.give_back_all();
  expect_answer(1, wire::Path::kFpga);
}

TEST_F(LateShardTest, ComparesTheShadowWithEveryBatchTheOneFrameFormIncluded) {
  pipeline::Conditions shadowed = conditions_of(model_, std::string(kLateMenu));
  shadowed.shadow = loaded(small_bundle());
  shadowed.shadow_menu = shadowed.menu;
  shadowed.block = {2};
  room_.adopt(shadowed);
  for (std::uint64_t sequence = 1; sequence <= 5; ++sequence) send(sequence);
  step_until_begun(5);
  v1::ClientMessage one_frame;
  one_frame.mutable_header()->set_protocol_version(wire::kProtocol);
  one_frame.mutable_header()->set_source_id(7);
  one_frame.mutable_header()->set_sequence(6);
  one_frame.mutable_header()->set_event_count(1);
  one_frame.mutable_header()->set_feature_count(kFeatures);
  one_frame.add_values(1.0F);
  one_frame.add_values(2.0F);
  const std::string bytes = one_frame.SerializeAsString();
  client_.send(std::as_bytes(std::span(bytes)));
  for (std::uint64_t sequence = 1; sequence <= 6; ++sequence) expect_answer(sequence, wire::Path::kCpu);
  card_.give_back_all();
  send(7);
  expect_answer(7, wire::Path::kFpga);
  EXPECT_EQ(room_.shard().probe().shadow_compared.value(), 25U);
  EXPECT_EQ(room_.shard().probe().shadow_class_disagreements.value(), 0U);
  EXPECT_EQ(room_.shard().probe().shadow_accept_disagreements.value(), 0U);
}

TEST_F(LateShardTest, HasNoMoreUnderWayThanItCanKeepTheAnswersOf) {
  pipeline::ShardOptions tight = options();
  tight.ledger.batches_kept = 4;
  tight.credit.batches = 4;
  ShardRoom room(tight);
  room.adopt(conditions_of(model_, std::string(kLateMenu)));
  RawClient greedy = room.connect("greedy");
  greedy.send(wire::Hello{wire::kProtocol, {7}, {0}, "test", 1});
  ASSERT_NE(room.answer_to(greedy), nullptr);
  for (std::uint64_t sequence = 1; sequence <= 6; ++sequence) send(greedy, rows(sequence));
  for (std::uint64_t sequence = 1; sequence <= 4; ++sequence) {
    const wire::ServerMessage* message = room.answer_to(greedy);
    ASSERT_NE(message, nullptr);
    EXPECT_EQ(message->decision.sequence.value, sequence);
    EXPECT_EQ(message->decision.path, wire::Path::kCpu) << "beyond the credit they were settled";
  }
  card_.give_back_all();
  for (std::uint64_t sequence = 5; sequence <= 6; ++sequence)
    EXPECT_EQ(room.answer_to(greedy)->decision.sequence.value, sequence);
  EXPECT_EQ(room.counts().totals.residual(), 0);
}

}  // namespace
}  // namespace kantrig::test
