// The output stage of an autoencoder: 32 events a register.
#include "kernels/lut_layer.hpp"

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace kantrig::kernels::avx2 {
namespace {

constexpr std::uint32_t kHalfTile = 32;  // events, and bytes, of a register

/// The codes of half a tile.
struct HalfTile {
  const std::uint8_t* codes;
  const std::uint8_t* scratch;
};

/// 16 bits an event: of the even and of the odd events of half a tile.
struct Halves {
  __m256i even;
  __m256i odd;
};

[[gnu::always_inline]] inline __m256i load(const std::uint8_t* from) noexcept {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(from));
}

[[gnu::always_inline]] inline void store(void* to, __m256i value) noexcept {
  _mm256_store_si256(reinterpret_cast<__m256i*>(to), value);
}

[[gnu::always_inline]] inline __m256i low_bytes(__m256i words) noexcept {
  return _mm256_and_si256(words, _mm256_set1_epi16(0xFF));
}

[[gnu::always_inline]] inline __m256i difference(const DistanceTerm& term, HalfTile at) noexcept {
  const __m256i node = load(at.codes + term.node.offset);
  const __m256i target = load(at.scratch + term.target.offset);
  return _mm256_sub_epi8(_mm256_max_epu8(node, target), _mm256_min_epu8(node, target));
}

/// (sum + half) >> shift without a carry out of 16 bits.
[[gnu::always_inline]] inline __m256i rounded(const LutDistance& distance, __m256i sums) noexcept {
  if (distance.shift == 0) return sums;
  const __m128i shift = _mm_cvtsi32_si128(static_cast<int>(distance.shift));
  const __m128i before = _mm_cvtsi32_si128(static_cast<int>(distance.shift - 1));
  const __m256i half = _mm256_and_si256(_mm256_srl_epi16(sums, before), _mm256_set1_epi16(1));
  return _mm256_add_epi16(_mm256_srl_epi16(sums, shift), half);
}

Halves absolute_scores(const LutDistance& distance, HalfTile at) noexcept {
  __m256i bytes = _mm256_setzero_si256();
  Halves sums = {bytes, bytes};
  for (std::uint32_t k = 0; k < distance.term_count; ++k) {
    bytes = _mm256_add_epi8(bytes, difference(distance.terms[k], at));
    if (!distance.terms[k].widen) continue;
    sums.even = _mm256_add_epi16(sums.even, low_bytes(bytes));
    sums.odd = _mm256_add_epi16(sums.odd, _mm256_srli_epi16(bytes, 8));
    bytes = _mm256_setzero_si256();
  }
  return {rounded(distance, sums.even), rounded(distance, sums.odd)};
}

/// 32 bits an event: of those whose 16 bits are the low and the high half of a word.
struct Wholes {
  __m256i low;
  __m256i high;
};

[[gnu::always_inline]] inline void widen(Wholes& sums, __m256i halves) noexcept {
  sums.low = _mm256_add_epi32(sums.low, _mm256_and_si256(halves, _mm256_set1_epi32(0xFFFF)));
  sums.high = _mm256_add_epi32(sums.high, _mm256_srli_epi32(halves, 16));
}

[[gnu::always_inline]] inline __m256i shifted(const LutDistance& distance, __m256i sum) noexcept {
  const int half = distance.shift == 0 ? 0 : 1 << (distance.shift - 1);
  const __m128i shift = _mm_cvtsi32_si128(static_cast<int>(distance.shift));
  const __m256i score = _mm256_srl_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(half)), shift);
  return _mm256_min_epu32(score, _mm256_set1_epi32(kScoreMax));
}

[[gnu::always_inline]] inline __m256i narrowed(const LutDistance& distance, Wholes sums) noexcept {
  return _mm256_or_si256(shifted(distance, sums.low), _mm256_slli_epi32(shifted(distance, sums.high), 16));
}

Halves squared_scores(const LutDistance& distance, HalfTile at) noexcept {
  const __m256i zero = _mm256_setzero_si256();
  Halves halves = {zero, zero};
  Wholes even = {zero, zero};
  Wholes odd = {zero, zero};
  for (std::uint32_t k = 0; k < distance.term_count; ++k) {
    const __m256i d = difference(distance.terms[k], at);
    const __m256i even_d = low_bytes(d);
    const __m256i odd_d = _mm256_srli_epi16(d, 8);
    halves.even = _mm256_add_epi16(halves.even, _mm256_mullo_epi16(even_d, even_d));
    halves.odd = _mm256_add_epi16(halves.odd, _mm256_mullo_epi16(odd_d, odd_d));
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
  const __m256i most = _mm256_set1_epi16(static_cast<short>(kScoreMax));
  const __m256i above = _mm256_set1_epi16(distance.class_above);
  for (std::uint32_t event = 0; event < kTileEvents; event += kHalfTile) {
    const HalfTile at{codes + event, scratch + event};
    const Halves wide = distance.squared ? squared_scores(distance, at) : absolute_scores(distance, at);
    const __m256i even = _mm256_min_epu16(wide.even, most);
    const __m256i odd = _mm256_min_epu16(wide.odd, most);
    const __m256i low = _mm256_unpacklo_epi16(even, odd);   // events 0-7 and 16-23
    const __m256i high = _mm256_unpackhi_epi16(even, odd);  // events 8-15 and 24-31
    std::int16_t* const out = batch.outputs + first + event;
    store(out, _mm256_permute2x128_si256(low, high, 0x20));
    store(out + 16, _mm256_permute2x128_si256(low, high, 0x31));
    const __m256i even_class = _mm256_srli_epi16(_mm256_cmpgt_epi16(even, above), 15);
    const __m256i odd_class = _mm256_srli_epi16(_mm256_cmpgt_epi16(odd, above), 15);
    store(batch.classes + first + event, _mm256_or_si256(even_class, _mm256_slli_epi16(odd_class, 8)));
  }
}

}  // namespace kantrig::kernels::avx2
