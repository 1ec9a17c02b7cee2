// The input stage of the avx2 kernel set. A register holds row r and row r + 16 of half a tile; sixteen of
// them, transposed as bytes within their lanes, are sixteen columns of 32 codes.
#include "kernels/lut_layer.hpp"

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace kantrig::kernels::avx2 {
namespace {

constexpr std::uint32_t kHalf = 32;
constexpr std::uint32_t kRows = 16;            // register r holds rows r and r + kRows
constexpr std::uint32_t kScalarEventsMax = 4;  // so few events are not worth a transposition

/// One block of features of half a tile, as the rows hold it.
struct Block {
  const std::uint8_t* rows;  // first row, first feature of the block
  const std::uint8_t* end;   // of the payload
  std::size_t row_bytes;
  std::uint32_t events;    // rows there are, at most 32
  std::uint32_t features;  // features there are, 1..16
  std::uint32_t first;     // feature
};

/// The codes of half a tile on their way from rows to columns.
struct Rows {
  __m256i row[kRows];
  std::uint32_t malformed;
};

/// `Bytes` bytes from `from`, zeroes where they would lie past the payload. What follows the row is not
/// looked at.
template <std::uint32_t Bytes>
[[gnu::always_inline]] inline const std::uint8_t* readable(const Block& block, std::uint32_t row,
                                                           std::uint8_t* spare) noexcept {
  const std::uint8_t* from = block.rows + row * block.row_bytes;
  if (row < block.events && static_cast<std::size_t>(block.end - from) >= Bytes) return from;
  for (std::uint32_t i = 0; i < Bytes; ++i)
    spare[i] = row < block.events && from + i < block.end ? from[i] : std::uint8_t{0};
  return spare;
}

/// Four perfect shuffles turn rows of 16 bytes into columns.
[[gnu::always_inline]] inline void transpose(Rows& rows) noexcept {
  for (std::uint32_t round = 0; round < 4; ++round) {
    __m256i shuffled[kRows];
    for (std::uint32_t r = 0; r < kRows / 2; ++r) {
      shuffled[2 * r] = _mm256_unpacklo_epi8(rows.row[r], rows.row[r + kRows / 2]);
      shuffled[2 * r + 1] = _mm256_unpackhi_epi8(rows.row[r], rows.row[r + kRows / 2]);
    }
    for (std::uint32_t r = 0; r < kRows; ++r) rows.row[r] = shuffled[r];
  }
}

/// Stores the columns, each code at most the largest of its feature. Returns the malformed events.
std::uint32_t store_columns(const LutInputStage& stage, const Block& block, Rows& rows,
                            std::uint8_t* half) noexcept {
  transpose(rows);
  std::uint32_t malformed = rows.malformed;
  for (std::uint32_t c = 0; c < block.features; ++c) {
    const __m256i highest = _mm256_set1_epi8(static_cast<char>(stage.max_code[block.first + c]));
    const __m256i within = _mm256_cmpeq_epi8(_mm256_max_epu8(rows.row[c], highest), highest);
    malformed |= ~static_cast<std::uint32_t>(_mm256_movemask_epi8(within));
    _mm256_store_si256(reinterpret_cast<__m256i*>(half + stage.columns[block.first + c].offset),
                       _mm256_min_epu8(rows.row[c], highest));
  }
  return malformed;
}

std::uint32_t load_code8_half(const LutInputStage& stage, const RowBatch& batch, const Block& block,
                              std::uint8_t* half) noexcept {
  static_cast<void>(batch);
  Rows rows;
  rows.malformed = 0;
  std::uint8_t spare[2][16];
  for (std::uint32_t r = 0; r < kRows; ++r) {
    const auto* low = reinterpret_cast<const __m128i*>(readable<16>(block, r, spare[0]));
    const auto* high = reinterpret_cast<const __m128i*>(readable<16>(block, r + kRows, spare[1]));
    rows.row[r] =
        _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(low)), _mm_loadu_si128(high), 1);
  }
  return store_columns(stage, block, rows, half);
}

/// All ones in the 16-bit lanes of features that exist.
__m256i feature_lanes(std::uint32_t features) noexcept {
  const __m256i lane = _mm256_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  return _mm256_cmpgt_epi16(_mm256_set1_epi16(static_cast<short>(features)), lane);
}

std::uint32_t load_code16_half(const LutInputStage& stage, const RowBatch& batch, const Block& block,
                               std::uint8_t* half) noexcept {
  static_cast<void>(batch);
  Rows rows;
  rows.malformed = 0;
  std::uint8_t spare[32];
  const __m256i there = feature_lanes(block.features);
  const __m256i highest = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(stage.max_code + block.first));
  for (std::uint32_t r = 0; r < kRows; ++r) {
    __m256i codes[2];
    for (std::uint32_t i = 0; i < 2; ++i) {
      const std::uint32_t row = r + i * kRows;
      codes[i] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(readable<32>(block, row, spare)));
      const __m256i above = _mm256_and_si256(_mm256_subs_epu16(codes[i], highest), there);
      rows.malformed |= static_cast<std::uint32_t>(_mm256_testz_si256(above, above) == 0) << row;
      codes[i] = _mm256_min_epu16(codes[i], highest);
    }
    rows.row[r] = _mm256_permute4x64_epi64(_mm256_packus_epi16(codes[0], codes[1]), 0xD8);
  }
  return store_columns(stage, block, rows, half);
}

/// What quantising one half of a block's features needs and adds up.
struct Quantiser {
  __m256 scale;
  __m256 offset;
  __m256 highest;
  __m256i there;    // all ones where a feature exists
  __m256i clamped;  // minus the count
};

/// One row of eight: two roundings to float32. Features that do not exist read as 0.
[[gnu::always_inline]] inline __m256 scaled(const Quantiser& quantiser, const float* row) noexcept {
  const __m256 value = _mm256_maskload_ps(row, quantiser.there);
  return _mm256_add_ps(_mm256_mul_ps(value, quantiser.scale), quantiser.offset);
}

/// Clamp, then half to even. max_ps gives its second operand for NaN, so codes stay valid.
[[gnu::always_inline]] inline __m256i quantise(const Quantiser& quantiser, __m256 t) noexcept {
  const __m256 cut = _mm256_min_ps(_mm256_max_ps(t, _mm256_setzero_ps()), quantiser.highest);
  return _mm256_cvttps_epi32(_mm256_round_ps(cut, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

/// Rounded to even, t is below 0 when t < -0.5, and above an odd integer when t >= it + 0.5.
[[gnu::always_inline]] inline void count_clamped(Quantiser& quantiser, __m256 t) noexcept {
  const __m256 below = _mm256_cmp_ps(t, _mm256_set1_ps(-0.5F), _CMP_LT_OQ);
  const __m256 above = _mm256_cmp_ps(t, _mm256_add_ps(quantiser.highest, _mm256_set1_ps(0.5F)), _CMP_GE_OQ);
  const __m256i counted = _mm256_and_si256(_mm256_castps_si256(_mm256_or_ps(below, above)), quantiser.there);
  quantiser.clamped = _mm256_add_epi32(quantiser.clamped, counted);
}

Quantiser quantiser_of(const LutInputStage& stage, const Block& block, std::uint32_t half) noexcept {
  const std::uint32_t first = block.first + 8 * half;
  const __m256i lane = _mm256_add_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7),
                                        _mm256_set1_epi32(static_cast<int>(8 * half)));
  return {_mm256_loadu_ps(stage.scale + first), _mm256_loadu_ps(stage.offset + first),
          _mm256_loadu_ps(stage.highest + first),
          _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(block.features)), lane),
          _mm256_setzero_si256()};
}

std::uint32_t load_float32_half(const LutInputStage& stage, const RowBatch& batch, const Block& block,
                                std::uint8_t* half) noexcept {
  Rows rows;
  rows.malformed = 0;
  Quantiser quantisers[2] = {quantiser_of(stage, block, 0), quantiser_of(stage, block, 1)};
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  for (std::uint32_t r = 0; r < kRows; ++r) {
    __m256i words[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    for (std::uint32_t i = 0; i < 2; ++i) {
      const std::uint32_t row = r + i * kRows;
      if (row >= block.events) continue;
      const auto* from = reinterpret_cast<const float*>(block.rows + row * block.row_bytes);
      const __m256 low = scaled(quantisers[0], from);
      const __m256 high = scaled(quantisers[1], from + 8);
      const int unordered = _mm256_movemask_ps(_mm256_cmp_ps(low, high, _CMP_UNORD_Q));
      rows.malformed |= static_cast<std::uint32_t>(unordered != 0) << row;
      if (batch.clamped != nullptr) {
        count_clamped(quantisers[0], low);
        count_clamped(quantisers[1], high);
      }
      words[i] = _mm256_packus_epi32(quantise(quantisers[0], low), quantise(quantisers[1], high));
    }
    rows.row[r] = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(words[0], words[1]), order);
  }
  if (batch.clamped != nullptr) {
    alignas(32) std::uint32_t counts[16];
    _mm256_store_si256(reinterpret_cast<__m256i*>(counts), quantisers[0].clamped);
    _mm256_store_si256(reinterpret_cast<__m256i*>(counts + 8), quantisers[1].clamped);
    for (std::uint32_t f = 0; f < block.features; ++f) batch.clamped[block.first + f] -= counts[f];
  }
  return store_columns(stage, block, rows, half);
}

using HalfFn = std::uint32_t(const LutInputStage&, const RowBatch&, const Block&, std::uint8_t*) noexcept;

/// How one encoding is loaded.
struct Loader {
  std::uint32_t value_bytes;
  HalfFn* bytes;       // blocks of byte columns
  LoadBlockFn* other;  // wider columns, and very few events
};

void load_rows(const LutInputStage& stage, const RowBatch& batch, const Loader& loader) noexcept {
  const std::size_t row_bytes = std::size_t{stage.features} * loader.value_bytes;
  const std::uint8_t* end = batch.rows + batch.events * row_bytes;
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
      for (std::uint32_t half = 0; half < 2 && half * kHalf < left; ++half) {
        const std::uint32_t events = left - half * kHalf;
        const std::size_t row = tile * kTileEvents + half * kHalf;
        const Block block{batch.rows + row * row_bytes + std::size_t{first} * loader.value_bytes,
                          end,
                          row_bytes,
                          events < kHalf ? events : kHalf,
                          features < kBlockFeatures ? features : kBlockFeatures,
                          first};
        std::uint8_t* codes = batch.codes + tile * std::size_t{batch.tile_bytes} + half * kHalf;
        malformed |= std::uint64_t{loader.bytes(stage, batch, block, codes)} << (half * kHalf);
      }
    }
    batch.malformed[tile] = malformed;
  }
}

}  // namespace

void load_float32(const LutInputStage& stage, const RowBatch& batch) noexcept {
  load_rows(stage, batch, {4, load_float32_half, scalar::load_float32_block});
}

void load_code8(const LutInputStage& stage, const RowBatch& batch) noexcept {
  load_rows(stage, batch, {1, load_code8_half, scalar::load_code8_block});
}

void load_code16(const LutInputStage& stage, const RowBatch& batch) noexcept {
  load_rows(stage, batch, {2, load_code16_half, scalar::load_code16_block});
}

}  // namespace kantrig::kernels::avx2
