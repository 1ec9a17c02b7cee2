// How events lie in the card's memory, for host programs: record after record, the first event at the lowest
// address. A record is the bits of kan_datapath's codes_i (or scores_o), lowest first, padded with zeros to
// the next power of two of at least 8 bits, or past 512 bits to a multiple of 512. firmware/rtl/README.md
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "compiler/hardware/design.hpp"

namespace kantrig::compiler {

inline constexpr std::uint32_t kMemoryWordBits = 512;
inline constexpr std::uint32_t kMemoryWordBytes = kMemoryWordBits / 8;
inline constexpr std::uint32_t kDefaultMaxLanes = 4;  // kan_kernel's parameter MaxLanes

/// Bits from one record to the next, for `width` bits of codes or of scores.
[[nodiscard]] constexpr std::uint32_t record_bits(std::uint32_t width) noexcept {
  if (width > kMemoryWordBits) return (width + kMemoryWordBits - 1) / kMemoryWordBits * kMemoryWordBits;
  return std::max(8U, std::bit_ceil(width));
}

[[nodiscard]] constexpr std::uint32_t record_bytes(std::uint32_t width) noexcept {
  return record_bits(width) / 8;
}

/// Events that enter kan_kernel in one clock.
[[nodiscard]] constexpr std::uint32_t lanes_of(std::uint32_t input_width,
                                               std::uint32_t lanes_max = kDefaultMaxLanes) noexcept {
  return std::min(lanes_max, std::max(1U, kMemoryWordBits / record_bits(input_width)));
}

/// Bytes of a buffer for `events` records: whole memory words, as the kernel reads them.
[[nodiscard]] constexpr std::uint64_t buffer_bytes(std::uint64_t events, std::uint32_t width) noexcept {
  const std::uint64_t bytes = events * record_bytes(width);
  return (bytes + kMemoryWordBytes - 1) / kMemoryWordBytes * kMemoryWordBytes;
}

/// Bits [offset, offset + width) of a record, width 1 to 32, get the lowest bits of `value`.
constexpr void put_bits(std::span<std::uint8_t> record, std::uint32_t offset, std::uint32_t width,
                        std::uint32_t value) noexcept {
  for (std::uint32_t i = 0; i < width; ++i) {
    const std::uint32_t bit = offset + i;
    const auto mask = static_cast<std::uint8_t>(1U << (bit % 8));
    std::uint8_t& byte = record[bit / 8];
    byte = static_cast<std::uint8_t>((value >> i & 1U) != 0 ? byte | mask : byte & ~mask);
  }
}

[[nodiscard]] constexpr std::uint32_t get_bits(std::span<const std::uint8_t> record, std::uint32_t offset,
                                               std::uint32_t width) noexcept {
  std::uint32_t value = 0;
  for (std::uint32_t i = 0; i < width; ++i) {
    const std::uint32_t bit = offset + i;
    value |= (static_cast<std::uint32_t>(record[bit / 8]) >> (bit % 8) & 1U) << i;
  }
  return value;
}

/// Writes one event's codes, one a field, into its record of record_bytes(); the padding becomes 0.
constexpr void pack_codes(std::span<const HardwareField> fields, std::span<const std::uint16_t> codes,
                          std::span<std::uint8_t> record) noexcept {
  std::ranges::fill(record, std::uint8_t{0});
  for (std::size_t i = 0; i < fields.size(); ++i)
    put_bits(record, fields[i].offset, fields[i].width, codes[i]);
}

/// Reads one event's scores, one a field and two's complement, out of its record.
constexpr void unpack_scores(std::span<const HardwareField> fields, std::span<const std::uint8_t> record,
                             std::span<std::int32_t> scores) noexcept {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::uint32_t bits = get_bits(record, fields[i].offset, fields[i].width);
    const std::uint32_t sign = 1U << (fields[i].width - 1);
    scores[i] = static_cast<std::int32_t>((bits ^ sign) - sign);
  }
}

}  // namespace kantrig::compiler
