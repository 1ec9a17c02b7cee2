// Single events: a table holds one row a code with a lane for every node, so that an input costs one load and
// one add.
#include "kernels/lut_layer.hpp"

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace kantrig::kernels::avx2 {
namespace {

__m256i load(const std::uint16_t* from) noexcept {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(from));
}

/// Sixteen lanes of one layer.
struct LanePlace {
  const std::uint16_t* constants;  // of these lanes
  std::uint32_t lanes;             // of the layer
};

__m256i constant(LanePlace at, RowConstant which) noexcept {
  return load(at.constants + which * std::size_t{at.lanes});
}

__m256i codes_of(LanePlace at, __m256i sum) noexcept {
  const __m256i moved =
      _mm256_subs_epu16(_mm256_adds_epu16(sum, constant(at, kRowAdd)), constant(at, kRowSub));
  const __m256i shifted =
      _mm256_mulhi_epu16(moved, constant(at, kRowMultiply));  // moved >> shift, 0 for shift 0
  const __m256i kept = _mm256_and_si256(moved, constant(at, kRowKeep));
  return _mm256_min_epu16(_mm256_or_si256(shifted, kept), constant(at, kRowTop));
}

/// The code of one event in a column of a tile; behind the first layer a column holds one event.
std::uint32_t code_at(const std::uint8_t* codes, Column column, std::uint32_t event) noexcept {
  const std::uint8_t* at = codes + column.offset + event * column.width;
  return column.width == 1 ? *at : static_cast<std::uint32_t>(at[0] | at[1] << 8);
}

/// Largest value, lowest index on a tie, among values in [0, count), count a multiple of 8.
std::uint32_t largest(const std::int16_t* values, std::uint32_t count) noexcept {
  // minpos finds the least unsigned word and the lowest place of it: flip the order, all bits but the sign's.
  const __m128i flip = _mm_set1_epi16(0x7FFF);
  std::uint32_t best = 0x10000;
  std::uint32_t best_index = 0;
  for (std::uint32_t k = 0; k < count; k += 8) {
    const __m128i eight = _mm_load_si128(reinterpret_cast<const __m128i*>(values + k));
    const auto found =
        static_cast<std::uint32_t>(_mm_cvtsi128_si32(_mm_minpos_epu16(_mm_xor_si128(eight, flip))));
    const bool better = (found & 0xFFFFU) < best;
    best = better ? found & 0xFFFFU : best;
    best_index = better ? k + (found >> 16) : best_index;
  }
  return best_index;
}

/// The layer's sums of the event for one place of lanes.
__m256i sum_rows(const LutProgram& program, const RowLayer& layer, const std::uint8_t* codes,
                 std::uint32_t event, std::uint32_t first_lane) noexcept {
  __m256i sum = _mm256_setzero_si256();
  for (std::uint32_t i = layer.input_begin; i < layer.input_end; ++i) {
    const RowInput& input = program.row_inputs[i];
    const std::size_t row = code_at(codes, input.column, event) * std::size_t{layer.lanes};
    sum = _mm256_add_epi16(sum, load(program.row_tables + input.table + row + first_lane));
  }
  return sum;
}

}  // namespace

void eval_event(const LutProgram& program, const TileBatch& batch, std::uint32_t event) noexcept {
  const std::uint8_t* in = batch.codes + event / kTileEvents * std::size_t{program.tile_bytes};
  std::uint32_t in_event = event % kTileEvents;
  std::uint8_t* out = batch.scratch;
  for (std::uint32_t l = 0; l < program.layer_count; ++l) {
    const RowLayer& layer = program.row_layers[l];
    out = batch.scratch + (l & 1U) * 2 * std::size_t{program.row_lanes_max};
    for (std::uint32_t first = 0; first < layer.lanes; first += kRowLanes) {
      const LanePlace at{program.row_tables + layer.constants + first, layer.lanes};
      __m256i codes = codes_of(at, sum_rows(program, layer, in, in_event, first));
      if (l + 1 == program.layer_count) codes = _mm256_add_epi16(codes, constant(at, kRowLow));
      _mm256_store_si256(reinterpret_cast<__m256i*>(out + 2 * std::size_t{first}), codes);
    }
    in = out;
    in_event = 0;
  }
  const auto* values = reinterpret_cast<const std::int16_t*>(out);
  if (program.distance.term_count != 0) return scalar::finish_distance_values(program, values, batch, event);
  for (std::uint32_t k = 0; k < program.output_count; ++k)
    batch.outputs[k * std::size_t{batch.output_stride} + event] = values[k];
  const std::uint32_t lanes = program.row_layers[program.layer_count - 1].lanes;
  const std::uint32_t several = largest(values, lanes);
  batch.classes[event] =
      static_cast<std::uint8_t>(program.output_count == 1 ? (values[0] > 0 ? 1U : 0U) : several);
}

}  // namespace kantrig::kernels::avx2
