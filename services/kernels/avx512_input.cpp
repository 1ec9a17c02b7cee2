// The input stage of the avx512 kernel set. Four rows of 16 features become one register with a dword per
// feature, and sixteen such registers, transposed as dwords, become sixteen columns of 64 codes.
#include "kernels/lut_layer.hpp"

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace kantrig::kernels::avx512 {
namespace {

constexpr std::uint32_t kRowsAtOnce = 4;
constexpr std::uint32_t kQuads = kTileEvents / kRowsAtOnce;
constexpr std::uint32_t kScalarEventsMax = 8;  // a tile of so few events is not worth a transposition

/// One block of features of one tile, as the rows hold it.
struct Block {
  const std::uint8_t* rows;  // first row, first feature of the block
  std::size_t row_bytes;
  std::uint32_t events;  // rows there are, 1..64
  __mmask16 features;    // features there are
  std::uint32_t first;   // feature
};

__mmask16 row_mask(const Block& block, std::uint32_t row) noexcept {
  return row < block.events ? block.features : static_cast<__mmask16>(0);
}

// Each index puts feature c of rows 0..3 into dword c.
__m512i gather_rows(__m512i rows) noexcept {  // from four rows of 16 bytes
  const __m512i step = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i bytes =
      _mm512_or_si512(_mm512_mullo_epi32(step, _mm512_set1_epi32(0x01010101)), _mm512_set1_epi32(0x30201000));
  return _mm512_permutexvar_epi8(bytes, rows);
}

__m512i gather_packed_words(__m512i packed) noexcept {  // from packus_epi16 of rows (0, 1) and rows (2, 3)
  // Lane 0: rows 0 and 2, features 0-7; lane 1: the same, 8-15; lanes 2 and 3: rows 1 and 3.
  const __m512i index = _mm512_setr_epi32(
      0x28082000, 0x29092101, 0x2A0A2202, 0x2B0B2303, 0x2C0C2404, 0x2D0D2505, 0x2E0E2606, 0x2F0F2707,
      0x38183010, 0x39193111, 0x3A1A3212, 0x3B1B3313, 0x3C1C3414, 0x3D1D3515, 0x3E1E3616, 0x3F1F3717);
  return _mm512_permutexvar_epi8(index, packed);
}

__m512i gather_packed_dwords(
    __m512i packed) noexcept {  // from packs of four rows of 16 dwords: lane c / 4, dword row
  const __m512i index = _mm512_setr_epi32(
      0x0C080400, 0x0D090501, 0x0E0A0602, 0x0F0B0703, 0x1C181410, 0x1D191511, 0x1E1A1612, 0x1F1B1713,
      0x2C282420, 0x2D292521, 0x2E2A2622, 0x2F2B2723, 0x3C383430, 0x3D393531, 0x3E3A3632, 0x3F3B3733);
  return _mm512_permutexvar_epi8(index, packed);
}

/// Sixteen quads (dword c = feature c of four rows) to sixteen columns, in place.
void transpose(__m512i* quads) noexcept {
  __m512i fours[16];  // fours[4 g + j]: 128-bit lane L is feature 4 L + j of rows 16 g .. 16 g + 15
  for (std::uint32_t g = 0; g < 4; ++g) {
    const __m512i* q = quads + 4 * g;
    const __m512i a = _mm512_unpacklo_epi32(q[0], q[1]);
    const __m512i b = _mm512_unpackhi_epi32(q[0], q[1]);
    const __m512i c = _mm512_unpacklo_epi32(q[2], q[3]);
    const __m512i d = _mm512_unpackhi_epi32(q[2], q[3]);
    fours[4 * g] = _mm512_unpacklo_epi64(a, c);
    fours[4 * g + 1] = _mm512_unpackhi_epi64(a, c);
    fours[4 * g + 2] = _mm512_unpacklo_epi64(b, d);
    fours[4 * g + 3] = _mm512_unpackhi_epi64(b, d);
  }
  for (std::uint32_t j = 0; j < 4; ++j) {
    const __m512i even_low = _mm512_shuffle_i32x4(fours[j], fours[4 + j], 0x88);
    const __m512i even_high = _mm512_shuffle_i32x4(fours[8 + j], fours[12 + j], 0x88);
    const __m512i odd_low = _mm512_shuffle_i32x4(fours[j], fours[4 + j], 0xDD);
    const __m512i odd_high = _mm512_shuffle_i32x4(fours[8 + j], fours[12 + j], 0xDD);
    quads[j] = _mm512_shuffle_i32x4(even_low, even_high, 0x88);
    quads[4 + j] = _mm512_shuffle_i32x4(odd_low, odd_high, 0x88);
    quads[8 + j] = _mm512_shuffle_i32x4(even_low, even_high, 0xDD);
    quads[12 + j] = _mm512_shuffle_i32x4(odd_low, odd_high, 0xDD);
  }
}

/// Stores the columns of a block, each code at most the largest of its feature. Returns the events with a
/// larger one.
std::uint64_t store_columns(const LutInputStage& stage, const Block& block, __m512i* quads,
                            std::uint8_t* tile) noexcept {
  transpose(quads);
  const std::uint32_t left = stage.features - block.first;
  std::uint64_t above = 0;
  for (std::uint32_t c = 0; c < (left < kBlockFeatures ? left : kBlockFeatures); ++c) {
    const __m512i highest = _mm512_set1_epi8(static_cast<char>(stage.max_code[block.first + c]));
    above |= _mm512_cmpgt_epu8_mask(quads[c], highest);
    _mm512_store_si512(tile + stage.columns[block.first + c].offset, _mm512_min_epu8(quads[c], highest));
  }
  return above;
}

/// Bit r is set when row r of the four has a bit set in its 16 of `lanes`.
std::uint64_t rows_with_any(std::uint64_t lanes) noexcept {
  std::uint64_t rows = 0;
  for (std::uint32_t r = 0; r < kRowsAtOnce; ++r)
    rows |= std::uint64_t{(lanes >> (16 * r) & 0xFFFFU) != 0} << r;
  return rows;
}

std::uint64_t load_code8_block(const LutInputStage& stage, const RowBatch& batch, const Block& block,
                               std::uint8_t* tile) noexcept {
  static_cast<void>(batch);
  __m512i quads[kQuads];
  const bool whole = block.row_bytes == kBlockFeatures && block.events == kTileEvents;
  for (std::uint32_t q = 0; q < kQuads; ++q) {
    const std::uint8_t* rows = block.rows + q * kRowsAtOnce * block.row_bytes;
    if (whole) {
      quads[q] = gather_rows(_mm512_loadu_si512(rows));
      continue;
    }
    __m128i row[kRowsAtOnce];
    for (std::uint32_t r = 0; r < kRowsAtOnce; ++r) {
      row[r] = _mm_maskz_loadu_epi8(row_mask(block, q * kRowsAtOnce + r), rows + r * block.row_bytes);
    }
    const __m256i low = _mm256_inserti128_si256(_mm256_castsi128_si256(row[0]), row[1], 1);
    const __m256i high = _mm256_inserti128_si256(_mm256_castsi128_si256(row[2]), row[3], 1);
    quads[q] = gather_rows(_mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1));
  }
  return store_columns(stage, block, quads, tile);
}

std::uint64_t load_code16_block(const LutInputStage& stage, const RowBatch& batch, const Block& block,
                                std::uint8_t* tile) noexcept {
  static_cast<void>(batch);
  __m512i quads[kQuads];
  std::uint64_t malformed = 0;
  const __m256i highest_row =
      _mm256_loadu_si256(reinterpret_cast<const __m256i*>(stage.max_code + block.first));
  const __m512i highest = _mm512_broadcast_i64x4(highest_row);
  for (std::uint32_t q = 0; q < kQuads; ++q) {
    const std::uint8_t* rows = block.rows + q * kRowsAtOnce * block.row_bytes;
    __m256i row[kRowsAtOnce];
    for (std::uint32_t r = 0; r < kRowsAtOnce; ++r) {
      row[r] = _mm256_maskz_loadu_epi16(row_mask(block, q * kRowsAtOnce + r), rows + r * block.row_bytes);
    }
    const __m512i low = _mm512_inserti64x4(_mm512_castsi256_si512(row[0]), row[1], 1);
    const __m512i high = _mm512_inserti64x4(_mm512_castsi256_si512(row[2]), row[3], 1);
    const std::uint64_t above = std::uint64_t{_mm512_cmpgt_epu16_mask(low, highest)} |
                                std::uint64_t{_mm512_cmpgt_epu16_mask(high, highest)} << 32;
    if (above != 0) malformed |= rows_with_any(above) << (q * kRowsAtOnce);
    const __m512i packed =
        _mm512_packus_epi16(_mm512_min_epu16(low, highest), _mm512_min_epu16(high, highest));
    quads[q] = gather_packed_words(packed);
  }
  return malformed | store_columns(stage, block, quads, tile);
}

/// What quantising one block needs and adds up.
struct Quantiser {
  __m512 scale;
  __m512 offset;
  __m512 highest;
  __m512i clamped;
};

/// One row: two roundings to float32, clamp, half to even. max_ps gives its second operand for NaN, so codes
/// stay valid.
__m512i quantise(const Quantiser& quantiser, __m512 t) noexcept {
  const __m512 cut = _mm512_min_ps(_mm512_max_ps(t, _mm512_setzero_ps()), quantiser.highest);
  return _mm512_cvt_roundps_epi32(cut, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

/// Rounded to even, t is below 0 when t < -0.5, and above an odd integer when t >= it + 0.5.
void count_clamped(Quantiser& quantiser, __mmask16 there, __m512 t) noexcept {
  const __m512 half = _mm512_set1_ps(0.5F);
  const __mmask16 below = _mm512_cmp_ps_mask(t, _mm512_set1_ps(-0.5F), _CMP_LT_OQ);
  const __mmask16 above = _mm512_cmp_ps_mask(t, _mm512_add_ps(quantiser.highest, half), _CMP_GE_OQ);
  const auto counted = static_cast<__mmask16>((below | above) & there);
  quantiser.clamped =
      _mm512_mask_add_epi32(quantiser.clamped, counted, quantiser.clamped, _mm512_set1_epi32(1));
}

std::uint64_t load_float32_block(const LutInputStage& stage, const RowBatch& batch, const Block& block,
                                 std::uint8_t* tile) noexcept {
  __m512i quads[kQuads];
  std::uint64_t malformed = 0;
  Quantiser quantiser{_mm512_loadu_ps(stage.scale + block.first), _mm512_loadu_ps(stage.offset + block.first),
                      _mm512_loadu_ps(stage.highest + block.first), _mm512_setzero_si512()};
  for (std::uint32_t q = 0; q < kQuads; ++q) {
    const std::uint8_t* rows = block.rows + q * kRowsAtOnce * block.row_bytes;
    __m512 t[kRowsAtOnce];
    for (std::uint32_t r = 0; r < kRowsAtOnce; ++r) {
      const __mmask16 there = row_mask(block, q * kRowsAtOnce + r);
      const __m512 value = _mm512_maskz_loadu_ps(there, rows + r * block.row_bytes);
      t[r] = _mm512_add_ps(_mm512_mul_ps(value, quantiser.scale), quantiser.offset);
      if (batch.clamped != nullptr) count_clamped(quantiser, there, t[r]);
    }
    const __mmask16 early = _mm512_cmp_ps_mask(t[0], t[1], _CMP_UNORD_Q);
    const __mmask16 late = _mm512_cmp_ps_mask(t[2], t[3], _CMP_UNORD_Q);
    if ((early | late) != 0) {
      std::uint64_t unordered = 0;
      for (std::uint32_t r = 0; r < kRowsAtOnce; ++r) {
        unordered |= std::uint64_t{_mm512_cmp_ps_mask(t[r], t[r], _CMP_UNORD_Q)} << (16 * r);
      }
      malformed |= rows_with_any(unordered) << (q * kRowsAtOnce);
    }
    const __m512i low = _mm512_packus_epi32(quantise(quantiser, t[0]), quantise(quantiser, t[1]));
    const __m512i high = _mm512_packus_epi32(quantise(quantiser, t[2]), quantise(quantiser, t[3]));
    quads[q] = gather_packed_dwords(_mm512_packus_epi16(low, high));
  }
  if (batch.clamped != nullptr) {
    std::uint32_t* counters = batch.clamped + block.first;
    const __m512i before = _mm512_maskz_loadu_epi32(block.features, counters);
    _mm512_mask_storeu_epi32(counters, block.features, _mm512_add_epi32(before, quantiser.clamped));
  }
  return malformed | store_columns(stage, block, quads, tile);
}

using BlockFn = std::uint64_t(const LutInputStage&, const RowBatch&, const Block&, std::uint8_t*) noexcept;

/// How one encoding is loaded.
struct Loader {
  std::uint32_t value_bytes;
  BlockFn* bytes;      // blocks of byte columns
  LoadBlockFn* other;  // wider columns, and very few events
};

void load_rows(const LutInputStage& stage, const RowBatch& batch, const Loader& loader) noexcept {
  const std::size_t row_bytes = std::size_t{stage.features} * loader.value_bytes;
  for (std::uint32_t tile = 0; tile * kTileEvents < batch.events; ++tile) {
    const std::uint32_t left = batch.events - tile * kTileEvents;
    std::uint64_t malformed = 0;
    for (std::uint32_t b = 0; b * kBlockFeatures < stage.features; ++b) {
      if (stage.byte_block[b] == 0 || left <= kScalarEventsMax) {
        malformed |= loader.other(stage, batch, {tile, b});
        continue;
      }
      const std::uint32_t first = b * kBlockFeatures;
      const std::uint32_t features = stage.features - first;
      const Block block{batch.rows + tile * kTileEvents * row_bytes + std::size_t{first} * loader.value_bytes,
                        row_bytes, left < kTileEvents ? left : kTileEvents,
                        static_cast<__mmask16>(features < kBlockFeatures ? (1U << features) - 1U : 0xFFFFU),
                        first};
      malformed |= loader.bytes(stage, batch, block, batch.codes + tile * std::size_t{batch.tile_bytes});
    }
    batch.malformed[tile] = malformed;
  }
}

}  // namespace

void load_float32(const LutInputStage& stage, const RowBatch& batch) noexcept {
  load_rows(stage, batch, {4, load_float32_block, scalar::load_float32_block});
}

void load_code8(const LutInputStage& stage, const RowBatch& batch) noexcept {
  load_rows(stage, batch, {1, load_code8_block, scalar::load_code8_block});
}

void load_code16(const LutInputStage& stage, const RowBatch& batch) noexcept {
  load_rows(stage, batch, {2, load_code16_block, scalar::load_code16_block});
}

}  // namespace kantrig::kernels::avx512
