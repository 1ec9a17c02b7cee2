#include "support/scripted_server.hpp"

#include <gtest/gtest.h>

namespace kantrig::test {

void ScriptedServer::start() {
  wire::ServerSocketOptions options;
  options.endpoints = {endpoint_};
  context_.emplace(wire::Context::create(1).value());
  auto socket = wire::ServerSocket::bind(*context_, options);
  ASSERT_TRUE(socket.has_value()) << socket.error().message;
  socket_.emplace(std::move(*socket));
  welcomed_ = false;
}

std::size_t ScriptedServer::step() {
  std::size_t count = 0;
  while (!deaf && socket_ && socket_->receive(frames_)) {
    if (!(peer_ == frames_.identity())) welcomed_ = false;
    peer_ = frames_.identity();
    on_message(decoder_.decode(frames_.frames()));
    ++count;
  }
  return count;
}

void ScriptedServer::send_credit(const wire::Credit& given) {
  credit = given;
  std::array<std::byte, wire::kSmallMessageBytesMax> room{};
  reply(std::span(room).first(encoder_.encode(given, room)));
}

void ScriptedServer::reply(std::span<const std::byte> head, std::span<const std::byte> tail) {
  static_cast<void>(socket_->send(peer_, head, tail));
}

void ScriptedServer::on_message(const wire::ClientMessage& message) {
  std::vector<std::byte> room(4096);
  switch (message.kind) {
    case wire::ClientMessageKind::kHello: {
      ++hellos;
      wire::WelcomeView welcome;
      welcome.reason = welcome_reason;
      welcome.detail = welcome_reason == wire::Reason::kNone ? "" : "expected source 7";
      welcome.endpoint = redirect;
      welcome.next_sequence = {next_sequence};
      welcome.credit = credit;
      welcome.events_per_batch_max = 100'000;
      welcome.heartbeat_interval_ms = heartbeat_interval_ms;
      welcome.run = {3};
      const std::vector<std::string> features{"a", "b"};
      welcome.features = features;
      welcomed_ = welcome_reason == wire::Reason::kNone && redirect.empty();
      return reply(std::span(room).first(encoder_.encode(welcome, room)));
    }
    case wire::ClientMessageKind::kBatch:
      return on_batch(message.header, message.payload);
    case wire::ClientMessageKind::kHeartbeat:
      ++heartbeats;
      return reply(std::span(room).first(encoder_.encode(message.heartbeat, room)));
    case wire::ClientMessageKind::kDrainAck:
      return drain_acks.push_back(message.drain_ack.last_sequence.value);
    case wire::ClientMessageKind::kBye:
      byes.push_back(message.bye);
      return reply(std::span(room).first(encoder_.encode(message.bye, room)));
    case wire::ClientMessageKind::kMalformed:
      FAIL() << wire::name_of(message.reason) << ": " << message.detail;
  }
}

void ScriptedServer::refuse_batch(const wire::BatchHeader& header, wire::Reason reason) {
  wire::DecisionView answer;
  answer.source = header.source;
  answer.lane = header.lane;
  answer.sequence = header.sequence;
  answer.event_count = header.event_count;
  answer.run = {3};
  answer.reason = reason;
  answer.detail = "as the test wants";
  answer.expected_sequence = {reason == wire::Reason::kSequenceGap ? next_sequence : 0};
  answer.credit = reason == wire::Reason::kNotWelcomed ? wire::Credit{} : credit;
  std::vector<std::byte> room(1024);
  const auto bytes = std::span(room).first(encoder_.encode(answer, room));
  if (!wire::is_passing(reason)) {
    kept[header.sequence.value].assign(bytes.begin(), bytes.end());
    ++next_sequence;
  }
  reply(bytes);
}

void ScriptedServer::on_batch(const wire::BatchHeader& header, std::span<const std::byte> payload) {
  const std::uint64_t sequence = header.sequence.value;
  if (requires_hello && !welcomed_) return refuse_batch(header, wire::Reason::kNotWelcomed);
  if (sequence < next_sequence) {
    ++duplicates;
    std::array<std::byte, wire::kSmallMessageBytesMax> suffix{};
    return reply(kept.at(sequence),
                 std::span(suffix).first(encoder_.encode_duplicate_suffix(credit, suffix)));
  }
  if (sequence > next_sequence) {
    ++gaps;
    return refuse_batch(header, wire::Reason::kSequenceGap);
  }
  if (const auto reason = refuse ? refuse(header) : wire::Reason::kNone; reason != wire::Reason::kNone) {
    return refuse_batch(header, reason);
  }
  std::vector<std::byte> bitmap((header.event_count + 7) / 8);
  wire::DecisionView answer;
  const std::size_t row_bytes = payload.size() / header.event_count;
  for (std::uint32_t i = 0; i < header.event_count; ++i) {
    if ((payload[i * row_bytes] & std::byte{1}) == std::byte{0}) continue;
    bitmap[i / 8] |= static_cast<std::byte>(1U << (i % 8));
    ++answer.accepted_count;
  }
  answer.source = header.source;
  answer.lane = header.lane;
  answer.sequence = header.sequence;
  answer.first_event_id = header.first_event_id;
  answer.event_count = header.event_count;
  answer.rejected_count = header.event_count - answer.accepted_count;
  answer.accept_bitmap = bitmap;
  answer.run = {3};
  answer.credit = credit;
  std::vector<std::byte> room(wire::encoded_bytes_max(header.event_count, 0, {}));
  room.resize(encoder_.encode(answer, room));
  decided.push_back(sequence);
  ++next_sequence;
  kept[sequence] = room;
  if (loses_answers) return;
  reply(room);
  if (answers_twice) reply(room);
}

}  // namespace kantrig::test
