#include "wire/header_codec.hpp"

namespace kantrig::wire {
namespace {

constexpr int kVarintBytesMax = 9;  // 63 bits: a tenth byte is left to the generated parser

/// Reads one varint and moves `at` behind it. False when it is cut off or longer than kVarintBytesMax.
bool read_varint(const std::byte*& at, const std::byte* end, std::uint64_t& value) noexcept {
  value = 0;
  for (int i = 0; i < kVarintBytesMax && at != end; ++i) {
    const auto byte = static_cast<std::uint64_t>(*at++);
    value |= (byte & 0x7FU) << (7 * i);
    if (byte < 0x80) return true;
  }
  return false;
}

constexpr unsigned tag(unsigned field) {
  return field << 3;
}  // of a varint

}  // namespace

Encoding encoding_of(std::uint32_t number) noexcept {
  return number <= static_cast<std::uint32_t>(Encoding::kCode16) ? static_cast<Encoding>(number)
                                                                 : Encoding::kUnspecified;
}

bool read_plain_header(std::span<const std::byte> bytes, ParsedHeader& into) noexcept {
  into = {};
  BatchHeader& h = into.header;
  const std::byte* at = bytes.data();
  const std::byte* const end = at + bytes.size();
  while (at != end) {
    const auto field_tag = static_cast<unsigned>(*at++);
    std::uint64_t value = 0;
    if (!read_varint(at, end, value)) return false;
    const auto value32 =
        static_cast<std::uint32_t>(value);  // protobuf keeps the low bits of a uint32 and of an enum
    switch (field_tag) {
      case tag(1):
        h.protocol_version = value32;
        break;
      case tag(2):
        h.source.value = value32;
        break;
      case tag(3):
        h.lane.value = value32;
        break;
      case tag(4):
        h.run.value = value;
        break;
      case tag(5):
        h.sequence.value = value;
        break;
      case tag(6):
        h.first_event_id = value;
        break;
      case tag(7):
        h.event_count = value32;
        break;
      case tag(8):
        h.feature_count = value32;
        break;
      case tag(9):
        into.encoding_number = value32;
        h.encoding = encoding_of(value32);
        break;
      case tag(10):
        h.send_time_ns = value;
        break;
      case tag(11):
        h.want_lines = value != 0;
        break;
      case tag(12):
        h.want_classes = value != 0;
        break;
      case tag(13):
        h.want_scores = value != 0;
        break;
      default:
        return false;
    }
  }
  return true;
}

}  // namespace kantrig::wire
