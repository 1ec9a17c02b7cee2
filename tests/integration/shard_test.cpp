// A real shard and raw clients: every reason for which a batch gets no decision, and what the books say of
// it.
#include <limits>

#include "integration/shard_room.hpp"
#include "unit/kan/small_bundle.hpp"

namespace kantrig::test {
namespace {

using wire::Reason;

constexpr std::string_view kMenu = R"(version = 1
name = "test"
[[line]]
name = "w"
when = "class == w"
)";
constexpr std::array<std::byte, 8> kCodes{std::byte{0}, std::byte{1}, std::byte{2},
                                          std::byte{3}, std::byte{3}, std::byte{2},
                                          std::byte{1}, std::byte{0}};  // 4 events of 2 features

class ShardTest : public testing::Test {
 protected:
  static pipeline::ShardOptions options() {
    pipeline::ShardOptions options;
    options.ledger = {.lanes_max = 2, .batches_kept = 4, .answer_bytes_kept = 64U << 10};
    options.events_per_batch_max = 64;
    options.sources = {7, 8};
    options.credit = {1'000, 100'000, 4};
    return options;
  }

  void SetUp() override {
    room_.adopt(conditions());
    greet(client_, {7});
    greet(other_, {8});
  }

  /// However a test ends: the books balance, and the other lane goes on as if nothing had happened.
  void TearDown() override {
    EXPECT_EQ(room_.counts().totals.residual(), 0);
    if (!other_lane_works_) return;
    wire::BatchHeader header = four_events(1);
    header.source = {8};
    const auto answer = send(other_, header, kCodes);
    EXPECT_EQ(answer.reason, Reason::kNone);
    EXPECT_EQ(answer.accepted_count + answer.rejected_count, 4U);
    EXPECT_EQ(room_.counts().totals.residual(), 0);
  }

  pipeline::Conditions conditions() const { return conditions_of(model_, std::string(kMenu)); }

  wire::WelcomeView greet(RawClient& client, SourceId source, LaneId lane = {0}) {
    client.send(wire::Hello{wire::kProtocol, source, lane, "test", 1});
    const wire::ServerMessage* message = room_.answer_to(client);
    EXPECT_TRUE(message != nullptr && message->kind == wire::ServerMessageKind::kWelcome);
    return message == nullptr ? wire::WelcomeView{} : message->welcome;
  }

  static wire::BatchHeader four_events(std::uint64_t sequence) {
    wire::BatchHeader header;
    header.protocol_version = wire::kProtocol;
    header.source = {7};
    header.sequence = {sequence};
    header.event_count = 4;
    header.feature_count = 2;
    header.encoding = wire::Encoding::kCode8;
    return header;
  }

  /// The answer; its views are valid until the client's next message.
  wire::DecisionView send(RawClient& client, const wire::BatchHeader& header,
                          std::span<const std::byte> payload) {
    client.send(header, payload);
    return answer(client);
  }
  wire::DecisionView answer(RawClient& client) {
    const wire::ServerMessage* message = room_.answer_to(client);
    EXPECT_TRUE(message != nullptr && message->kind == wire::ServerMessageKind::kDecision);
    return message == nullptr ? wire::DecisionView{} : message->decision;
  }
  wire::DecisionView send(const wire::BatchHeader& header, std::span<const std::byte> payload = kCodes) {
    return send(client_, header, payload);
  }

  /// Sends and expects the reason, counted once for `events` events, as malformed or refused; with the lane's
  /// sequence used up or not.
  enum class Counted : std::uint8_t { kMalformed, kRefused };
  void expect_reason(Reason reason, const wire::BatchHeader& header, std::span<const std::byte> payload,
                     Counted as, std::uint64_t events = 4) {
    const ledger::BlockCounts before = room_.counts();
    const wire::DecisionView decision = send(header, payload);
    EXPECT_EQ(wire::name_of(decision.reason), wire::name_of(reason));
    EXPECT_FALSE(decision.detail.empty()) << "says what was expected";
    EXPECT_EQ(decision.sequence, header.sequence);
    EXPECT_EQ(decision.accepted_count + decision.rejected_count, 0U);
    const ledger::BlockCounts after = room_.counts();
    const auto index = static_cast<std::size_t>(reason);
    EXPECT_EQ(after.reasons[index].events, before.reasons[index].events + events);
    EXPECT_EQ(after.reasons[index].batches, before.reasons[index].batches + 1);
    EXPECT_EQ(after.totals.malformed, before.totals.malformed + (as == Counted::kMalformed ? events : 0));
    EXPECT_EQ(after.totals.refused, before.totals.refused + (as == Counted::kRefused ? events : 0));
    EXPECT_EQ(after.totals.received, before.totals.received + events);
    EXPECT_EQ(after.totals.residual(), 0);
  }

  [[nodiscard]] ledger::ReasonCounts counted(Reason reason) {
    return room_.counts().reasons[static_cast<std::size_t>(reason)];
  }

  std::shared_ptr<const pipeline::LoadedModel> model_ = loaded(small_bundle());
  ShardRoom room_{options()};
  RawClient client_ = room_.connect("client of source 7");
  RawClient other_ = room_.connect("client of source 8");
  bool other_lane_works_ = true;
};

TEST_F(ShardTest, DecidesABatchAsTheReferenceDoes) {
  wire::BatchHeader header = four_events(1);
  header.want_classes = header.want_scores = header.want_lines = true;
  const auto decision = send(header);
  EXPECT_EQ(decision.reason, Reason::kNone);
  EXPECT_EQ(decision.generation.value, 1U);
  ASSERT_EQ(decision.classes.size(), 4U);
  ASSERT_EQ(decision.scores.size(), 4 * 3 * sizeof(std::int16_t));
  std::uint32_t accepted = 0;
  for (std::uint32_t i = 0; i < 4; ++i) {
    const std::vector<std::uint16_t> codes{static_cast<std::uint16_t>(kCodes[2 * i]),
                                           static_cast<std::uint16_t>(kCodes[2 * i + 1])};
    const auto outputs = kan::reference_outputs(model_->bundle.model, codes);
    const std::uint8_t expected = kan::reference_class(model_->bundle.model, outputs);
    EXPECT_EQ(static_cast<std::uint8_t>(decision.classes[i]), expected);
    EXPECT_EQ(std::memcmp(decision.scores.data() + i * 6, outputs.data(), 6), 0);
    accepted += expected == 1 ? 1 : 0;
  }
  EXPECT_EQ(decision.accepted_count, accepted);
  EXPECT_EQ(decision.rejected_count, 4 - accepted);
}

TEST_F(ShardTest, AnswersARepeatedBatchWithTheKeptAnswerAndCountsItAsDuplicate) {
  wire::BatchHeader header = four_events(1);
  header.want_scores = true;
  const auto first = send(header);
  EXPECT_FALSE(first.duplicate);
  const std::vector<std::byte> scores(first.scores.begin(), first.scores.end());
  const std::uint32_t accepted = first.accepted_count;
  const std::uint64_t sent_ns = first.send_time_ns;
  room_.clock.now += 1'000'000;
  const auto second = send(header);
  EXPECT_TRUE(second.duplicate);
  EXPECT_EQ(second.accepted_count, accepted);
  EXPECT_EQ(second.send_time_ns, sent_ns);
  EXPECT_TRUE(std::ranges::equal(second.scores, scores));
  EXPECT_EQ(second.credit.events, options().credit.events);
  EXPECT_EQ(room_.counts().totals.duplicate, 4U);
  EXPECT_EQ(room_.counts().totals.received, 8U);
}

TEST_F(ShardTest, KeepsItsAnswersForTheNextLifeOnTheSameLedger) {
  const std::uint32_t accepted = send(four_events(1)).accepted_count;
  room_.reopen();
  room_.adopt(conditions());
  RawClient again = room_.connect("client of source 7");
  EXPECT_EQ(greet(again, {7}).next_sequence.value, 2U);
  const auto decision = send(again, four_events(1), kCodes);
  EXPECT_TRUE(decision.duplicate);
  EXPECT_EQ(decision.accepted_count, accepted);
  EXPECT_EQ(room_.counts().totals.duplicate, 4U);
  RawClient other = room_.connect("client of source 8");
  greet(other, {8});
  other_ = std::move(other);
}

TEST_F(ShardTest, RefusesABatchWhosePredecessorsAreMissingAndTakesItAfterThem) {
  expect_reason(Reason::kSequenceGap, four_events(2), kCodes, Counted::kRefused);
  const auto gap = send(four_events(3));
  EXPECT_EQ(gap.expected_sequence.value, 1U);
  EXPECT_EQ(send(four_events(1)).reason, Reason::kNone);
  EXPECT_EQ(send(four_events(2)).reason, Reason::kNone);
}

TEST_F(ShardTest, RefusesABatchWhoseAnswerIsNoLongerKept) {
  for (std::uint64_t sequence = 1; sequence <= 6; ++sequence)
    EXPECT_EQ(send(four_events(sequence)).reason, Reason::kNone);
  expect_reason(Reason::kSequenceOld, four_events(1), kCodes, Counted::kRefused);
  EXPECT_TRUE(send(four_events(6)).duplicate);
}

TEST_F(ShardTest, RefusesABatchWhileNoRunIsOnAndTakesItInTheNext) {
  pipeline::Conditions idle = conditions();
  idle.run = {0};
  idle.block = {2};
  room_.adopt(idle);
  expect_reason(Reason::kNoRun, four_events(1), kCodes, Counted::kRefused);
  pipeline::Conditions next = conditions();
  next.run = {2};
  room_.adopt(next);
  const auto decision = send(four_events(1));
  EXPECT_EQ(decision.reason, Reason::kNone);
  EXPECT_EQ(decision.run.value, 2U);
}

TEST_F(ShardTest, RefusesABatchForAnotherRunForGood) {
  wire::BatchHeader header = four_events(1);
  header.run = {9};
  expect_reason(Reason::kRunMismatch, header, kCodes, Counted::kRefused);
  EXPECT_EQ(send(four_events(2)).reason, Reason::kNone) << "the sequence was used up";
  EXPECT_TRUE(send(header).duplicate) << "and the refusal is kept";
}

TEST_F(ShardTest, RefusesWhatIsSentAfterADrainWasAcknowledged) {
  pipeline::Conditions draining = conditions();
  draining.draining = true;
  draining.block = {2};
  room_.adopt(draining);
  EXPECT_EQ(send(four_events(1)).reason, Reason::kNone) << "what was under way is still decided";
  client_.send(wire::DrainAck{{7}, {0}, {1}});
  expect_reason(Reason::kCredit, four_events(2), kCodes, Counted::kRefused);
  EXPECT_FALSE(room_.shard().drained()) << "the other lane has not acknowledged";
  other_.send(wire::DrainAck{{8}, {0}, {0}});
  wire::BatchHeader header = four_events(1);
  header.source = {8};
  EXPECT_EQ(send(other_, header, kCodes).reason, Reason::kCredit);
  EXPECT_TRUE(room_.shard().drained());
  pipeline::Conditions on = conditions();
  on.block = {3};
  room_.adopt(on);
  EXPECT_EQ(send(four_events(2)).reason, Reason::kNone);
}

TEST_F(ShardTest, CallsMalformedWhatDoesNotFitTheModel) {
  wire::BatchHeader header = four_events(1);
  header.feature_count = 1;
  header.event_count = 8;
  expect_reason(Reason::kFeatureCount, header, kCodes, Counted::kMalformed, 8);
  header = four_events(2);
  header.feature_count = 0;
  expect_reason(Reason::kFeatureCount, header, {}, Counted::kMalformed);
  EXPECT_EQ(send(four_events(3)).reason, Reason::kNone);
}

TEST_F(ShardTest, CallsMalformedNoEventsAndTooManyWhichItDoesNotBelieve) {
  wire::BatchHeader header = four_events(1);
  header.event_count = 0;
  expect_reason(Reason::kEventCount, header, {}, Counted::kMalformed, 0);
  header = four_events(2);
  header.event_count = 65;
  const std::vector<std::byte> payload(std::size_t{65} * 2);
  expect_reason(Reason::kEventCount, header, payload, Counted::kMalformed, 0);
  EXPECT_EQ(send(four_events(3)).reason, Reason::kNone);
}

TEST_F(ShardTest, CallsMalformedAnUnknownEncodingAndFloatsForAModelOfCodes) {
  wire::BatchHeader header = four_events(1);
  header.encoding = static_cast<wire::Encoding>(9);
  expect_reason(Reason::kEncoding, header, kCodes, Counted::kMalformed);
  kan::Bundle bundle = small_bundle();
  bundle.model.codes_only = true;
  model_ = loaded(std::move(bundle));
  pipeline::Conditions next = conditions();
  next.block = {2};
  next.generation = {2};
  room_.adopt(next);
  header = four_events(2);
  header.encoding = wire::Encoding::kFloat32;
  const std::array<float, 8> floats{};
  expect_reason(Reason::kEncoding, header, std::as_bytes(std::span(floats)), Counted::kMalformed);
  EXPECT_EQ(send(four_events(3)).reason, Reason::kNone);
}

TEST_F(ShardTest, CallsMalformedAPayloadThatDisagreesWithItsHeader) {
  expect_reason(Reason::kPayloadSize, four_events(1), std::span(kCodes).first(7), Counted::kMalformed);
  expect_reason(Reason::kPayloadSize, four_events(2), {}, Counted::kMalformed);
  EXPECT_EQ(send(four_events(3)).reason, Reason::kNone);
}

TEST_F(ShardTest, CallsMalformedAnotherProtocolVersion) {
  wire::BatchHeader header = four_events(1);
  header.protocol_version = 2;
  expect_reason(Reason::kProtocolVersion, header, kCodes, Counted::kMalformed);
  RawClient stranger = room_.connect("of the future");
  stranger.send(wire::Hello{2, {7}, {0}, "test", 2});
  EXPECT_EQ(room_.answer_to(stranger)->welcome.reason, Reason::kProtocolVersion);
  EXPECT_EQ(send(four_events(2)).reason, Reason::kNone) << "the lane is still its client's";
}

TEST_F(ShardTest, AnswersWhatItCannotReadAndBlamesNoLane) {
  constexpr std::array<std::byte, 3> kNoise{std::byte{0xFF}, std::byte{0xFF}, std::byte{0xFF}};
  client_.send(kNoise, kCodes);
  EXPECT_EQ(answer(client_).reason, Reason::kHeader);
  client_.send(kNoise);
  EXPECT_EQ(answer(client_).reason, Reason::kHeader);
  EXPECT_EQ(counted(Reason::kHeader).batches, 2U);
  EXPECT_EQ(room_.shard().probe().messages_unreadable.value(), 2U);
  EXPECT_EQ(send(four_events(1)).reason, Reason::kNone);
}

TEST_F(ShardTest, DecidesTheOtherEventsOfABatchWithANaNOrACodeThatDoesNotExist) {
  std::array<float, 8> floats{};
  floats[2] = std::numeric_limits<float>::quiet_NaN();
  floats[7] = std::numeric_limits<float>::infinity();  // clamps
  wire::BatchHeader header = four_events(1);
  header.encoding = wire::Encoding::kFloat32;
  auto decision = send(header, std::as_bytes(std::span(floats)));
  EXPECT_EQ(decision.reason, Reason::kNone);
  EXPECT_EQ(decision.malformed_count, 1U);
  ASSERT_EQ(decision.malformed_bitmap.size(), 1U);
  EXPECT_EQ(decision.malformed_bitmap[0], std::byte{0b0010});
  auto codes = kCodes;
  codes[6] = std::byte{4};
  decision = send(four_events(2), codes);
  EXPECT_EQ(decision.malformed_bitmap[0], std::byte{0b1000});
  EXPECT_EQ(decision.accepted_count + decision.rejected_count, 3U);
  EXPECT_EQ(counted(Reason::kNotFinite).events, 2U);
  EXPECT_EQ(room_.counts().totals.malformed, 2U);
}

TEST_F(ShardTest, RefusesAnUnknownSource) {
  RawClient stranger = room_.connect("stranger");
  EXPECT_EQ(greet(stranger, {9}).reason, Reason::kSourceUnknown);
  wire::BatchHeader header = four_events(1);
  header.source = {9};
  EXPECT_EQ(send(stranger, header, kCodes).reason, Reason::kSourceUnknown);
  EXPECT_EQ(counted(Reason::kSourceUnknown).events, 4U);
  EXPECT_EQ(counted(Reason::kSourceUnknown).batches, 2U);
}

TEST_F(ShardTest, RefusesABatchWithoutAHelloOnItsConnectionAndTakesItAfterOne) {
  EXPECT_EQ(send(four_events(1)).reason, Reason::kNone);
  RawClient again = room_.connect("another connection");
  EXPECT_EQ(send(again, four_events(2), kCodes).reason, Reason::kNotWelcomed);
  EXPECT_EQ(counted(Reason::kNotWelcomed).events, 4U);
  EXPECT_EQ(greet(again, {7}).next_sequence.value, 2U);
  EXPECT_EQ(send(again, four_events(2), kCodes).reason, Reason::kNone);
  EXPECT_EQ(send(four_events(3)).reason, Reason::kNotWelcomed) << "the lane moved to the other connection";
}

TEST_F(ShardTest, RefusesALaneTooManyUntilOneIsSilentForLong) {
  RawClient third = room_.connect("third");
  EXPECT_EQ(greet(third, {7}, {1}).reason, Reason::kLaneLimit);
  EXPECT_EQ(counted(Reason::kLaneLimit).batches, 1U);
  EXPECT_EQ(send(four_events(1)).reason, Reason::kNone);
  room_.clock.now += options().lane_timeout_ns / 2;
  EXPECT_EQ(send(four_events(2)).reason, Reason::kNone);  // heard of, unlike the other
  room_.clock.now += options().lane_timeout_ns / 2 + 1;
  EXPECT_EQ(greet(third, {7}, {1}).reason, Reason::kNone);
  EXPECT_EQ(send(four_events(3)).reason, Reason::kNone);
  wire::BatchHeader header = four_events(1);
  header.lane = {1};
  EXPECT_EQ(send(third, header, kCodes).reason, Reason::kNone);
  other_lane_works_ = false;  // it gave way
}

TEST_F(ShardTest, LeavesWithAClientsFarewellWhatItsLaneCounted) {
  const auto decision = send(four_events(1));
  const wire::Bye bye{{7}, {0}, {1}, 4, decision.accepted_count, decision.rejected_count, 0, 0};
  client_.send(bye);
  const wire::ServerMessage* echo = room_.answer_to(client_);
  ASSERT_TRUE(echo != nullptr && echo->kind == wire::ServerMessageKind::kBye);
  EXPECT_EQ(echo->bye.events_sent, 4U);
  const auto goodbye = room_.shard().next_goodbye();
  ASSERT_TRUE(goodbye);
  EXPECT_EQ(goodbye->ledger.received, 4U);
  EXPECT_EQ(goodbye->ledger.accepted, bye.events_accepted);
  EXPECT_EQ(send(four_events(2)).reason, Reason::kNotWelcomed) << "the lane is closed";
}

TEST_F(ShardTest, RefusesAnAnswerTooLargeToKeep) {
  // 64 events with every extra fit; a shard whose answers must be smaller says so instead of deciding.
  pipeline::ShardOptions small = options();
  small.ledger.answer_bytes_kept = 4'096;
  small.events_per_batch_max = 4'096;
  ShardRoom room(small);
  room.adopt(conditions());
  RawClient client = room.connect("greedy");
  client.send(wire::Hello{wire::kProtocol, {7}, {0}, "test", 1});
  ASSERT_NE(room.answer_to(client), nullptr);
  wire::BatchHeader header = four_events(1);
  header.event_count = 1'024;
  header.want_lines = true;
  client.send(header, std::vector<std::byte>(2'048));
  const wire::ServerMessage* message = room.answer_to(client);
  ASSERT_NE(message, nullptr);
  EXPECT_EQ(message->decision.reason, Reason::kEventCount);
  EXPECT_EQ(room.counts().totals.residual(), 0);
  EXPECT_EQ(room.counts().totals.malformed, 1'024U);
}

}  // namespace
}  // namespace kantrig::test
