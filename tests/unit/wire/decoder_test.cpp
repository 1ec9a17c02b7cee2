#include "wire/decoder.hpp"

#include "wire/client_codec.hpp"

#include "kantrig/v1/session.pb.h"

#include <google/protobuf/unknown_field_set.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace kantrig::wire {
namespace {

using Bytes = std::span<const std::byte>;

Bytes bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

BatchHeader valid_header() {
  BatchHeader header;
  header.protocol_version = 1;
  header.source = {7};
  header.lane = {2};
  header.run = {41};
  header.sequence = {9};
  header.first_event_id = 1000;
  header.event_count = 3;
  header.feature_count = 2;
  header.encoding = Encoding::kCode8;
  header.send_time_ns = 1'700'000'000'123'456'789;
  header.want_classes = true;
  return header;
}

v1::EventBatchHeader to_proto(const BatchHeader& h) {
  v1::EventBatchHeader p;
  p.set_protocol_version(h.protocol_version);
  p.set_source_id(h.source.value);
  p.set_lane(h.lane.value);
  p.set_run(h.run.value);
  p.set_sequence(h.sequence.value);
  p.set_first_event_id(h.first_event_id);
  p.set_event_count(h.event_count);
  p.set_feature_count(h.feature_count);
  p.set_encoding(static_cast<v1::Encoding>(h.encoding));
  p.set_send_time_ns(h.send_time_ns);
  p.set_want_lines(h.want_lines);
  p.set_want_classes(h.want_classes);
  p.set_want_scores(h.want_scores);
  return p;
}

/// What the decoder says of `header` and a payload of `payload_bytes`.
class DecoderTest : public testing::Test {
 protected:
  const ClientMessage& two(const BatchHeader& header, std::size_t payload_bytes) {
    return two_raw(to_proto(header).SerializeAsString(), payload_bytes);
  }
  const ClientMessage& two_raw(std::string header, std::size_t payload_bytes) {
    header_ = std::move(header);
    payload_.assign(payload_bytes, std::byte{5});
    const std::array<Bytes, 2> frames{bytes_of(header_), Bytes(payload_)};
    return decoder_.decode(frames);
  }
  const ClientMessage& one(const google::protobuf::Message& message) {
    return one_raw(message.SerializeAsString());
  }
  const ClientMessage& one_raw(std::string frame) {
    header_ = std::move(frame);
    const std::array<Bytes, 1> frames{bytes_of(header_)};
    return decoder_.decode(frames);
  }
  void expect_malformed(const ClientMessage& message, Reason reason, bool header_read) {
    EXPECT_EQ(message.kind, ClientMessageKind::kMalformed);
    EXPECT_EQ(name_of(message.reason), name_of(reason));
    EXPECT_EQ(message.header_read, header_read);
    EXPECT_TRUE(message.detail.starts_with("expected ")) << message.detail;
    EXPECT_TRUE(message.payload.empty());
  }

  Decoder decoder_;
  std::string header_;
  std::vector<std::byte> payload_;
};

TEST_F(DecoderTest, ReadsATwoFrameBatchWithoutCopyingItsPayload) {
  const ClientMessage& message = two(valid_header(), 6);
  ASSERT_EQ(message.kind, ClientMessageKind::kBatch) << message.detail;
  EXPECT_EQ(message.header, valid_header());
  EXPECT_EQ(message.payload.data(), payload_.data());
  EXPECT_EQ(message.payload.size(), 6U);
}

TEST_F(DecoderTest, TakesEveryEncodingWithItsPayloadSize) {
  BatchHeader header = valid_header();
  header.encoding = Encoding::kCode16;
  EXPECT_EQ(two(header, 12).kind, ClientMessageKind::kBatch);
  header.encoding = Encoding::kFloat32;
  EXPECT_EQ(two(header, 24).kind, ClientMessageKind::kBatch);
}

TEST_F(DecoderTest, RefusesFramesAboveItsLimitHoweverRightTheyAre) {
  Decoder strict(/*frame_bytes_max=*/100);
  BatchHeader header = valid_header();
  header.event_count = 51;
  const std::string text = to_proto(header).SerializeAsString();
  const std::vector<std::byte> payload(102);
  const ClientMessage& batch = strict.decode(std::array<Bytes, 2>{bytes_of(text), Bytes(payload)});
  expect_malformed(batch, Reason::kPayloadSize, /*header_read=*/true);
  EXPECT_EQ(batch.header.sequence, header.sequence);

  v1::ClientMessage hello;
  hello.mutable_hello()->set_name(std::string(100, 'n'));
  const std::string frame = hello.SerializeAsString();
  expect_malformed(strict.decode(std::array<Bytes, 1>{bytes_of(frame)}), Reason::kHeader,
                   /*header_read=*/false);
  header.event_count = 50;
  const std::string right = to_proto(header).SerializeAsString();
  EXPECT_EQ(strict.decode(std::array<Bytes, 2>{bytes_of(right), Bytes(payload).first(100)}).kind,
            ClientMessageKind::kBatch);
}

TEST_F(DecoderTest, ReadsABareEventBatchAsFloats) {
  v1::EventBatch batch;
  *batch.mutable_header() = to_proto(valid_header());
  batch.mutable_header()->clear_encoding();
  for (const float value : {1.0F, -2.0F, 0.5F, 8.0F, 16.0F, -0.0F}) batch.add_values(value);
  const ClientMessage& message = one(batch);
  ASSERT_EQ(message.kind, ClientMessageKind::kBatch) << message.detail;
  EXPECT_EQ(message.header.encoding, Encoding::kFloat32);
  ASSERT_EQ(message.payload.size(), 24U);
  float third = 0;
  std::memcpy(&third, message.payload.data() + 8, sizeof third);
  EXPECT_EQ(third, 0.5F);
}

TEST_F(DecoderTest, RefusesAOneFrameBatchOfCodesOrOfAnUnknownEncoding) {
  v1::EventBatch batch;
  *batch.mutable_header() = to_proto(valid_header());
  for (int i = 0; i < 6; ++i) batch.add_values(1.0F);
  batch.mutable_header()->set_encoding(static_cast<v1::Encoding>(9));
  expect_malformed(one(batch), Reason::kEncoding, true);
  batch.mutable_header()->set_encoding(v1::ENCODING_CODE8);
  batch.mutable_header()->set_event_count(12);  // so that the sizes agree
  expect_malformed(one(batch), Reason::kEncoding, true);
}

TEST_F(DecoderTest, RefusesValuesWithoutAHeader) {
  v1::EventBatch batch;
  batch.add_values(1.0F);
  expect_malformed(one(batch), Reason::kHeader, false);
}

TEST_F(DecoderTest, RefusesAnotherProtocolVersionAndStillNamesItsLane) {
  BatchHeader header = valid_header();
  header.protocol_version = 2;
  const ClientMessage& message = two(header, 6);
  expect_malformed(message, Reason::kProtocolVersion, true);
  EXPECT_EQ(message.header.source, SourceId{7});
  EXPECT_EQ(message.header.sequence, Sequence{9});
  expect_malformed(two_raw("", 6), Reason::kProtocolVersion, true);
}

TEST_F(DecoderTest, RefusesAnEncodingThatItDoesNotKnow) {
  for (const int number : {0, 4, 257, -1}) {
    v1::EventBatchHeader header = to_proto(valid_header());
    header.set_encoding(static_cast<v1::Encoding>(number));
    expect_malformed(two_raw(header.SerializeAsString(), 6), Reason::kEncoding, true);
  }
}

TEST_F(DecoderTest, RefusesNoEventsAndNoFeatures) {
  BatchHeader header = valid_header();
  header.event_count = 0;
  expect_malformed(two(header, 0), Reason::kEventCount, true);
  header = valid_header();
  header.feature_count = 0;
  expect_malformed(two(header, 0), Reason::kFeatureCount, true);
}

TEST_F(DecoderTest, RefusesAPayloadThatDisagreesWithItsHeader) {
  for (const std::size_t bytes : {0U, 5U, 7U, 12U}) {
    expect_malformed(two(valid_header(), bytes), Reason::kPayloadSize, true);
  }
}

TEST_F(DecoderTest, IsNotFooledByCountsWhoseProductWraps) {
  BatchHeader header = valid_header();
  header.event_count = 0x8000'0000U;
  header.feature_count = 0x8000'0000U;
  header.encoding = Encoding::kFloat32;  // the product is 2^64 bytes: 0 in 64 bits
  expect_malformed(two(header, 0), Reason::kPayloadSize, true);
  header.event_count = std::numeric_limits<std::uint32_t>::max();
  header.feature_count = std::numeric_limits<std::uint32_t>::max();
  expect_malformed(two(header, 4), Reason::kPayloadSize, true);
}

TEST_F(DecoderTest, RefusesATruncatedHeader) {
  const std::string whole = to_proto(valid_header()).SerializeAsString();
  std::size_t unreadable = 0;
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    const ClientMessage& message = two_raw(whole.substr(0, bytes), 6);
    if (message.kind == ClientMessageKind::kMalformed && message.reason == Reason::kHeader) ++unreadable;
  }
  EXPECT_GT(unreadable, 10U);  // a cut between fields may leave a header that means something else
}

TEST_F(DecoderTest, RefusesAnOversizedHeader) {
  v1::EventBatchHeader header = to_proto(valid_header());
  header.GetReflection()->MutableUnknownFields(&header)->AddLengthDelimited(99, std::string(2000, 'x'));
  expect_malformed(two_raw(header.SerializeAsString(), 6), Reason::kHeader, false);
}

TEST_F(DecoderTest, RefusesAWrongNumberOfFrames) {
  expect_malformed(decoder_.decode({}), Reason::kHeader, false);
  const std::array<Bytes, 3> frames{};
  expect_malformed(decoder_.decode(frames), Reason::kHeader, false);
}

TEST_F(DecoderTest, RefusesASingleFrameThatIsNoClientMessageOrMoreThanOne) {
  expect_malformed(one_raw("\xff\xff\xff"), Reason::kHeader, false);
  expect_malformed(one_raw(""), Reason::kHeader, false);
  v1::ClientMessage both;
  both.mutable_hello()->set_source_id(1);
  both.mutable_heartbeat()->set_number(2);
  expect_malformed(one(both), Reason::kHeader, false);
}

TEST_F(DecoderTest, ReadsWhatTheClientCodecWrites) {
  std::array<std::byte, kClientMessageBytesMax> room{};
  const auto read = [&](std::size_t bytes) -> const ClientMessage& {
    EXPECT_GT(bytes, 0U);
    return one_raw(std::string(reinterpret_cast<const char*>(room.data()), bytes));
  };
  const ClientMessage& hello = read(encode_hello({1, {3}, {4}, "pc07: send", 99}, room));
  ASSERT_EQ(hello.kind, ClientMessageKind::kHello);
  EXPECT_EQ(hello.hello.source, SourceId{3});
  EXPECT_EQ(hello.hello.lane, LaneId{4});
  EXPECT_EQ(hello.hello.name, "pc07: send");
  EXPECT_EQ(hello.hello.instance, 99U);

  const ClientMessage& heartbeat = read(encode_heartbeat({0}, room));
  ASSERT_EQ(heartbeat.kind, ClientMessageKind::kHeartbeat);
  EXPECT_EQ(heartbeat.heartbeat.number, 0U);

  const ClientMessage& ack = read(encode_drain_ack({{3}, {4}, {0}}, room));
  ASSERT_EQ(ack.kind, ClientMessageKind::kDrainAck);
  EXPECT_EQ(ack.drain_ack.source, SourceId{3});
  EXPECT_EQ(ack.drain_ack.last_sequence, Sequence{0});

  const ClientMessage& bye = read(encode_bye({{3}, {4}, {5}, 100, 60, 30, 6, 4}, room));
  ASSERT_EQ(bye.kind, ClientMessageKind::kBye);
  EXPECT_EQ(bye.bye.lane, LaneId{4});
  EXPECT_EQ(bye.bye.run, RunNumber{5});
  EXPECT_EQ(bye.bye.events_sent, 100U);
  EXPECT_EQ(bye.bye.events_refused, 4U);

  const std::size_t bytes = encode_header(valid_header(), room);
  EXPECT_EQ(two_raw(std::string(reinterpret_cast<const char*>(room.data()), bytes), 6).header,
            valid_header());
}

TEST_F(DecoderTest, SkipsFieldsOfLaterVersions) {
  v1::EventBatchHeader header = to_proto(valid_header());
  header.GetReflection()->MutableUnknownFields(&header)->AddVarint(99, 5);
  header.GetReflection()->MutableUnknownFields(&header)->AddLengthDelimited(100, "later");
  const ClientMessage& message = two_raw(header.SerializeAsString(), 6);
  ASSERT_EQ(message.kind, ClientMessageKind::kBatch);
  EXPECT_EQ(message.header, valid_header());
}

TEST_F(DecoderTest, ReadsEveryHeaderThatTheClientCodecWrites) {
  constexpr std::uint64_t kSeed = 20'240'607;
  std::mt19937_64 random(kSeed);
  const auto number = [&] { return random() >> (random() % 64); };
  for (int i = 0; i < 20'000; ++i) {
    BatchHeader header;
    header.protocol_version = static_cast<std::uint32_t>(number());
    header.source.value = static_cast<std::uint32_t>(number());
    header.lane.value = static_cast<std::uint32_t>(number());
    header.run.value = number();
    header.sequence.value = number();
    header.first_event_id = number();
    header.event_count = static_cast<std::uint32_t>(number());
    header.feature_count = static_cast<std::uint32_t>(number());
    header.encoding = static_cast<Encoding>(random() % 4);
    header.send_time_ns = number();
    header.want_lines = random() % 2 == 0;
    header.want_classes = random() % 2 == 0;
    header.want_scores = random() % 2 == 0;
    std::array<std::byte, kClientMessageBytesMax> room{};
    const std::size_t bytes = encode_header(header, room);
    const std::string written(reinterpret_cast<const char*>(room.data()), bytes);
    ASSERT_EQ(written, to_proto(header).SerializeAsString()) << "header " << i << " of seed " << kSeed;
    const ClientMessage& message = two_raw(written, 0);
    ASSERT_TRUE(message.header_read) << "header " << i << " of seed " << kSeed;
    ASSERT_EQ(message.header, header) << "header " << i << " of seed " << kSeed;
  }
}

}  // namespace
}  // namespace kantrig::wire
