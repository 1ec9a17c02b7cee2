#include "kan/record_layout.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace kantrig::kan {
namespace {

constexpr std::uint32_t kFieldBitsMax = 16;
constexpr std::uint32_t kRecordBitsMax = 1U << 20U;
constexpr std::uint32_t kWordBits = 512;
constexpr std::size_t kWordBytes = 8;  // what is read and written at once

/// Calls `run` with a value of the widest word that a record is made of.
template <typename Run>
void by_word(const RecordLayout& layout, const Run& run) noexcept {
  switch (layout.record_bits) {
    case 8:
      return run(std::uint8_t{});
    case 16:
      return run(std::uint16_t{});
    case 32:
      return run(std::uint32_t{});
    default:
      return run(std::uint64_t{});
  }
}

/// One column of scores. The word that is read reaches to the end of the record at most, and holds the whole
/// field: 16 bits that begin below bit 8 of it, or that end with it.
template <typename Word>
void unpack_column(const RecordLayout& layout, RecordField field, const std::byte* records,
                   std::uint32_t events, std::int16_t* column) noexcept {
  const std::size_t stride = layout.record_bytes();
  const std::size_t begin = std::min<std::size_t>(field.offset / 8, stride - sizeof(Word));
  const auto shift = static_cast<std::uint32_t>(field.offset - begin * 8);
  const std::uint32_t unused = 32 - field.width;
  const std::byte* at = records + begin;
  for (std::uint32_t i = 0; i < events; ++i, at += stride) {
    Word word = 0;
    std::memcpy(&word, at, sizeof word);
    const auto bits = static_cast<std::uint32_t>(static_cast<std::uint64_t>(word) >> shift);
    column[i] = static_cast<std::int16_t>(static_cast<std::int32_t>(bits << unused) >> unused);
  }
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
        std::uint64_t{field.offset} + field.width > bits)
      return fail(ErrorCode::kInvalid,
                  "record layout: a field of bits {} to {}, expected 1 to {} bits from {} on and below {}",
                  field.offset, std::uint64_t{field.offset} + field.width, kFieldBitsMax, end, bits);
    end = field.offset + field.width;
  }
  return {};
}

void pack_records(const RecordLayout& layout, std::span<const std::uint16_t> rows, std::uint32_t events,
                  std::span<std::byte> records) noexcept {
  const std::size_t stride = layout.record_bytes();
  const std::size_t word_bytes = std::min(kWordBytes, stride);
  std::byte* record = records.data();
  const std::uint16_t* row = rows.data();
  for (std::uint32_t i = 0; i < events; ++i, record += stride, row += layout.fields.size()) {
    std::byte* at = record;
    std::uint64_t word = 0;
    std::uint32_t begin = 0;  // the record's bit that is the word's lowest
    for (std::size_t j = 0; j < layout.fields.size(); ++j) {
      const RecordField field = layout.fields[j];
      for (; field.offset - begin >= 64; begin += 64, at += kWordBytes) {
        std::memcpy(at, &word, kWordBytes);
        word = 0;
      }
      const std::uint32_t shift = field.offset - begin;
      const std::uint64_t code = row[j] & ((std::uint64_t{1} << field.width) - 1);
      word |= code << shift;
      if (shift + field.width <= 64) continue;
      std::memcpy(at, &word, kWordBytes);
      word = code >> (64 - shift);
      begin += 64;
      at += kWordBytes;
    }
    std::memcpy(at, &word, word_bytes);
    at += word_bytes;
    std::fill(at, record + stride, std::byte{0});
  }
  std::fill(record, records.data() + layout.buffer_bytes(events), std::byte{0});
}

void unpack_records(const RecordLayout& layout, std::span<const std::byte> records, std::uint32_t events,
                    std::span<std::int16_t* const> columns) noexcept {
  by_word(layout, [&]<typename Word>(Word) {
    for (std::size_t k = 0; k < layout.fields.size(); ++k)
      unpack_column<Word>(layout, layout.fields[k], records.data(), events, columns[k]);
  });
}

}  // namespace kantrig::kan
