// EventBatchHeader, read and written by hand: it is the one message parsed for every batch. Internal to wire.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "wire/messages.hpp"
#include "wire/proto_sink.hpp"

namespace kantrig::wire {

/// A header as read: BatchHeader::encoding is kUnspecified for numbers that are not known.
struct ParsedHeader {
  BatchHeader header;
  std::uint32_t encoding_number = 0;
};

/// The encoding with this number; kUnspecified when there is none.
[[nodiscard]] Encoding encoding_of(std::uint32_t number) noexcept;

/// Reads what our clients write: known fields only, each a varint of at most nine bytes, in any order. False
/// for anything else, which may still be a valid header: then the generated parser must say.
[[nodiscard]] bool read_plain_header(std::span<const std::byte> bytes, ParsedHeader& into) noexcept;

template <typename Sink>
void put_header(Sink& sink, const BatchHeader& h) noexcept {
  put_number(sink, 1, h.protocol_version);
  put_number(sink, 2, h.source.value);
  put_number(sink, 3, h.lane.value);
  put_number(sink, 4, h.run.value);
  put_number(sink, 5, h.sequence.value);
  put_number(sink, 6, h.first_event_id);
  put_number(sink, 7, h.event_count);
  put_number(sink, 8, h.feature_count);
  put_number(sink, 9, static_cast<std::uint64_t>(h.encoding));
  put_number(sink, 10, h.send_time_ns);
  put_number(sink, 11, h.want_lines ? 1 : 0);
  put_number(sink, 12, h.want_classes ? 1 : 0);
  put_number(sink, 13, h.want_scores ? 1 : 0);
}

}  // namespace kantrig::wire
