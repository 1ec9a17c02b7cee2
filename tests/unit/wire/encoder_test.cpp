#include "wire/encoder.hpp"

#include "wire/client_codec.hpp"

#include "kantrig/v1/session.pb.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <string>
#include <vector>

namespace kantrig::wire {
namespace {

std::span<const std::byte> view(const std::string& text) {
  return std::as_bytes(std::span(text));
}

/// A decision with every field set to something of its own.
struct WholeDecision {
  std::string accept = std::string("\x05\x01", 2);
  std::string malformed = std::string("\x02\x00", 2);
  std::string lines = std::string(72, '\x11');
  std::string classes = std::string(9, '\x02');
  std::string scores = std::string(90, '\x7f');
  std::string model = std::string(32, '\xa5');
  std::string menu = std::string(32, '\x5a');

  [[nodiscard]] DecisionView make() const {
    DecisionView d;
    d.source = {1};
    d.lane = {2};
    d.sequence = {std::numeric_limits<std::uint64_t>::max()};
    d.first_event_id = 4;
    d.event_count = 9;
    d.accepted_count = 3;
    d.rejected_count = 5;
    d.malformed_count = 1;
    d.accept_bitmap = view(accept);
    d.malformed_bitmap = view(malformed);
    d.line_bits = view(lines);
    d.classes = view(classes);
    d.scores = view(scores);
    d.score_count = 5;
    d.generation = {6};
    d.model_digest = view(model);
    d.menu_digest = view(menu);
    d.path = Path::kFpga;
    d.reason = Reason::kSequenceGap;
    d.run = {41};
    d.block = {300};
    d.column = 2;
    d.expected_sequence = {77};
    d.receive_time_ns = 1'700'000'000'000'000'001;
    d.send_time_ns = 1'700'000'000'000'000'002;
    d.client_send_time_ns = 1'700'000'000'000'000'003;
    d.detail = "expected sequence 77";
    d.credit = {100'000, 1U << 20, 64};
    return d;
  }
};

v1::ServerMessage parse(std::span<const std::byte> bytes) {
  v1::ServerMessage message;
  EXPECT_TRUE(message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  return message;
}

TEST(Encoder, WritesADecisionThatProtobufReadsFieldForField) {
  const WholeDecision whole;
  std::vector<std::byte> room(encoded_bytes_max(9, 5, {true, true, true}));
  Encoder encoder;
  const std::size_t bytes = encoder.encode(whole.make(), room);
  ASSERT_GT(bytes, 0U);
  const v1::ServerMessage message = parse(std::span(room).first(bytes));
  ASSERT_TRUE(message.has_decision());
  const v1::DecisionBatch& d = message.decision();
  EXPECT_EQ(d.source_id(), 1U);
  EXPECT_EQ(d.lane(), 2U);
  EXPECT_EQ(d.sequence(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(d.accept_bitmap(), whole.accept);
  EXPECT_EQ(d.malformed_bitmap(), whole.malformed);
  EXPECT_EQ(d.line_bits(), whole.lines);
  EXPECT_EQ(d.classes(), whole.classes);
  EXPECT_EQ(d.scores(), whole.scores);
  EXPECT_EQ(d.model_digest(), whole.model);
  EXPECT_EQ(d.menu_digest(), whole.menu);
  EXPECT_EQ(d.path(), v1::PATH_FPGA);
  EXPECT_EQ(d.reason(), v1::REASON_SEQUENCE_GAP);
  EXPECT_EQ(d.expected_sequence(), 77U);
  EXPECT_EQ(d.client_send_time_ns(), 1'700'000'000'000'000'003U);
  EXPECT_FALSE(d.duplicate());
  EXPECT_EQ(d.detail(), "expected sequence 77");
  EXPECT_EQ(d.credit().batches(), 64U);
  // What protobuf writes of it reads back the same: nothing was left as an unknown field.
  EXPECT_TRUE(d.GetReflection()->GetUnknownFields(d).empty());
}

TEST(Encoder, WritesADecisionThatTheClientCodecReadsBack) {
  const WholeDecision whole;
  const DecisionView given = whole.make();
  std::vector<std::byte> room(4096);
  Encoder encoder;
  ServerDecoder decoder;
  const ServerMessage& message = decoder.decode(std::span(room).first(encoder.encode(given, room)));
  ASSERT_EQ(message.kind, ServerMessageKind::kDecision);
  const DecisionView& read = message.decision;
  EXPECT_EQ(read.first_event_id, given.first_event_id);
  EXPECT_EQ(read.event_count, given.event_count);
  EXPECT_EQ(read.accepted_count, given.accepted_count);
  EXPECT_EQ(read.rejected_count, given.rejected_count);
  EXPECT_EQ(read.malformed_count, given.malformed_count);
  EXPECT_EQ(read.score_count, given.score_count);
  EXPECT_EQ(read.generation, given.generation);
  EXPECT_EQ(read.run, given.run);
  EXPECT_EQ(read.block, given.block);
  EXPECT_EQ(read.column, given.column);
  EXPECT_EQ(read.receive_time_ns, given.receive_time_ns);
  EXPECT_EQ(read.send_time_ns, given.send_time_ns);
  EXPECT_EQ(read.reason, given.reason);
  EXPECT_EQ(read.path, given.path);
  EXPECT_EQ(read.detail, given.detail);
  EXPECT_EQ(read.credit, given.credit);
}

TEST(Encoder, RepeatsAKeptAnswerWithASuffixThatMarksItAndRenewsItsCredit) {
  const WholeDecision whole;
  std::vector<std::byte> kept(4096);
  Encoder encoder;
  kept.resize(encoder.encode(whole.make(), kept));
  for (const Credit credit : {Credit{5, 6, 7}, Credit{0, 0, 0}}) {  // zeros overrule the kept credit too
    std::array<std::byte, kSmallMessageBytesMax> suffix{};
    const std::size_t bytes = encoder.encode_duplicate_suffix(credit, suffix);
    ASSERT_GT(bytes, 0U);
    std::vector<std::byte> joined = kept;
    joined.insert(joined.end(), suffix.begin(), suffix.begin() + static_cast<std::ptrdiff_t>(bytes));

    v1::ServerMessage expected = parse(kept);
    expected.mutable_decision()->set_duplicate(true);
    expected.mutable_decision()->mutable_credit()->set_events(credit.events);
    expected.mutable_decision()->mutable_credit()->set_bytes(credit.bytes);
    expected.mutable_decision()->mutable_credit()->set_batches(credit.batches);
    EXPECT_EQ(parse(joined).SerializeAsString(), expected.SerializeAsString());

    ServerDecoder decoder;
    const ServerMessage& message = decoder.decode(joined);
    ASSERT_EQ(message.kind, ServerMessageKind::kDecision);
    EXPECT_TRUE(message.decision.duplicate);
    EXPECT_EQ(message.decision.credit, credit);
    EXPECT_EQ(message.decision.accepted_count, 3U);
  }
}

TEST(Encoder, LeavesTheRoomAloneWhenItIsTooSmall) {
  const WholeDecision whole;
  Encoder encoder;
  std::vector<std::byte> room(4096);
  const std::size_t bytes = encoder.encode(whole.make(), room);
  std::vector<std::byte> small(bytes - 1, std::byte{0xEE});
  EXPECT_EQ(encoder.encode(whole.make(), small), 0U);
  EXPECT_EQ(small, std::vector<std::byte>(bytes - 1, std::byte{0xEE}));
  std::vector<std::byte> exact(bytes);
  EXPECT_EQ(encoder.encode(whole.make(), exact), bytes);
}

TEST(Encoder, StaysBelowTheBoundThatItStates) {
  constexpr auto kMax64 = std::numeric_limits<std::uint64_t>::max();
  constexpr auto kMax32 = std::numeric_limits<std::uint32_t>::max();
  const std::string digest(32, 'd');
  const std::string detail(5000, 'x');
  Encoder encoder;
  for (const std::uint32_t events : {1U, 7U, 8U, 9U, 4096U, 65536U}) {
    const std::string bitmap((events + 7) / 8, '\xff');
    const std::string lines(std::size_t{events} * 8, '\xff');
    const std::string classes(events, '\xff');
    const std::string scores(std::size_t{events} * 2 * 7, '\xff');
    DecisionView d{.source = {kMax32},
                   .lane = {kMax32},
                   .sequence = {kMax64},
                   .first_event_id = kMax64,
                   .event_count = kMax32,
                   .accepted_count = kMax32,
                   .rejected_count = kMax32,
                   .malformed_count = kMax32,
                   .accept_bitmap = view(bitmap),
                   .malformed_bitmap = view(bitmap),
                   .line_bits = view(lines),
                   .classes = view(classes),
                   .scores = view(scores),
                   .score_count = kMax32,
                   .generation = {kMax64},
                   .model_digest = view(digest),
                   .menu_digest = view(digest),
                   .path = Path::kFpga,
                   .reason = Reason::kLaneLimit,
                   .run = {kMax64},
                   .block = {kMax64},
                   .column = kMax32,
                   .expected_sequence = {kMax64},
                   .receive_time_ns = kMax64,
                   .send_time_ns = kMax64,
                   .client_send_time_ns = kMax64,
                   .duplicate = true,
                   .detail = detail,
                   .credit = {kMax64, kMax64, kMax32}};
    std::vector<std::byte> room(encoded_bytes_max(events, 7, {true, true, true}));
    EXPECT_GT(encoder.encode(d, room), 0U) << events;
    d.line_bits = {};
    d.classes = {};
    d.scores = {};
    room.resize(encoded_bytes_max(events, 7, {}));
    EXPECT_GT(encoder.encode(d, room), 0U) << events;
  }
}

TEST(Encoder, CutsALongDetailBetweenCharacters) {
  std::string detail(kDetailBytesMax - 1, 'x');
  detail += "\xc3\xa9";  // one character of two bytes across the limit
  DecisionView d;
  d.detail = detail;
  std::vector<std::byte> room(4096);
  Encoder encoder;
  const v1::ServerMessage message = parse(std::span(room).first(encoder.encode(d, room)));
  EXPECT_EQ(message.decision().detail(), std::string(kDetailBytesMax - 1, 'x'));
}

TEST(Encoder, WritesAWelcomeThatTheClientCodecReadsBack) {
  const std::string digest(32, 'm');
  const std::vector<std::string> features{"zlogz", "c1_b0_mmdt"};
  const std::vector<std::string> classes{"g", "q", "t"};
  const std::vector<std::string> lines{"top", "any"};
  const std::vector<std::uint32_t> bits{6, 7};
  WelcomeView given;
  given.endpoint = "ipc:///run/kantrig/events.1";
  given.next_sequence = {12};
  given.credit = {1000, 2000, 3};
  given.events_per_batch_max = 65536;
  given.heartbeat_interval_ms = 1000;
  given.run = {5};
  given.generation = {2};
  given.model_digest = view(digest);
  given.features = features;
  given.classes = classes;
  given.lines = lines;
  given.codes_only = true;
  given.feature_bits = bits;
  Encoder encoder;
  ServerDecoder decoder;
  std::vector<std::byte> room(encoder.encoded_bytes(given));
  for (int again = 0; again < 2; ++again) {  // the encoder's message is reused
    ASSERT_EQ(encoder.encode(given, room), room.size());
    const ServerMessage& message = decoder.decode(room);
    ASSERT_EQ(message.kind, ServerMessageKind::kWelcome);
    const WelcomeView& read = message.welcome;
    EXPECT_EQ(read.protocol_version, 1U);
    EXPECT_EQ(read.endpoint, given.endpoint);
    EXPECT_EQ(read.next_sequence, given.next_sequence);
    EXPECT_EQ(read.credit, given.credit);
    EXPECT_EQ(read.events_per_batch_max, 65536U);
    EXPECT_EQ(read.heartbeat_interval_ms, 1000U);
    EXPECT_TRUE(std::equal(read.features.begin(), read.features.end(), features.begin(), features.end()));
    EXPECT_TRUE(std::equal(read.classes.begin(), read.classes.end(), classes.begin(), classes.end()));
    EXPECT_TRUE(std::equal(read.lines.begin(), read.lines.end(), lines.begin(), lines.end()));
    EXPECT_TRUE(std::equal(read.feature_bits.begin(), read.feature_bits.end(), bits.begin(), bits.end()));
    EXPECT_TRUE(read.codes_only);
  }
  std::vector<std::byte> small(room.size() - 1);
  EXPECT_EQ(encoder.encode(given, small), 0U);
}

TEST(Encoder, WritesHeartbeatCreditAndByeThatTheClientCodecReadsBack) {
  std::array<std::byte, kSmallMessageBytesMax> room{};
  Encoder encoder;
  ServerDecoder decoder;
  const ServerMessage& heartbeat = decoder.decode(std::span(room).first(encoder.encode(Heartbeat{0}, room)));
  EXPECT_EQ(heartbeat.kind, ServerMessageKind::kHeartbeat);
  const ServerMessage& credit = decoder.decode(std::span(room).first(encoder.encode(Credit{0, 0, 0}, room)));
  ASSERT_EQ(credit.kind, ServerMessageKind::kCredit);
  EXPECT_EQ(credit.credit, Credit{});
  const ServerMessage& bye =
      decoder.decode(std::span(room).first(encoder.encode(Bye{{}, {}, {3}, 10, 4, 3, 2, 1}, room)));
  ASSERT_EQ(bye.kind, ServerMessageKind::kBye);
  EXPECT_EQ(bye.bye.run, RunNumber{3});
  EXPECT_EQ(bye.bye.events_malformed, 2U);
}

TEST(ServerDecoder, SaysMalformedOfWhatIsNoServerMessage) {
  ServerDecoder decoder;
  EXPECT_EQ(decoder.decode({}).kind, ServerMessageKind::kMalformed);
  EXPECT_EQ(decoder.decode(view("\xff\xff")).kind, ServerMessageKind::kMalformed);
}

}  // namespace
}  // namespace kantrig::wire
