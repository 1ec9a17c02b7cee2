// RecordLayout: where the fields of an event lie in a card's memory, and the way there and back.
//
// Records follow each other, the first event at the lowest address. A field is bits [offset, offset + width)
// of its record, bit 0 being the lowest bit of the first byte; bits between fields are 0.
// firmware/rtl/README.md
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.hpp"

namespace kantrig::kan {

struct RecordField {
  std::uint32_t offset = 0;  // lowest bit
  std::uint32_t width = 0;   // 1..16 bits

  friend bool operator==(const RecordField&, const RecordField&) = default;
};

struct RecordLayout {
  std::uint32_t record_bits = 0;  // from one record to the next: a power of two >= 8, or a multiple of 512
  std::vector<RecordField> fields;

  [[nodiscard]] std::size_t record_bytes() const noexcept { return record_bits / 8; }
  /// Of `events` records, rounded up to the 64-byte words that a card moves.
  [[nodiscard]] std::size_t buffer_bytes(std::size_t events) const noexcept {
    return (events * record_bytes() + 63) / 64 * 64;
  }
  friend bool operator==(const RecordLayout&, const RecordLayout&) = default;
};

/// Widths in bounds, fields inside the record and apart from each other.
[[nodiscard]] Result<void> check(const RecordLayout& layout);

/// Writes rows of codes, one uint16 a field, as records. What lies between fields and behind the last record
/// in its 64-byte word becomes 0. Precondition: check(layout); records.size() >= buffer_bytes(events).
void pack_records(const RecordLayout& layout, std::span<const std::uint16_t> rows, std::uint32_t events,
                  std::span<std::byte> records) noexcept;

/// Reads two's complement scores: field k of event i to columns[k][i]. Any bits are a valid record.
/// Precondition: check(layout); one column a field, each of at least `events`.
void unpack_records(const RecordLayout& layout, std::span<const std::byte> records, std::uint32_t events,
                    std::span<std::int16_t* const> columns) noexcept;

}  // namespace kantrig::kan
