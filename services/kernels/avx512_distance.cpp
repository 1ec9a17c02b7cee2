// The output stage of an autoencoder: 64 events a register.
#include "kernels/lut_layer.hpp"

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace kantrig::kernels::avx512 {
namespace {

/// 16 bits an event: of the even and of the odd events of a tile.
struct Halves {
  __m512i even;
  __m512i odd;
};

[[gnu::always_inline]] inline __m512i low_bytes(__m512i words) noexcept {
  return _mm512_and_si512(words, _mm512_set1_epi16(0xFF));
}

[[gnu::always_inline]] inline __m512i difference(const DistanceTerm& term, const std::uint8_t* codes,
                                                 const std::uint8_t* scratch) noexcept {
  const __m512i node = _mm512_load_si512(codes + term.node.offset);
  const __m512i target = _mm512_load_si512(scratch + term.target.offset);
  return _mm512_sub_epi8(_mm512_max_epu8(node, target), _mm512_min_epu8(node, target));
}

/// (sum + half) >> shift without a carry out of 16 bits.
[[gnu::always_inline]] inline __m512i rounded(const LutDistance& distance, __m512i sums) noexcept {
  if (distance.shift == 0) return sums;
  const __m128i shift = _mm_cvtsi32_si128(static_cast<int>(distance.shift));
  const __m128i before = _mm_cvtsi32_si128(static_cast<int>(distance.shift - 1));
  const __m512i half = _mm512_and_si512(_mm512_srl_epi16(sums, before), _mm512_set1_epi16(1));
  return _mm512_add_epi16(_mm512_srl_epi16(sums, shift), half);
}

Halves absolute_scores(const LutDistance& distance, const std::uint8_t* codes,
                       const std::uint8_t* scratch) noexcept {
  __m512i bytes = _mm512_setzero_si512();
  Halves sums = {bytes, bytes};
  for (std::uint32_t k = 0; k < distance.term_count; ++k) {
    bytes = _mm512_add_epi8(bytes, difference(distance.terms[k], codes, scratch));
    if (!distance.terms[k].widen) continue;
    sums.even = _mm512_add_epi16(sums.even, low_bytes(bytes));
    sums.odd = _mm512_add_epi16(sums.odd, _mm512_srli_epi16(bytes, 8));
    bytes = _mm512_setzero_si512();
  }
  return {rounded(distance, sums.even), rounded(distance, sums.odd)};
}

/// 32 bits an event: of those whose 16 bits are the low and the high half of a word.
struct Wholes {
  __m512i low;
  __m512i high;
};

[[gnu::always_inline]] inline void widen(Wholes& sums, __m512i halves) noexcept {
  sums.low = _mm512_add_epi32(sums.low, _mm512_and_si512(halves, _mm512_set1_epi32(0xFFFF)));
  sums.high = _mm512_add_epi32(sums.high, _mm512_srli_epi32(halves, 16));
}

[[gnu::always_inline]] inline __m512i shifted(const LutDistance& distance, __m512i sum) noexcept {
  const int half = distance.shift == 0 ? 0 : 1 << (distance.shift - 1);
  const __m128i shift = _mm_cvtsi32_si128(static_cast<int>(distance.shift));
  const __m512i score = _mm512_srl_epi32(_mm512_add_epi32(sum, _mm512_set1_epi32(half)), shift);
  return _mm512_min_epu32(score, _mm512_set1_epi32(kScoreMax));
}

[[gnu::always_inline]] inline __m512i narrowed(const LutDistance& distance, Wholes sums) noexcept {
  return _mm512_or_si512(shifted(distance, sums.low), _mm512_slli_epi32(shifted(distance, sums.high), 16));
}

Halves squared_scores(const LutDistance& distance, const std::uint8_t* codes,
                      const std::uint8_t* scratch) noexcept {
  const __m512i zero = _mm512_setzero_si512();
  Halves halves = {zero, zero};
  Wholes even = {zero, zero};
  Wholes odd = {zero, zero};
  for (std::uint32_t k = 0; k < distance.term_count; ++k) {
    const __m512i d = difference(distance.terms[k], codes, scratch);
    const __m512i even_d = low_bytes(d);
    const __m512i odd_d = _mm512_srli_epi16(d, 8);
    halves.even = _mm512_add_epi16(halves.even, _mm512_mullo_epi16(even_d, even_d));
    halves.odd = _mm512_add_epi16(halves.odd, _mm512_mullo_epi16(odd_d, odd_d));
    if (!distance.terms[k].widen) continue;
    widen(even, halves.even);
    widen(odd, halves.odd);
    halves = {zero, zero};
  }
  return {narrowed(distance, even), narrowed(distance, odd)};
}

}  // namespace

void finish_distance(const LutProgram& program, const std::uint8_t* codes, const std::uint8_t* scratch,
                     const TileBatch& batch, std::uint32_t first) noexcept {
  const LutDistance& distance = program.distance;
  const Halves wide =
      distance.squared ? squared_scores(distance, codes, scratch) : absolute_scores(distance, codes, scratch);
  const __m512i most = _mm512_set1_epi16(static_cast<short>(kScoreMax));
  const __m512i even = _mm512_min_epu16(wide.even, most);
  const __m512i odd = _mm512_min_epu16(wide.odd, most);
  const __m512i low = _mm512_unpacklo_epi16(even, odd);   // 128-bit lanes of events 0-7, 16-23, 32-39, 48-55
  const __m512i high = _mm512_unpackhi_epi16(even, odd);  // and of 8-15, 24-31, 40-47, 56-63
  const __m512i begin = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
  const __m512i end = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
  _mm512_store_si512(batch.outputs + first, _mm512_permutex2var_epi64(low, begin, high));
  _mm512_store_si512(batch.outputs + first + 32, _mm512_permutex2var_epi64(low, end, high));
  const __m512i above = _mm512_set1_epi16(distance.class_above);
  const __m512i one = _mm512_set1_epi16(1);
  const __m512i even_class = _mm512_maskz_mov_epi16(_mm512_cmpgt_epi16_mask(even, above), one);
  const __m512i odd_class = _mm512_maskz_mov_epi16(_mm512_cmpgt_epi16_mask(odd, above), one);
  _mm512_store_si512(batch.classes + first, _mm512_or_si512(even_class, _mm512_slli_epi16(odd_class, 8)));
}

}  // namespace kantrig::kernels::avx512
