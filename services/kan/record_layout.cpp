#include "kan/record_layout.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace kantrig::kan {
namespace {

constexpr std::uint32_t kFieldBitsMax = 16;
constexpr std::uint32_t kRecordBitsMax = 1U << 20U;
constexpr std::uint32_t kWordBits = 512;
constexpr std::size_t kCodeBytes = 8;  // a field and its shift fit into one 64-bit access

/// 8 bytes that may reach past the end of `bytes`: what is past it reads as 0.
std::uint64_t load(std::span<const std::byte> bytes, std::size_t at) noexcept {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data() + at, std::min(kCodeBytes, bytes.size() - at));
  return value;
}

void add(std::span<std::byte> bytes, std::size_t at, std::uint64_t bits) noexcept {
  const std::size_t count = std::min(kCodeBytes, bytes.size() - at);
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data() + at, count);
  value |= bits;
  std::memcpy(bytes.data() + at, &value, count);
}

}  // namespace

Result<void> check(const RecordLayout& layout) {
  const std::uint32_t bits = layout.record_bits;
  const bool sized =
      bits >= 8 && bits <= kRecordBitsMax && (bits % kWordBits == 0 || std::has_single_bit(bits));
  if (!sized)
    return fail(ErrorCode::kInvalid,
                "record layout: {} bits, expected a power of two from 8 or a multiple of {}", bits,
                kWordBits);
  if (layout.fields.empty())
    return fail(ErrorCode::kInvalid, "record layout: no fields, expected at least one");
  std::uint32_t end = 0;
  for (const RecordField& field : layout.fields) {
    if (field.width < 1 || field.width > kFieldBitsMax || field.offset < end ||
        field.offset > bits - field.width)
      return fail(ErrorCode::kInvalid,
                  "record layout: a field of bits {} to {}, expected 1 to {} bits from {} on and below {}",
                  field.offset, std::uint64_t{field.offset} + field.width, kFieldBitsMax, end, bits);
    end = field.offset + field.width;
  }
  return {};
}

void pack_records(const RecordLayout& layout, std::span<const std::uint16_t> rows, std::uint32_t events,
                  std::span<std::byte> records) noexcept {
  const std::size_t field_count = layout.fields.size();
  const auto used = records.first(layout.buffer_bytes(events));
  std::ranges::fill(used, std::byte{0});
  for (std::uint32_t i = 0; i < events; ++i) {
    const std::size_t record = i * layout.record_bytes();
    const std::uint16_t* const row = rows.data() + i * field_count;
    for (std::size_t j = 0; j < field_count; ++j) {
      const RecordField field = layout.fields[j];
      const std::uint64_t mask = (std::uint64_t{1} << field.width) - 1;
      add(used, record + field.offset / 8, (row[j] & mask) << field.offset % 8);
    }
  }
}

void unpack_records(const RecordLayout& layout, std::span<const std::byte> records, std::uint32_t events,
                    std::span<std::int16_t* const> columns) noexcept {
  for (std::size_t k = 0; k < layout.fields.size(); ++k) {
    const RecordField field = layout.fields[k];
    const std::size_t begin = field.offset / 8;
    const std::uint32_t unused = 64 - field.width;
    for (std::uint32_t i = 0; i < events; ++i) {
      const std::uint64_t bits = load(records, i * layout.record_bytes() + begin) >> field.offset % 8;
      columns[k][i] = static_cast<std::int16_t>(static_cast<std::int64_t>(bits << unused) >> unused);
    }
  }
}

}  // namespace kantrig::kan
