// How events lie in the card's memory, for host programs: record after record, the first event at the lowest
// address. A record is the bits of kan_datapath's codes_i (or scores_o), lowest first, padded with zeros to
// the next power of two of at least 8 bits, or past 512 bits to a multiple of 512. firmware/rtl/README.md
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "compiler/hardware/design.hpp"
#include "kan/record_layout.hpp"

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

/// The same for kan::pack_records() and kan::unpack_records(): `fields` of an event that has `width` bits.
[[nodiscard]] inline kan::RecordLayout record_layout(const std::vector<HardwareField>& fields,
                                                     std::uint32_t width) {
  kan::RecordLayout layout{.record_bits = record_bits(width), .fields = {}};
  for (const HardwareField& field : fields) layout.fields.push_back({field.offset, field.width});
  return layout;
}

}  // namespace kantrig::compiler
