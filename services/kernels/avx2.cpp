// The avx2 kernel set: 32 events a register, byte tables by pshufb in chunks of 16 entries.
#include "kernels/lut_layer.hpp"

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace kantrig::kernels::avx2 {
namespace {

constexpr std::uint32_t kTiles = 4;             // interleaved, so that a chunk is loaded once for all of them
constexpr std::uint32_t kSingleEventsMax = 12;  // beyond whole tiles, up to here event by event is faster
constexpr std::uint32_t kHalf = 32;             // events, and bytes, of a register

static_assert(kTiles <= kTilesAtOnce);

/// Where the tiles that are evaluated together keep their bytes: tile t at bytes + t * stride.
struct Source {
  const std::uint8_t* bytes;
  std::size_t stride;
};

struct Target {
  std::uint8_t* bytes;
  std::size_t stride;
};

[[gnu::always_inline]] inline __m256i load(const std::uint8_t* from) noexcept {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(from));
}

[[gnu::always_inline]] inline void store(void* to, __m256i value) noexcept {
  _mm256_store_si256(reinterpret_cast<__m256i*>(to), value);
}

[[gnu::always_inline]] inline __m256i bytes_of(std::uint32_t value) noexcept {
  return _mm256_set1_epi8(static_cast<char>(value));
}

[[gnu::always_inline]] inline __m256i words_of(std::uint32_t value) noexcept {
  return _mm256_set1_epi16(static_cast<short>(value));
}

/// Two registers a tile: register r holds half r % 2 of tile r / 2.
template <std::uint32_t T>
struct Lanes {
  __m256i part[2 * T];
};

[[gnu::always_inline]] inline std::size_t place(std::uint32_t part, std::size_t stride) noexcept {
  return part / 2 * stride + part % 2 * kHalf;
}

/// Makes the indices of every chunk of every column that is looked up: outside its chunk the top bit is set,
/// and pshufb gives 0.
template <std::uint32_t T>
[[gnu::always_inline]] inline void prepare(const LutProgram& program, const LutLayer& layer, Source in,
                                           Target indices) noexcept {
  const __m256i outside = bytes_of(0x70);
  for (std::uint32_t p = layer.prepared_begin; p < layer.prepared_end; ++p) {
    const Prepared& column = program.prepared[p];
    Lanes<T> codes;
    for (std::uint32_t part = 0; part < 2 * T; ++part)
      codes.part[part] = load(in.bytes + place(part, in.stride) + column.column);
    __m256i chunk = _mm256_setzero_si256();
    for (std::uint32_t c = 0; c < column.chunks; ++c) {
      std::uint8_t* to = indices.bytes + column.index + c * kTileEvents;
      for (std::uint32_t part = 0; part < 2 * T; ++part) {
        store(to + place(part, indices.stride),
              _mm256_adds_epu8(_mm256_xor_si256(codes.part[part], chunk), outside));
      }
      chunk = _mm256_add_epi8(chunk, bytes_of(0x10));
    }
  }
}

/// Byte sums of one group.
template <std::uint32_t T>
[[gnu::always_inline]] inline Lanes<T> sum_group(const LutProgram& program, const ByteGroup& group,
                                                 Source indices) noexcept {
  Lanes<T> sums;
  for (std::uint32_t part = 0; part < 2 * T; ++part) sums.part[part] = bytes_of(group.start);
  const Lookup* lookup = program.lookups + group.lookup_begin;
  for (const Lookup* end = lookup + group.count_64; lookup != end; ++lookup) {
    const __m256i chunk = _mm256_broadcastsi128_si256(
        _mm_load_si128(reinterpret_cast<const __m128i*>(program.tables + lookup->table)));
    for (std::uint32_t part = 0; part < 2 * T; ++part) {
      const __m256i index = load(indices.bytes + place(part, indices.stride) + lookup->index);
      sums.part[part] = _mm256_add_epi8(sums.part[part], _mm256_shuffle_epi8(chunk, index));
    }
  }
  return sums;
}

template <std::uint32_t T>
[[gnu::always_inline]] inline void eval_byte_node(const LutProgram& program, const LutNode& node,
                                                  Source indices, Target out) noexcept {
  Lanes<T> sums = sum_group<T>(program, program.groups[node.group_begin], indices);
  if (node.group_end - node.group_begin == 2) {
    const Lanes<T> more = sum_group<T>(program, program.groups[node.group_begin + 1], indices);
    for (std::uint32_t part = 0; part < 2 * T; ++part)
      sums.part[part] = _mm256_adds_epi8(sums.part[part], more.part[part]);
  }
  const __m256i floor = _mm256_set1_epi8(node.byte_floor);
  const __m256i raise = bytes_of(node.byte_raise);
  const __m256i top = bytes_of(node.top);
  const __m256i kept = bytes_of(0xFFU >> node.shift);
  const __m128i shift = _mm_cvtsi32_si128(static_cast<int>(node.shift));
  for (std::uint32_t part = 0; part < 2 * T; ++part) {
    const __m256i raised = _mm256_add_epi8(_mm256_max_epi8(sums.part[part], floor), raise);
    const __m256i shifted = _mm256_and_si256(_mm256_srl_epi16(raised, shift), kept);
    store(out.bytes + place(part, out.stride) + node.out.offset, _mm256_min_epu8(shifted, top));
  }
}

/// 16-bit sums of the even and the odd events of a half tile: whole = even + 256 * odd, modulo 2^16.
struct HalfSums {
  __m256i whole;
  __m256i odd;
};

[[gnu::always_inline]] inline void add_low(HalfSums& sums, __m256i bytes) noexcept {
  sums.whole = _mm256_add_epi16(sums.whole, bytes);
  sums.odd = _mm256_add_epi16(sums.odd, _mm256_srli_epi16(bytes, 8));
}

[[gnu::always_inline]] inline void add_high(HalfSums& sums, __m256i bytes) noexcept {
  sums.whole = _mm256_add_epi16(sums.whole, _mm256_slli_epi16(bytes, 8));  // 256 * odd of it is 0 modulo 2^16
  sums.odd = _mm256_add_epi16(sums.odd, _mm256_andnot_si256(words_of(0xFF), bytes));
}

[[gnu::always_inline]] inline void store_half(const LutNode& node, HalfSums codes,
                                              std::uint8_t* column) noexcept {
  if (node.out.width == 1) {
    store(column, _mm256_or_si256(codes.whole, _mm256_slli_epi16(codes.odd, 8)));
    return;
  }
  const __m256i low = _mm256_unpacklo_epi16(codes.whole, codes.odd);   // events 0-7 and 16-23
  const __m256i high = _mm256_unpackhi_epi16(codes.whole, codes.odd);  // events 8-15 and 24-31
  store(column, _mm256_permute2x128_si256(low, high, 0x20));
  store(column + 32, _mm256_permute2x128_si256(low, high, 0x31));
}

template <std::uint32_t T>
void eval_half_node(const LutProgram& program, const LutNode& node, Source in, Source indices,
                    Target out) noexcept {
  HalfSums sums[2 * T];
  for (HalfSums& sum : sums) sum = {_mm256_setzero_si256(), _mm256_setzero_si256()};
  for (std::uint32_t g = node.group_begin; g < node.group_end; ++g) {
    const Lanes<T> bytes = sum_group<T>(program, program.groups[g], indices);
    const bool high = program.groups[g].high;
    for (std::uint32_t part = 0; part < 2 * T; ++part) {
      if (high) {
        add_high(sums[part], bytes.part[part]);
      } else {
        add_low(sums[part], bytes.part[part]);
      }
    }
  }
  for (std::uint32_t t = 0; t < T && node.word_begin != node.word_end; ++t) {
    alignas(64) std::uint8_t planes[2 * kTileEvents];
    scalar::sum_words(program, node, in.bytes + t * in.stride, planes);
    for (std::uint32_t half = 0; half < 2; ++half) {
      add_low(sums[2 * t + half], load(planes + half * kHalf));
      add_high(sums[2 * t + half], load(planes + kTileEvents + half * kHalf));
    }
  }
  const __m256i add = words_of(node.add);
  const __m256i sub = words_of(node.sub);
  const __m256i top = words_of(node.top);
  const __m128i shift = _mm_cvtsi32_si128(static_cast<int>(node.shift));
  for (std::uint32_t part = 0; part < 2 * T; ++part) {
    const __m256i even_sum = _mm256_sub_epi16(sums[part].whole, _mm256_slli_epi16(sums[part].odd, 8));
    const __m256i even = _mm256_srl_epi16(_mm256_subs_epu16(_mm256_adds_epu16(even_sum, add), sub), shift);
    const __m256i odd =
        _mm256_srl_epi16(_mm256_subs_epu16(_mm256_adds_epu16(sums[part].odd, add), sub), shift);
    std::uint8_t* column =
        out.bytes + node.out.offset + part / 2 * out.stride + part % 2 * kHalf * node.out.width;
    store_half(node, {_mm256_min_epu16(even, top), _mm256_min_epu16(odd, top)}, column);
  }
}

/// Outputs of half a tile, in two registers of 16.
struct Values {
  __m256i first;
  __m256i second;
};

[[gnu::always_inline]] inline Values output_values(const LutOutput& output, const std::uint8_t* codes,
                                                   std::uint32_t half) noexcept {
  const std::uint8_t* column = codes + output.column.offset + half * kHalf * output.column.width;
  const __m256i low = _mm256_set1_epi16(output.low);
  const __m256i start = load(column);
  if (output.column.width == 2)
    return {_mm256_add_epi16(start, low), _mm256_add_epi16(load(column + 32), low)};
  return {_mm256_add_epi16(_mm256_cvtepu8_epi16(_mm256_castsi256_si128(start)), low),
          _mm256_add_epi16(_mm256_cvtepu8_epi16(_mm256_extracti128_si256(start, 1)), low)};
}

/// Where half a tile's results go.
struct Place {
  std::uint32_t first;  // event
  std::uint32_t half;
};

/// Outputs and classes of half a tile whose outputs, less the least of them, all fit a byte.
void finish_bytes(const LutProgram& program, const std::uint8_t* codes, const TileBatch& batch,
                  Place at) noexcept {
  __m256i best = _mm256_setzero_si256();
  __m256i classes = _mm256_setzero_si256();
  for (std::uint32_t k = 0; k < program.output_count; ++k) {
    const LutOutput& output = program.outputs[k];
    const Values values = output_values(output, codes, at.half);
    std::int16_t* out = batch.outputs + k * std::size_t{batch.output_stride} + at.first;
    store(out, values.first);
    store(out + 16, values.second);
    const __m256i rank =
        _mm256_add_epi8(load(codes + output.column.offset + at.half * kHalf), bytes_of(output.byte_rank));
    const __m256i better = _mm256_max_epu8(rank, best);
    classes = _mm256_blendv_epi8(bytes_of(k), classes, _mm256_cmpeq_epi8(better, best));
    best = better;
  }
  store(batch.classes + at.first, classes);
}

/// Outputs and classes of half a tile, any outputs.
void finish_words(const LutProgram& program, const std::uint8_t* codes, const TileBatch& batch,
                  Place at) noexcept {
  // One output is compared with 0; several are compared with the first.
  const bool one = program.output_count == 1;
  Values best = {_mm256_setzero_si256(), _mm256_setzero_si256()};
  if (!one) best = output_values(program.outputs[0], codes, at.half);
  Values classes = {_mm256_setzero_si256(), _mm256_setzero_si256()};
  for (std::uint32_t k = 0; k < program.output_count; ++k) {
    const Values values = output_values(program.outputs[k], codes, at.half);
    std::int16_t* out = batch.outputs + k * std::size_t{batch.output_stride} + at.first;
    store(out, values.first);
    store(out + 16, values.second);
    const __m256i label = words_of(one ? 1 : k);
    classes.first = _mm256_blendv_epi8(classes.first, label, _mm256_cmpgt_epi16(values.first, best.first));
    classes.second =
        _mm256_blendv_epi8(classes.second, label, _mm256_cmpgt_epi16(values.second, best.second));
    best = {_mm256_max_epi16(values.first, best.first), _mm256_max_epi16(values.second, best.second)};
  }
  const __m256i packed = _mm256_packus_epi16(classes.first, classes.second);
  store(batch.classes + at.first, _mm256_permute4x64_epi64(packed, 0xD8));
}

void finish_distance_tile(const LutProgram& program, const std::uint8_t* codes, const std::uint8_t* scratch,
                          const TileBatch& batch, std::uint32_t first) noexcept {
  if (program.distance.in_bytes) return finish_distance(program, codes, scratch, batch, first);
  scalar::finish_distance(program, codes, scratch, batch, first);
}

/// The nodes of one layer, whose columns are prepared.
template <std::uint32_t T>
[[gnu::always_inline]] inline void eval_nodes(const LutProgram& program, const LutLayer& layer, Source in,
                                              Source indices, Target out) noexcept {
  for (std::uint32_t k = layer.node_begin; k < layer.node_end; ++k) {
    const LutNode& node = program.nodes[k];
    if (node.sum == SumWidth::kByte) {
      eval_byte_node<T>(program, node, indices, out);
    } else if (node.sum == SumWidth::kHalf) {
      eval_half_node<T>(program, node, in, indices, out);
    } else {
      for (std::uint32_t t = 0; t < T; ++t)
        scalar::eval_node(program, node, in.bytes + t * in.stride, out.bytes + t * out.stride);
    }
  }
}

template <std::uint32_t T>
void eval(const LutProgram& program, const TileBatch& batch, std::uint32_t first_tile) noexcept {
  const std::size_t stride = program.scratch_bytes;
  const Target prepared{batch.scratch + 2 * std::size_t{program.layer_bytes}, stride};
  const Source indices{prepared.bytes, stride};
  Source in{batch.codes + first_tile * std::size_t{program.tile_bytes}, program.tile_bytes};
  for (std::uint32_t l = 0; l < program.layer_count; ++l) {
    const Target out{batch.scratch + (l & 1U) * std::size_t{program.layer_bytes}, stride};
    const LutLayer& layer = program.layers[l];
    prepare<T>(program, layer, in, prepared);
    eval_nodes<T>(program, layer, in, indices, out);
    in = {out.bytes, stride};
  }
  for (std::uint32_t t = 0; t < T && program.distance.term_count != 0; ++t) {
    finish_distance_tile(program, in.bytes + t * stride, batch.scratch + t * stride, batch,
                         (first_tile + t) * kTileEvents);
  }
  if (program.distance.term_count != 0) return;
  const bool in_bytes = program.ranks_in_bytes && program.output_count > 1;
  for (std::uint32_t part = 0; part < 2 * T; ++part) {
    const std::uint8_t* codes = in.bytes + part / 2 * stride;
    const Place at{first_tile * kTileEvents + part * kHalf, part % 2};
    if (in_bytes) {
      finish_bytes(program, codes, batch, at);
    } else {
      finish_words(program, codes, batch, at);
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
    eval_event(program, batch, event);
}

void score_tiles(const LutProgram& program, const TileBatch& batch, NodeColumns nodes) noexcept {
  const std::size_t stride = program.scratch_bytes;
  std::uint8_t* const last = batch.scratch + std::size_t{program.layer_bytes};  // targets lie behind it
  const Target prepared{batch.scratch + 2 * std::size_t{program.layer_bytes}, stride};
  const LutLayer& targets = program.distance.targets;
  for (std::uint32_t first = 0; first < batch.events; first += kTileEvents) {
    const Source in{batch.codes + first / kTileEvents * std::size_t{program.tile_bytes}, program.tile_bytes};
    scalar::load_nodes(program, nodes, first, last);
    prepare<1>(program, targets, in, prepared);
    eval_nodes<1>(program, targets, in, {prepared.bytes, stride}, {batch.scratch, stride});
    finish_distance_tile(program, last, batch.scratch, batch, first);
  }
}

}  // namespace kantrig::kernels::avx2
