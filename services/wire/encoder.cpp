#include "wire/encoder.hpp"

#include "wire/proto_sink.hpp"

#include "kantrig/v1/session.pb.h"

#include <algorithm>

namespace kantrig::wire {
namespace {

// Members of ServerMessage.
constexpr std::uint32_t kDecision = 2;
constexpr std::uint32_t kHeartbeat = 3;
constexpr std::uint32_t kCredit = 4;
constexpr std::uint32_t kBye = 5;
// Members of DecisionBatch that the suffix sets too.
constexpr std::uint32_t kDuplicate = 27;
constexpr std::uint32_t kDecisionCredit = 29;

/// At most kDetailBytesMax bytes, not ending within a UTF-8 sequence.
std::string_view cut(std::string_view detail) noexcept {
  if (detail.size() <= kDetailBytesMax) return detail;
  std::size_t end = kDetailBytesMax;
  while (end > 0 && (static_cast<unsigned char>(detail[end]) & 0xC0U) == 0x80U) --end;
  return detail.substr(0, end);
}

template <typename Sink>
void put_credit(Sink& sink, const Credit& credit) noexcept {
  // Zeros too: in a suffix they must overrule what the kept answer granted.
  put_number_always(sink, 1, credit.events);
  put_number_always(sink, 2, credit.bytes);
  put_number_always(sink, 3, credit.batches);
}

template <typename Sink>
void put_decision(Sink& sink, const DecisionView& d) noexcept {
  put_number(sink, 1, d.source.value);
  put_number(sink, 2, d.lane.value);
  put_number(sink, 3, d.sequence.value);
  put_number(sink, 4, d.first_event_id);
  put_number(sink, 5, d.event_count);
  put_number(sink, 6, d.accepted_count);
  put_number(sink, 7, d.rejected_count);
  put_number(sink, 8, d.malformed_count);
  put_bytes(sink, 9, d.accept_bitmap);
  put_bytes(sink, 10, d.malformed_bitmap);
  put_bytes(sink, 11, d.line_bits);
  put_bytes(sink, 12, d.classes);
  put_bytes(sink, 13, d.scores);
  put_number(sink, 14, d.score_count);
  put_number(sink, 15, d.generation.value);
  put_bytes(sink, 16, d.model_digest);
  put_bytes(sink, 17, d.menu_digest);
  put_number(sink, 18, static_cast<std::uint64_t>(d.path));
  put_number(sink, 19, static_cast<std::uint64_t>(d.reason));
  put_number(sink, 20, d.run.value);
  put_number(sink, 21, d.block.value);
  put_number(sink, 22, d.column);
  put_number(sink, 23, d.expected_sequence.value);
  put_number(sink, 24, d.receive_time_ns);
  put_number(sink, 25, d.send_time_ns);
  put_number(sink, 26, d.client_send_time_ns);
  put_number(sink, kDuplicate, d.duplicate ? 1 : 0);
  put_text(sink, 28, cut(d.detail));
  put_message(sink, kDecisionCredit, [&](auto& inner) { put_credit(inner, d.credit); });
}

void assign(std::string* to, std::span<const std::byte> bytes) {
  to->assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void fill(v1::Welcome& to, const WelcomeView& from) {
  to.set_protocol_version(from.protocol_version);
  to.set_reason(static_cast<v1::Reason>(from.reason));
  to.mutable_detail()->assign(cut(from.detail));
  to.mutable_endpoint()->assign(from.endpoint);
  to.set_next_sequence(from.next_sequence.value);
  to.mutable_credit()->set_events(from.credit.events);
  to.mutable_credit()->set_bytes(from.credit.bytes);
  to.mutable_credit()->set_batches(from.credit.batches);
  to.set_events_per_batch_max(from.events_per_batch_max);
  to.set_heartbeat_interval_ms(from.heartbeat_interval_ms);
  to.set_run(from.run.value);
  to.set_generation(from.generation.value);
  assign(to.mutable_model_digest(), from.model_digest);
  assign(to.mutable_menu_digest(), from.menu_digest);
  for (const std::string& name : from.features) to.add_features(name);
  for (const std::string& name : from.classes) to.add_classes(name);
  for (const std::string& name : from.lines) to.add_lines(name);
  to.set_codes_only(from.codes_only);
  for (const std::uint32_t bits : from.feature_bits) to.add_feature_bits(bits);
}

constexpr std::size_t kFixedBytesMax =
    512 + kDetailBytesMax;  // every number, digest, length and tag at its longest

}  // namespace

std::size_t encoded_bytes_max(std::uint32_t event_count, std::uint32_t score_count,
                              AnswerWants wants) noexcept {
  const std::size_t events = event_count;
  std::size_t bytes = kFixedBytesMax + 2 * ((events + 7) / 8);
  if (wants.lines) bytes += events * 8;
  if (wants.classes) bytes += events;
  if (wants.scores) bytes += events * score_count * 2;
  return bytes;
}

struct Encoder::Messages {
  v1::ServerMessage message;  // for welcomes, kept for its memory
};

Encoder::Encoder() : messages_(std::make_unique<Messages>()) {}
Encoder::~Encoder() = default;

std::size_t Encoder::encode(const DecisionView& decision, std::span<std::byte> out) noexcept {
  return write_described(out, [&](auto& sink) {
    put_message(sink, kDecision, [&](auto& inner) { put_decision(inner, decision); });
  });
}

std::size_t Encoder::encode(const WelcomeView& welcome, std::span<std::byte> out) noexcept {
  const std::size_t bytes = encoded_bytes(welcome);
  if (bytes > out.size()) return 0;
  messages_->message.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(out.data()));
  return bytes;
}

std::size_t Encoder::encoded_bytes(const WelcomeView& welcome) noexcept {
  v1::Welcome& to = *messages_->message.mutable_welcome();
  to.Clear();
  fill(to, welcome);
  return messages_->message.ByteSizeLong();
}

std::size_t Encoder::encode(const Heartbeat& heartbeat, std::span<std::byte> out) noexcept {
  return write_described(out, [&](auto& sink) {
    put_message(sink, kHeartbeat, [&](auto& inner) { put_number(inner, 1, heartbeat.number); });
  });
}

std::size_t Encoder::encode(const Credit& credit, std::span<std::byte> out) noexcept {
  return write_described(
      out, [&](auto& sink) { put_message(sink, kCredit, [&](auto& inner) { put_credit(inner, credit); }); });
}

std::size_t Encoder::encode(const Bye& bye, std::span<std::byte> out) noexcept {
  return write_described(out, [&](auto& sink) {
    put_message(sink, kBye, [&](auto& inner) {
      put_number(inner, 1, bye.run.value);
      put_number(inner, 2, bye.events_sent);
      put_number(inner, 3, bye.events_accepted);
      put_number(inner, 4, bye.events_rejected);
      put_number(inner, 5, bye.events_malformed);
      put_number(inner, 6, bye.events_refused);
    });
  });
}

std::size_t Encoder::encode_duplicate_suffix(const Credit& credit, std::span<std::byte> out) noexcept {
  return write_described(out, [&](auto& sink) {
    put_message(sink, kDecision, [&](auto& inner) {
      put_number(inner, kDuplicate, 1);
      put_message(inner, kDecisionCredit, [&](auto& innermost) { put_credit(innermost, credit); });
    });
  });
}

}  // namespace kantrig::wire
