#include "client/answer.hpp"

#include <cstring>

namespace kantrig::client {
namespace {

std::vector<bool> bits_of(std::span<const std::byte> bitmap, std::uint32_t event_count) {
  if (bitmap.size() < (std::size_t{event_count} + 7) / 8) return {};
  std::vector<bool> bits(event_count);
  for (std::uint32_t i = 0; i < event_count; ++i) {
    bits[i] = ((static_cast<unsigned>(bitmap[i / 8]) >> (i % 8)) & 1U) != 0;
  }
  return bits;
}

template <typename T>
std::vector<T> values_of(std::span<const std::byte> bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}

}  // namespace

Decisions Decisions::of(const Answer& answer) {
  const wire::DecisionView& d = answer.decision;
  Decisions result;
  result.outcome = answer.outcome;
  result.reason = d.reason;
  result.detail = d.detail;
  result.sequence = answer.sequence;
  result.first_event_id = answer.first_event_id;
  result.event_count = answer.event_count;
  result.accepted_count = d.accepted_count;
  result.rejected_count = d.rejected_count;
  result.malformed_count = d.malformed_count;
  result.accepted = bits_of(d.accept_bitmap, answer.event_count);
  result.malformed = bits_of(d.malformed_bitmap, answer.event_count);
  result.line_bits = values_of<std::uint64_t>(d.line_bits);
  result.classes = values_of<std::uint8_t>(d.classes);
  result.scores = values_of<std::int16_t>(d.scores);
  result.score_count = d.score_count;
  result.generation = d.generation;
  result.path = d.path;
  result.run = d.run;
  result.block = d.block;
  result.duplicate = d.duplicate;
  result.round_trip_ns = answer.round_trip_ns;
  return result;
}

}  // namespace kantrig::client
