#include "wire/client_codec.hpp"

#include "wire/proto_sink.hpp"

#include "kantrig/v1/session.pb.h"

namespace kantrig::wire {
namespace {

// Members of ClientMessage.
constexpr std::uint32_t kHello = 3;
constexpr std::uint32_t kHeartbeat = 4;
constexpr std::uint32_t kDrainAck = 5;
constexpr std::uint32_t kBye = 6;
constexpr std::uint32_t kSource = 7;
constexpr std::uint32_t kLane = 8;

std::span<const std::byte> bytes_of(const std::string& text) noexcept {
  return std::as_bytes(std::span(text));
}

/// A number this client does not know becomes one that is no reason to send again.
Reason reason_of(int number) noexcept {
  return number >= 0 && number < static_cast<int>(kReasonCount) ? static_cast<Reason>(number)
                                                                : Reason::kHeader;
}

Path path_of(int number) noexcept {
  return number == 1 || number == 2 ? static_cast<Path>(number) : Path::kUnspecified;
}

Credit credit_of(const v1::Credit& from) noexcept {
  return {from.events(), from.bytes(), from.batches()};
}

void view(const v1::DecisionBatch& from, DecisionView& to) noexcept {
  to.source.value = from.source_id();
  to.lane.value = from.lane();
  to.sequence.value = from.sequence();
  to.first_event_id = from.first_event_id();
  to.event_count = from.event_count();
  to.accepted_count = from.accepted_count();
  to.rejected_count = from.rejected_count();
  to.malformed_count = from.malformed_count();
  to.accept_bitmap = bytes_of(from.accept_bitmap());
  to.malformed_bitmap = bytes_of(from.malformed_bitmap());
  to.line_bits = bytes_of(from.line_bits());
  to.classes = bytes_of(from.classes());
  to.scores = bytes_of(from.scores());
  to.score_count = from.score_count();
  to.generation.value = from.generation();
  to.model_digest = bytes_of(from.model_digest());
  to.menu_digest = bytes_of(from.menu_digest());
  to.path = path_of(from.path());
  to.reason = reason_of(from.reason());
  to.run.value = from.run();
  to.block.value = from.block();
  to.column = from.column();
  to.expected_sequence.value = from.expected_sequence();
  to.receive_time_ns = from.receive_time_ns();
  to.send_time_ns = from.send_time_ns();
  to.client_send_time_ns = from.client_send_time_ns();
  to.duplicate = from.duplicate();
  to.detail = from.detail();
  to.credit = credit_of(from.credit());
}

}  // namespace

std::size_t encode_header(const BatchHeader& header, std::span<std::byte> out) noexcept {
  return write_described(out, [&](auto& sink) {
    put_number(sink, 1, header.protocol_version);
    put_number(sink, 2, header.source.value);
    put_number(sink, 3, header.lane.value);
    put_number(sink, 4, header.run.value);
    put_number(sink, 5, header.sequence.value);
    put_number(sink, 6, header.first_event_id);
    put_number(sink, 7, header.event_count);
    put_number(sink, 8, header.feature_count);
    put_number(sink, 9, static_cast<std::uint64_t>(header.encoding));
    put_number(sink, 10, header.send_time_ns);
    put_number(sink, 11, header.want_lines ? 1 : 0);
    put_number(sink, 12, header.want_classes ? 1 : 0);
    put_number(sink, 13, header.want_scores ? 1 : 0);
  });
}

std::size_t encode_hello(const Hello& hello, std::span<std::byte> out) noexcept {
  return write_described(out, [&](auto& sink) {
    put_message(sink, kHello, [&](auto& inner) {
      put_number(inner, 1, hello.protocol_version);
      put_number(inner, 2, hello.source.value);
      put_number(inner, 3, hello.lane.value);
      put_text(inner, 4, hello.name);
      put_number(inner, 5, hello.instance);
    });
  });
}

std::size_t encode_heartbeat(const Heartbeat& heartbeat, std::span<std::byte> out) noexcept {
  return write_described(out, [&](auto& sink) {
    put_message(sink, kHeartbeat, [&](auto& inner) { put_number(inner, 1, heartbeat.number); });
  });
}

std::size_t encode_drain_ack(const DrainAck& ack, std::span<std::byte> out) noexcept {
  return write_described(out, [&](auto& sink) {
    put_message(sink, kDrainAck, [&](auto& inner) { put_number(inner, 1, ack.last_sequence.value); });
    put_number(sink, kSource, ack.source.value);
    put_number(sink, kLane, ack.lane.value);
  });
}

std::size_t encode_bye(const Bye& bye, std::span<std::byte> out) noexcept {
  return write_described(out, [&](auto& sink) {
    put_message(sink, kBye, [&](auto& inner) {
      put_number(inner, 1, bye.run.value);
      put_number(inner, 2, bye.events_sent);
      put_number(inner, 3, bye.events_accepted);
      put_number(inner, 4, bye.events_rejected);
      put_number(inner, 5, bye.events_malformed);
      put_number(inner, 6, bye.events_refused);
    });
    put_number(sink, kSource, bye.source.value);
    put_number(sink, kLane, bye.lane.value);
  });
}

struct ServerDecoder::State {
  v1::ServerMessage message;
  ServerMessage result;
  std::vector<std::string> features;
  std::vector<std::string> classes;
  std::vector<std::string> lines;

  void view_welcome() {
    const v1::Welcome& from = message.welcome();
    features.assign(from.features().begin(), from.features().end());
    classes.assign(from.classes().begin(), from.classes().end());
    lines.assign(from.lines().begin(), from.lines().end());
    WelcomeView& to = result.welcome;
    to.protocol_version = from.protocol_version();
    to.reason = reason_of(from.reason());
    to.detail = from.detail();
    to.endpoint = from.endpoint();
    to.next_sequence.value = from.next_sequence();
    to.credit = credit_of(from.credit());
    to.events_per_batch_max = from.events_per_batch_max();
    to.heartbeat_interval_ms = from.heartbeat_interval_ms();
    to.run.value = from.run();
    to.generation.value = from.generation();
    to.model_digest = bytes_of(from.model_digest());
    to.menu_digest = bytes_of(from.menu_digest());
    to.features = features;
    to.classes = classes;
    to.lines = lines;
    to.codes_only = from.codes_only();
    to.feature_bits = {from.feature_bits().data(), static_cast<std::size_t>(from.feature_bits_size())};
  }
};

ServerDecoder::ServerDecoder() : state_(std::make_unique<State>()) {}
ServerDecoder::~ServerDecoder() = default;
ServerDecoder::ServerDecoder(ServerDecoder&&) noexcept = default;
ServerDecoder& ServerDecoder::operator=(ServerDecoder&&) noexcept = default;

const ServerMessage& ServerDecoder::decode(std::span<const std::byte> frame) noexcept {
  constexpr std::size_t kFrameBytesMax = 1U << 30;
  ServerMessage& result = state_->result;
  const v1::ServerMessage& message = state_->message;
  result.kind = ServerMessageKind::kMalformed;
  if (frame.size() > kFrameBytesMax ||
      !state_->message.ParseFromArray(frame.data(), static_cast<int>(frame.size()))) {
    return result;
  }
  switch (message.body_case()) {
    case v1::ServerMessage::kWelcome:
      state_->view_welcome();
      result.kind = ServerMessageKind::kWelcome;
      break;
    case v1::ServerMessage::kDecision:
      view(message.decision(), result.decision);
      result.kind = ServerMessageKind::kDecision;
      break;
    case v1::ServerMessage::kHeartbeat:
      result.heartbeat.number = message.heartbeat().number();
      result.kind = ServerMessageKind::kHeartbeat;
      break;
    case v1::ServerMessage::kCredit:
      result.credit = credit_of(message.credit());
      result.kind = ServerMessageKind::kCredit;
      break;
    case v1::ServerMessage::kBye: {
      const v1::Bye& bye = message.bye();
      result.bye = {{},
                    {},
                    {bye.run()},
                    bye.events_sent(),
                    bye.events_accepted(),
                    bye.events_rejected(),
                    bye.events_malformed(),
                    bye.events_refused()};
      result.kind = ServerMessageKind::kBye;
      break;
    }
    case v1::ServerMessage::BODY_NOT_SET:
      break;
  }
  return result;
}

}  // namespace kantrig::wire
