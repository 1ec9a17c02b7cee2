#include "menu/bits.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace kantrig::menu {

#if defined(__SSE2__)

LeadWords lead_words(const std::int16_t* y, int left, int right, const std::int16_t* sums, std::int16_t first,
                     std::int16_t second) noexcept {
  const __m128i first_limit = _mm_set1_epi16(first);
  const __m128i second_limit = _mm_set1_epi16(second);
  const __m128i left_count = _mm_cvtsi32_si128(left);
  const __m128i right_count = _mm_cvtsi32_si128(right);
  const auto lead_of = [&](unsigned i) {
    return _mm_subs_epi16(_mm_sra_epi16(_mm_sll_epi16(load16(y + i), left_count), right_count),
                          load16(sums + i));
  };
  LeadWords words;
  for (unsigned i = 0; i < 64; i += 16) {
    const __m128i a = lead_of(i);
    const __m128i b = lead_of(i + 8);
    words.above_first |= mask16(_mm_cmpgt_epi16(a, first_limit), _mm_cmpgt_epi16(b, first_limit)) << i;
    words.above_second |= mask16(_mm_cmpgt_epi16(a, second_limit), _mm_cmpgt_epi16(b, second_limit)) << i;
  }
  return words;
}

std::uint64_t count_bits(std::span<const std::uint64_t> words) noexcept {
  // Sums of neighbouring bits, then pairs, then nibbles; psadbw adds the bytes (Warren, Hacker's Delight,
  // 5-1).
  const __m128i ones = _mm_set1_epi8(0x55);
  const __m128i pairs = _mm_set1_epi8(0x33);
  const __m128i nibbles = _mm_set1_epi8(0x0F);
  const auto sums_of = [&](__m128i x) {
    x = _mm_sub_epi8(x, _mm_and_si128(_mm_srli_epi64(x, 1), ones));
    x = _mm_add_epi8(_mm_and_si128(x, pairs), _mm_and_si128(_mm_srli_epi64(x, 2), pairs));
    x = _mm_and_si128(_mm_add_epi8(x, _mm_srli_epi64(x, 4)), nibbles);
    return _mm_sad_epu8(x, _mm_setzero_si128());
  };
  __m128i sums = _mm_setzero_si128();
  std::size_t w = 0;
  for (; w + 2 <= words.size(); w += 2) {
    sums = _mm_add_epi64(sums, sums_of(_mm_loadu_si128(reinterpret_cast<const __m128i*>(words.data() + w))));
  }
  if (w < words.size()) {
    sums = _mm_add_epi64(sums, sums_of(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(words.data() + w))));
  }
  std::array<std::uint64_t, 2> halves{};
  _mm_storeu_si128(reinterpret_cast<__m128i*>(halves.data()), sums);
  return halves[0] + halves[1];
}

namespace {

/// Transposes eight lines (bit l of an event byte) of 64 events each into events[i] |= byte << shift.
void transpose_eight(const std::array<std::uint64_t, 8>& lines, unsigned shift,
                     std::span<std::uint64_t> events) noexcept {
  const auto* from = reinterpret_cast<const __m128i*>(lines.data());
  // An 8 x 8 transposition of bytes in three steps: afterwards each half vector holds one byte of every line,
  // line 0 lowest, that is the same 8 events of 8 lines.
  const __m128i a = _mm_loadu_si128(from);                     // lines 0 1
  const __m128i b = _mm_loadu_si128(from + 1);                 // 2 3
  const __m128i c = _mm_loadu_si128(from + 2);                 // 4 5
  const __m128i d = _mm_loadu_si128(from + 3);                 // 6 7
  const __m128i ab_even = _mm_unpacklo_epi8(a, b);             // bytes of lines 0 2
  const __m128i ab_odd = _mm_unpackhi_epi8(a, b);              // 1 3
  const __m128i cd_even = _mm_unpacklo_epi8(c, d);             // 4 6
  const __m128i cd_odd = _mm_unpackhi_epi8(c, d);              // 5 7
  const __m128i low_ab = _mm_unpacklo_epi8(ab_even, ab_odd);   // 0 1 2 3 of bytes 0..3
  const __m128i high_ab = _mm_unpackhi_epi8(ab_even, ab_odd);  // of bytes 4..7
  const __m128i low_cd = _mm_unpacklo_epi8(cd_even, cd_odd);
  const __m128i high_cd = _mm_unpackhi_epi8(cd_even, cd_odd);
  const __m128i blocks[4] = {_mm_unpacklo_epi32(low_ab, low_cd), _mm_unpackhi_epi32(low_ab, low_cd),
                             _mm_unpacklo_epi32(high_ab, high_cd), _mm_unpackhi_epi32(high_ab, high_cd)};
  for (std::size_t block = 0; block < 4; ++block) {
    __m128i rows = blocks[block];
    std::array<std::uint64_t, 16> bytes;
    for (std::size_t e = 8; e-- > 0;) {  // movemask takes the top bit of each byte: event 7 first
      const auto mask = static_cast<std::uint32_t>(_mm_movemask_epi8(rows));
      bytes[e] = mask & 0xFFU;
      bytes[e + 8] = mask >> 8;
      rows = _mm_add_epi8(rows, rows);
    }
    const std::size_t first = block * 16;
    const std::size_t count = std::min<std::size_t>(16, events.size() - std::min(first, events.size()));
    for (std::size_t e = 0; e < count; ++e) events[first + e] |= bytes[e] << shift;
  }
}

}  // namespace

void transpose_bits(std::span<const std::uint64_t> lines, std::span<std::uint64_t> events) noexcept {
  std::fill(events.begin(), events.end(), 0);
  for (std::size_t first = 0; first < lines.size(); first += 8) {
    std::array<std::uint64_t, 8> eight{};
    std::copy_n(lines.begin() + static_cast<std::ptrdiff_t>(first),
                std::min<std::size_t>(8, lines.size() - first), eight.begin());
    transpose_eight(eight, static_cast<unsigned>(first), events);
  }
}

#else

LeadWords lead_words(const std::int16_t* y, int left, int right, const std::int16_t* sums, std::int16_t first,
                     std::int16_t second) noexcept {
  LeadWords words;
  for (unsigned i = 0; i < 64; ++i) {
    const std::int32_t lead = ((y[i] << left) >> right) - sums[i];
    words.above_first |= static_cast<std::uint64_t>(lead > first) << i;
    words.above_second |= static_cast<std::uint64_t>(lead > second) << i;
  }
  return words;
}

std::uint64_t count_bits(std::span<const std::uint64_t> words) noexcept {
  std::uint64_t count = 0;
  for (const std::uint64_t word : words) count += static_cast<std::uint64_t>(std::popcount(word));
  return count;
}

void transpose_bits(std::span<const std::uint64_t> lines, std::span<std::uint64_t> events) noexcept {
  std::fill(events.begin(), events.end(), 0);
  for (std::size_t l = 0; l < lines.size(); ++l) {
    for (std::size_t i = 0; i < events.size(); ++i) events[i] |= ((lines[l] >> i) & 1U) << l;
  }
}

#endif

}  // namespace kantrig::menu
