// The avx512 kernel set: 64 events a register, byte tables by vpermb and vpermi2b. Needs F, BW, VL, DQ and
// VBMI.
#include "kernels/lut_layer.hpp"

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace kantrig::kernels::avx512 {
namespace {

constexpr std::uint32_t kTiles = 4;            // interleaved, so that a table is loaded once for all of them
constexpr std::uint32_t kSingleEventsMax = 3;  // beyond whole tiles, up to here event by event is faster

static_assert(kTiles <= kTilesAtOnce);

/// Where the tiles that are evaluated together keep their codes: tile t at codes + t * stride.
struct Codes {
  const std::uint8_t* codes;
  std::size_t stride;
};

[[gnu::always_inline]] inline __m512i load(const std::uint8_t* from) noexcept {
  return _mm512_load_si512(from);
}

/// One register a tile.
template <std::uint32_t T>
struct Lanes {
  __m512i tile[T];
};

/// Byte sums of one group.
template <std::uint32_t T>
[[gnu::always_inline]] inline Lanes<T> sum_group(const LutProgram& program, const ByteGroup& group,
                                                 Codes in) noexcept {
  const Lookup* lookup = program.lookups + group.lookup_begin;
  Lanes<T> sums;
  for (std::uint32_t t = 0; t < T; ++t) sums.tile[t] = _mm512_set1_epi8(static_cast<char>(group.start));
  for (const Lookup* end = lookup + group.count_64; lookup != end; ++lookup) {
    const __m512i table = load(program.tables + lookup->table);
    for (std::uint32_t t = 0; t < T; ++t) {
      const __m512i codes = load(in.codes + t * in.stride + lookup->index);
      sums.tile[t] = _mm512_add_epi8(sums.tile[t], _mm512_permutexvar_epi8(codes, table));
    }
  }
  for (const Lookup* end = lookup + group.count_128; lookup != end; ++lookup) {
    const __m512i first = load(program.tables + lookup->table);
    const __m512i second = load(program.tables + lookup->table + 64);
    for (std::uint32_t t = 0; t < T; ++t) {
      const __m512i codes = load(in.codes + t * in.stride + lookup->index);
      sums.tile[t] = _mm512_add_epi8(sums.tile[t], _mm512_permutex2var_epi8(first, codes, second));
    }
  }
  for (const Lookup* end = lookup + group.count_256; lookup != end; ++lookup) {
    const std::uint8_t* table = program.tables + lookup->table;
    for (std::uint32_t t = 0; t < T; ++t) {
      const __m512i codes = load(in.codes + t * in.stride + lookup->index);
      const __m512i low = _mm512_permutex2var_epi8(load(table), codes, load(table + 64));
      const __m512i high = _mm512_permutex2var_epi8(load(table + 128), codes, load(table + 192));
      sums.tile[t] =
          _mm512_add_epi8(sums.tile[t], _mm512_mask_mov_epi8(low, _mm512_movepi8_mask(codes), high));
    }
  }
  return sums;
}

template <std::uint32_t T>
[[gnu::always_inline]] inline void eval_byte_node(const LutProgram& program, const LutNode& node, Codes in,
                                                  std::uint8_t* out, std::size_t stride) noexcept {
  Lanes<T> sums = sum_group<T>(program, program.groups[node.group_begin], in);
  if (node.group_end - node.group_begin == 2) {
    const Lanes<T> more = sum_group<T>(program, program.groups[node.group_begin + 1], in);
    for (std::uint32_t t = 0; t < T; ++t) sums.tile[t] = _mm512_adds_epi8(sums.tile[t], more.tile[t]);
  }
  const __m512i floor = _mm512_set1_epi8(static_cast<char>(node.byte_floor));
  const __m512i raise = _mm512_set1_epi8(static_cast<char>(node.byte_raise));
  const __m512i top = _mm512_set1_epi8(static_cast<char>(node.top));
  for (std::uint32_t t = 0; t < T; ++t)
    sums.tile[t] = _mm512_add_epi8(_mm512_max_epi8(sums.tile[t], floor), raise);
  if (node.shift != 0) {
    const __m512i kept = _mm512_set1_epi8(static_cast<char>(0xFFU >> node.shift));
    const __m128i shift = _mm_cvtsi32_si128(static_cast<int>(node.shift));
    for (std::uint32_t t = 0; t < T; ++t)
      sums.tile[t] = _mm512_and_si512(_mm512_srl_epi16(sums.tile[t], shift), kept);
  }
  for (std::uint32_t t = 0; t < T; ++t) {
    _mm512_store_si512(out + t * stride + node.out.offset, _mm512_min_epu8(sums.tile[t], top));
  }
}

/// 16-bit sums of the even and the odd events of a tile: whole = even + 256 * odd, modulo 2^16.
struct HalfSums {
  __m512i whole;
  __m512i odd;
};

[[gnu::always_inline]] inline void add_low(HalfSums& sums, __m512i bytes) noexcept {
  sums.whole = _mm512_add_epi16(sums.whole, bytes);
  sums.odd = _mm512_add_epi16(sums.odd, _mm512_srli_epi16(bytes, 8));
}

[[gnu::always_inline]] inline void add_high(HalfSums& sums, __m512i bytes) noexcept {
  const __m512i odd = _mm512_andnot_si512(_mm512_set1_epi16(0xFF), bytes);
  sums.whole = _mm512_add_epi16(sums.whole, _mm512_slli_epi16(bytes, 8));  // 256 * odd of it is 0 modulo 2^16
  sums.odd = _mm512_add_epi16(sums.odd, odd);
}

void add_words(const LutProgram& program, const LutNode& node, const std::uint8_t* codes,
               HalfSums& sums) noexcept {
  alignas(64) std::uint8_t planes[2 * kTileEvents];
  scalar::sum_words(program, node, codes, planes);
  add_low(sums, load(planes));
  add_high(sums, load(planes + kTileEvents));
}

[[gnu::always_inline]] inline void store_half(const LutNode& node, __m512i even, __m512i odd,
                                              std::uint8_t* column) noexcept {
  if (node.out.width == 1) {
    _mm512_store_si512(column, _mm512_or_si512(even, _mm512_slli_epi16(odd, 8)));
    return;
  }
  const __m512i low = _mm512_unpacklo_epi16(even, odd);   // 128-bit lanes of events 0-7, 16-23, 32-39, 48-55
  const __m512i high = _mm512_unpackhi_epi16(even, odd);  // and of 8-15, 24-31, 40-47, 56-63
  const __m512i first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
  const __m512i second = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
  _mm512_store_si512(column, _mm512_permutex2var_epi64(low, first, high));
  _mm512_store_si512(column + 64, _mm512_permutex2var_epi64(low, second, high));
}

template <std::uint32_t T>
[[gnu::always_inline]] inline void eval_half_node(const LutProgram& program, const LutNode& node, Codes in,
                                                  std::uint8_t* out, std::size_t stride) noexcept {
  HalfSums sums[T];
  for (std::uint32_t t = 0; t < T; ++t) sums[t] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
  for (std::uint32_t g = node.group_begin; g < node.group_end; ++g) {
    const Lanes<T> bytes = sum_group<T>(program, program.groups[g], in);
    if (program.groups[g].high) {
      for (std::uint32_t t = 0; t < T; ++t) add_high(sums[t], bytes.tile[t]);
    } else {
      for (std::uint32_t t = 0; t < T; ++t) add_low(sums[t], bytes.tile[t]);
    }
  }
  if (node.word_begin != node.word_end) {
    for (std::uint32_t t = 0; t < T; ++t) add_words(program, node, in.codes + t * in.stride, sums[t]);
  }
  const __m512i add = _mm512_set1_epi16(static_cast<short>(node.add));
  const __m512i sub = _mm512_set1_epi16(static_cast<short>(node.sub));
  const __m512i top = _mm512_set1_epi16(static_cast<short>(node.top));
  const __m128i shift = _mm_cvtsi32_si128(static_cast<int>(node.shift));
  for (std::uint32_t t = 0; t < T; ++t) {
    const __m512i even_sum = _mm512_sub_epi16(sums[t].whole, _mm512_slli_epi16(sums[t].odd, 8));
    const __m512i even = _mm512_srl_epi16(_mm512_subs_epu16(_mm512_adds_epu16(even_sum, add), sub), shift);
    const __m512i odd = _mm512_srl_epi16(_mm512_subs_epu16(_mm512_adds_epu16(sums[t].odd, add), sub), shift);
    store_half(node, _mm512_min_epu16(even, top), _mm512_min_epu16(odd, top),
               out + t * stride + node.out.offset);
  }
}

template <std::uint32_t T>
[[gnu::always_inline]] inline void eval_node(const LutProgram& program, const LutNode& node, Codes in,
                                             std::uint8_t* out, std::size_t stride) noexcept {
  if (node.sum == SumWidth::kByte) return eval_byte_node<T>(program, node, in, out, stride);
  if (node.sum == SumWidth::kHalf) return eval_half_node<T>(program, node, in, out, stride);
  for (std::uint32_t t = 0; t < T; ++t)
    scalar::eval_node(program, node, in.codes + t * in.stride, out + t * stride);
}

/// Outputs and classes of a tile whose outputs, less the least of them, all fit a byte.
void finish_bytes(const LutProgram& program, const std::uint8_t* codes, const TileBatch& batch,
                  std::uint32_t first) noexcept {
  __m512i best = _mm512_setzero_si512();
  __m512i classes = _mm512_setzero_si512();
  for (std::uint32_t k = 0; k < program.output_count; ++k) {
    const LutOutput& output = program.outputs[k];
    const __m512i code = load(codes + output.column.offset);
    const __m512i low = _mm512_set1_epi16(output.low);
    std::int16_t* out = batch.outputs + k * std::size_t{batch.output_stride} + first;
    _mm512_store_si512(out, _mm512_add_epi16(_mm512_cvtepu8_epi16(_mm512_castsi512_si256(code)), low));
    _mm512_store_si512(out + 32,
                       _mm512_add_epi16(_mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(code, 1)), low));
    const __m512i rank = _mm512_add_epi8(code, _mm512_set1_epi8(static_cast<char>(output.byte_rank)));
    const __mmask64 above = _mm512_cmpgt_epu8_mask(rank, best);
    best = _mm512_max_epu8(rank, best);
    classes = _mm512_mask_mov_epi8(classes, above, _mm512_set1_epi8(static_cast<char>(k)));
  }
  _mm512_store_si512(batch.classes + first, classes);
}

__m512i output_half(const LutOutput& output, const std::uint8_t* codes, std::uint32_t half) noexcept {
  const std::uint8_t* column = codes + output.column.offset + half * 32U * output.column.width;
  const __m512i code = output.column.width == 1
                           ? _mm512_cvtepu8_epi16(_mm256_load_si256(reinterpret_cast<const __m256i*>(column)))
                           : load(column);
  return _mm512_add_epi16(code, _mm512_set1_epi16(output.low));
}

/// Outputs and classes of half a tile, any outputs.
void finish_words(const LutProgram& program, const std::uint8_t* codes, const TileBatch& batch,
                  std::uint32_t first, std::uint32_t half) noexcept {
  // One output is compared with 0; several are compared with the first.
  __m512i best =
      program.output_count == 1 ? _mm512_setzero_si512() : output_half(program.outputs[0], codes, half);
  __m512i classes = _mm512_setzero_si512();
  const std::uint32_t first_class = program.output_count == 1 ? 1 : 0;
  for (std::uint32_t k = 0; k < program.output_count; ++k) {
    const __m512i value = output_half(program.outputs[k], codes, half);
    _mm512_store_si512(batch.outputs + k * std::size_t{batch.output_stride} + first + half * 32U, value);
    const __mmask32 above = _mm512_cmpgt_epi16_mask(value, best);
    best = _mm512_max_epi16(value, best);
    classes = _mm512_mask_mov_epi16(classes, above, _mm512_set1_epi16(static_cast<short>(k + first_class)));
  }
  _mm256_store_si256(reinterpret_cast<__m256i*>(batch.classes + first + half * 32U),
                     _mm512_cvtepi16_epi8(classes));
}

void finish_distance_tile(const LutProgram& program, const std::uint8_t* codes, const std::uint8_t* scratch,
                          const TileBatch& batch, std::uint32_t first) noexcept {
  if (program.distance.in_bytes) return finish_distance(program, codes, scratch, batch, first);
  scalar::finish_distance(program, codes, scratch, batch, first);
}

template <std::uint32_t T>
void eval(const LutProgram& program, const TileBatch& batch, std::uint32_t first_tile) noexcept {
  const std::size_t stride = program.scratch_bytes;
  Codes in{batch.codes + first_tile * std::size_t{program.tile_bytes}, program.tile_bytes};
  for (std::uint32_t l = 0; l < program.layer_count; ++l) {
    std::uint8_t* out = batch.scratch + (l & 1U) * std::size_t{program.layer_bytes};
    const LutLayer& layer = program.layers[l];
    for (std::uint32_t k = layer.node_begin; k < layer.node_end; ++k) {
      eval_node<T>(program, program.nodes[k], in, out, stride);
    }
    in = {out, stride};
  }
  const bool in_bytes = program.ranks_in_bytes && program.output_count > 1;
  for (std::uint32_t t = 0; t < T; ++t) {
    const std::uint8_t* codes = in.codes + t * stride;
    const std::uint32_t first = (first_tile + t) * kTileEvents;
    if (program.distance.term_count != 0) {
      finish_distance_tile(program, codes, batch.scratch + t * stride, batch, first);
    } else if (in_bytes) {
      finish_bytes(program, codes, batch, first);
    } else {
      finish_words(program, codes, batch, first, 0);
      finish_words(program, codes, batch, first, 1);
    }
  }
}

}  // namespace

void eval_tiles(const LutProgram& program, const TileBatch& batch) noexcept {
  const std::uint32_t rest = batch.events % kTileEvents;
  const std::uint32_t singles = program.row_layers != nullptr && rest <= kSingleEventsMax ? rest : 0;
  const std::uint32_t tiles = (batch.events - singles + kTileEvents - 1) / kTileEvents;
  std::uint32_t tile = 0;
  for (; tile + kTiles <= tiles; tile += kTiles) eval<kTiles>(program, batch, tile);
  for (; tile + 2 <= tiles; tile += 2) eval<2>(program, batch, tile);
  for (; tile < tiles; ++tile) eval<1>(program, batch, tile);
  for (std::uint32_t event = batch.events - singles; event < batch.events; ++event)
    avx2::eval_event(program, batch, event);
}

void score_tiles(const LutProgram& program, const TileBatch& batch, NodeColumns nodes) noexcept {
  std::uint8_t* const last = batch.scratch + std::size_t{program.layer_bytes};  // targets lie behind it
  const LutLayer& targets = program.distance.targets;
  for (std::uint32_t first = 0; first < batch.events; first += kTileEvents) {
    const Codes in{batch.codes + first / kTileEvents * std::size_t{program.tile_bytes}, program.tile_bytes};
    scalar::load_nodes(program, nodes, first, last);
    for (std::uint32_t k = targets.node_begin; k < targets.node_end; ++k)
      eval_node<1>(program, program.nodes[k], in, batch.scratch, program.scratch_bytes);
    finish_distance_tile(program, last, batch.scratch, batch, first);
  }
}

}  // namespace kantrig::kernels::avx512
