#include "wire/decoder.hpp"

#include "kantrig/v1/session.pb.h"

#include <algorithm>
#include <bit>

namespace kantrig::wire {
namespace {

static_assert(std::endian::native == std::endian::little, "payloads are read as they lie");

constexpr std::size_t kHeaderBytesMax = 1024;  // ours take about 60; leaves room for fields of later versions
constexpr std::size_t kFrameBytesMax = 1U << 30;  // protobuf's own limit is 2 GiB

/// The encoding with this number; kUnspecified when there is none.
Encoding encoding_of(int number) noexcept {
  return v1::Encoding_IsValid(number) ? static_cast<Encoding>(number) : Encoding::kUnspecified;
}

BatchHeader from_proto(const v1::EventBatchHeader& from) noexcept {
  BatchHeader h;
  h.protocol_version = from.protocol_version();
  h.source.value = from.source_id();
  h.lane.value = from.lane();
  h.run.value = from.run();
  h.sequence.value = from.sequence();
  h.first_event_id = from.first_event_id();
  h.event_count = from.event_count();
  h.feature_count = from.feature_count();
  h.encoding = encoding_of(from.encoding());
  h.send_time_ns = from.send_time_ns();
  h.want_lines = from.want_lines();
  h.want_classes = from.want_classes();
  h.want_scores = from.want_scores();
  return h;
}

struct Verdict {
  Reason reason = Reason::kNone;
  std::string_view detail;
};

Verdict check(const BatchHeader& header, std::size_t payload_bytes) noexcept {
  if (header.protocol_version != kProtocol) return {Reason::kProtocolVersion, "expected protocol version 1"};
  if (header.encoding == Encoding::kUnspecified) {
    return {Reason::kEncoding, "expected encoding FLOAT32 (1), CODE8 (2) or CODE16 (3)"};
  }
  if (header.event_count == 0) return {Reason::kEventCount, "expected at least one event"};
  if (header.feature_count == 0) return {Reason::kFeatureCount, "expected at least one feature"};
  // Divided, not multiplied: event_count x feature_count x 4 may exceed 64 bits.
  const std::uint64_t row_bytes = std::uint64_t{header.feature_count} * value_bytes(header.encoding);
  if (payload_bytes % row_bytes != 0 || payload_bytes / row_bytes != header.event_count) {
    return {Reason::kPayloadSize, "expected event_count x feature_count values in the payload"};
  }
  return {};
}

}  // namespace

struct Decoder::Messages {
  v1::EventBatchHeader header;
  v1::ClientMessage client;
};

Decoder::Decoder(std::size_t frame_bytes_max)
    : frame_bytes_max_(std::min(frame_bytes_max, kFrameBytesMax)), messages_(std::make_unique<Messages>()) {}
Decoder::~Decoder() = default;

const ClientMessage& Decoder::decode(std::span<const std::span<const std::byte>> frames) noexcept {
  result_ = {};
  if (frames.size() == 2) {
    decode_two(frames[0], frames[1]);
  } else if (frames.size() == 1) {
    decode_one(frames[0]);
  } else {
    refuse(Reason::kHeader, "expected one frame (ClientMessage) or two (EventBatchHeader, payload)");
  }
  return result_;
}

void Decoder::refuse(Reason reason, std::string_view detail) noexcept {
  result_.kind = ClientMessageKind::kMalformed;
  result_.reason = reason;
  result_.detail = detail;
  result_.payload = {};
}

void Decoder::accept_batch(const BatchHeader& header, std::span<const std::byte> payload) noexcept {
  result_.header = header;
  result_.header_read = true;
  const Verdict verdict = check(header, payload.size());
  if (verdict.reason != Reason::kNone) return refuse(verdict.reason, verdict.detail);
  result_.kind = ClientMessageKind::kBatch;
  result_.payload = payload;
}

void Decoder::decode_two(std::span<const std::byte> header, std::span<const std::byte> payload) noexcept {
  if (header.size() > kHeaderBytesMax)
    return refuse(Reason::kHeader, "expected a header of at most 1024 bytes");
  if (!messages_->header.ParseFromArray(header.data(), static_cast<int>(header.size()))) {
    return refuse(Reason::kHeader, "expected an EventBatchHeader in the first frame");
  }
  accept_batch(from_proto(messages_->header), payload);
  if (payload.size() > frame_bytes_max_)
    refuse(Reason::kPayloadSize, "expected a payload of at most payload_bytes_max bytes");
}

void Decoder::decode_one(std::span<const std::byte> frame) noexcept {
  v1::ClientMessage& message = messages_->client;
  if (frame.size() > frame_bytes_max_)
    return refuse(Reason::kHeader, "expected a frame of at most payload_bytes_max bytes");
  if (!message.ParseFromArray(frame.data(), static_cast<int>(frame.size()))) {
    return refuse(Reason::kHeader, "expected a ClientMessage in a single frame");
  }
  const bool batch = message.has_header() || message.values_size() > 0;
  const int members = (batch ? 1 : 0) + (message.has_hello() ? 1 : 0) + (message.has_heartbeat() ? 1 : 0) +
                      (message.has_drain_ack() ? 1 : 0) + (message.has_bye() ? 1 : 0);
  if (members != 1) {
    return refuse(Reason::kHeader, "expected exactly one of a batch, hello, heartbeat, drain_ack and bye");
  }
  if (batch) return decode_floats();
  const SourceId source{message.source_id()};
  const LaneId lane{message.lane()};
  if (message.has_hello()) {
    const v1::Hello& hello = message.hello();
    result_.kind = ClientMessageKind::kHello;
    result_.hello = {
        hello.protocol_version(), {hello.source_id()}, {hello.lane()}, hello.name(), hello.instance()};
  } else if (message.has_heartbeat()) {
    result_.kind = ClientMessageKind::kHeartbeat;
    result_.heartbeat.number = message.heartbeat().number();
  } else if (message.has_drain_ack()) {
    result_.kind = ClientMessageKind::kDrainAck;
    result_.drain_ack = {source, lane, {message.drain_ack().last_sequence()}};
  } else {
    const v1::Bye& bye = message.bye();
    result_.kind = ClientMessageKind::kBye;
    result_.bye = {source,
                   lane,
                   {bye.run()},
                   bye.events_sent(),
                   bye.events_accepted(),
                   bye.events_rejected(),
                   bye.events_malformed(),
                   bye.events_refused()};
  }
}

void Decoder::decode_floats() noexcept {
  const v1::ClientMessage& message = messages_->client;
  if (!message.has_header()) return refuse(Reason::kHeader, "expected a header beside the values");
  BatchHeader header = from_proto(message.header());
  if (message.header().encoding() == v1::ENCODING_UNSPECIFIED) {
    header.encoding = Encoding::kFloat32;  // the one-frame form has no other
  }
  const auto& values = message.values();
  const std::span<const float> floats(values.data(), static_cast<std::size_t>(values.size()));
  accept_batch(header, std::as_bytes(floats));
  if (result_.kind == ClientMessageKind::kBatch && header.encoding != Encoding::kFloat32) {
    refuse(Reason::kEncoding, "expected encoding FLOAT32 (1) in a single frame");
  }
}

}  // namespace kantrig::wire
