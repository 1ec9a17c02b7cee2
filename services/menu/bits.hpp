// Bit words of 64 events: made from columns by SSE2, which every x86-64 has; by plain loops elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace kantrig::menu {

#if defined(__SSE2__)

/// Eight 16-bit values from any address.
[[nodiscard]] inline __m128i load16(const std::int16_t* values) noexcept {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(values));
}

/// Sixteen comparison results (0 or -1, 16 bits each) as 16 bits.
[[nodiscard]] inline std::uint64_t mask16(__m128i first, __m128i second) noexcept {
  return static_cast<std::uint64_t>(
      static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(first, second))));
}

/// Bit i: y[i] > below, for 64 events.
[[nodiscard]] inline std::uint64_t above_word(const std::int16_t* y, std::int16_t below) noexcept {
  const __m128i limit = _mm_set1_epi16(below);
  std::uint64_t word = 0;
  for (unsigned i = 0; i < 64; i += 16) {
    word |= mask16(_mm_cmpgt_epi16(load16(y + i), limit), _mm_cmpgt_epi16(load16(y + i + 8), limit)) << i;
  }
  return word;
}

/// Bit i: saturated x[i] - y[i] > below, for 64 events.
[[nodiscard]] inline std::uint64_t difference_above_word(const std::int16_t* x, const std::int16_t* y,
                                                         std::int16_t below) noexcept {
  const __m128i limit = _mm_set1_epi16(below);
  std::uint64_t word = 0;
  for (unsigned i = 0; i < 64; i += 16) {
    const __m128i first = _mm_subs_epi16(load16(x + i), load16(y + i));
    const __m128i second = _mm_subs_epi16(load16(x + i + 8), load16(y + i + 8));
    word |= mask16(_mm_cmpgt_epi16(first, limit), _mm_cmpgt_epi16(second, limit)) << i;
  }
  return word;
}

/// Bit i: classes[i] == wanted, for 64 events.
[[nodiscard]] inline std::uint64_t equal_word(const std::uint8_t* classes, std::uint8_t wanted) noexcept {
  const __m128i all = _mm_set1_epi8(static_cast<char>(wanted));
  std::uint64_t word = 0;
  for (unsigned i = 0; i < 64; i += 16) {
    const __m128i found = _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(classes + i)), all);
    word |= static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm_movemask_epi8(found))) << i;
  }
  return word;
}

#else

[[nodiscard]] inline std::uint64_t above_word(const std::int16_t* y, std::int16_t below) noexcept {
  std::uint64_t word = 0;
  for (unsigned i = 0; i < 64; ++i) word |= static_cast<std::uint64_t>(y[i] > below) << i;
  return word;
}

[[nodiscard]] inline std::uint64_t difference_above_word(const std::int16_t* x, const std::int16_t* y,
                                                         std::int16_t below) noexcept {
  std::uint64_t word = 0;
  for (unsigned i = 0; i < 64; ++i) word |= static_cast<std::uint64_t>(x[i] - y[i] > below) << i;
  return word;
}

[[nodiscard]] inline std::uint64_t equal_word(const std::uint8_t* classes, std::uint8_t wanted) noexcept {
  std::uint64_t word = 0;
  for (unsigned i = 0; i < 64; ++i) word |= static_cast<std::uint64_t>(classes[i] == wanted) << i;
  return word;
}

#endif

/// Two bits an event: ((y << left) >> right) - sum, saturated, above each of two limits.
struct LeadWords {
  std::uint64_t above_first = 0;
  std::uint64_t above_second = 0;
};
[[nodiscard]] LeadWords lead_words(const std::int16_t* y, int left, int right, const std::int16_t* sums,
                                   std::int16_t first, std::int16_t second) noexcept;

/// How many bits of `words` are set.
[[nodiscard]] std::uint64_t count_bits(std::span<const std::uint64_t> words) noexcept;

/// lines[l] holds 64 events of line l, one bit each; events[i] gets bit l of event i. At most 64 lines;
/// `events` has at most 64 words.
void transpose_bits(std::span<const std::uint64_t> lines, std::span<std::uint64_t> events) noexcept;

}  // namespace kantrig::menu
