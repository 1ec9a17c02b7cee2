// The scalar kernel set: plain loops over tables. Also what the other sets use where they have nothing
// better.
#include "kernels/lut_layer.hpp"

#include <cstring>

namespace kantrig::kernels::scalar {
namespace {

constexpr std::uint32_t kSingleEventsMax = 8;  // up to here event by event is faster than by tiles

std::uint32_t load_code(const std::uint8_t* codes, Column column, std::uint32_t event) noexcept {
  if (column.width == 1) return codes[column.offset + event];
  std::uint16_t code = 0;
  std::memcpy(&code, codes + column.offset + 2 * std::size_t{event}, sizeof code);
  return code;
}

void store_code(std::uint8_t* codes, Column column, std::uint32_t event, std::int32_t code) noexcept {
  if (column.width == 1) {
    codes[column.offset + event] = static_cast<std::uint8_t>(code);
    return;
  }
  const auto word = static_cast<std::uint16_t>(code);
  std::memcpy(codes + column.offset + 2 * std::size_t{event}, &word, sizeof word);
}

std::int32_t code_of(const LutNode& node, std::int32_t sum) noexcept {
  const std::int32_t value = sum >> node.shift;
  const std::int32_t raised = value < node.low ? node.low : value;
  return (raised > node.high ? node.high : raised) - node.low;
}

template <typename Code>
void add_lookup(const Code* codes, const std::uint16_t* table, std::int32_t* sums) noexcept {
  for (std::uint32_t e = 0; e < kTileEvents; ++e) sums[e] += table[codes[e]];
}

void add_words(const LutProgram& program, const LutNode& node, const std::uint8_t* codes,
               std::int32_t* sums) noexcept {
  for (std::uint32_t w = node.word_begin; w < node.word_end; ++w) {
    const WordLookup& word = program.words[w];
    const std::uint16_t* table = program.word_tables + word.table;
    if (word.column.width == 1) {
      add_lookup(codes + word.column.offset, table, sums);
    } else {
      add_lookup(reinterpret_cast<const std::uint16_t*>(codes + word.column.offset), table, sums);
    }
  }
}

void eval_event(const LutProgram& program, const TileBatch& batch, const std::uint8_t* codes,
                std::uint32_t event) noexcept {
  const std::uint8_t* in = codes;
  for (std::uint32_t l = 0; l < program.layer_count; ++l) {
    std::uint8_t* out = batch.scratch + (l & 1U) * std::size_t{program.layer_bytes};
    for (std::uint32_t k = program.layers[l].node_begin; k < program.layers[l].node_end; ++k) {
      const LutNode& node = program.nodes[k];
      std::int32_t sum = node.base;
      for (std::uint32_t w = node.word_begin; w < node.word_end; ++w) {
        const WordLookup& word = program.words[w];
        sum += program.word_tables[word.table + load_code(in, word.column, event)];
      }
      store_code(out, node.out, event, code_of(node, sum));
    }
    in = out;
  }
}

const std::uint8_t* eval_tile(const LutProgram& program, const TileBatch& batch,
                              const std::uint8_t* codes) noexcept {
  const std::uint8_t* in = codes;
  for (std::uint32_t l = 0; l < program.layer_count; ++l) {
    std::uint8_t* out = batch.scratch + (l & 1U) * std::size_t{program.layer_bytes};
    for (std::uint32_t k = program.layers[l].node_begin; k < program.layers[l].node_end; ++k) {
      eval_node(program, program.nodes[k], in, out);
    }
    in = out;
  }
  return in;
}

void finish_event(const LutProgram& program, const std::uint8_t* codes, const TileBatch& batch,
                  std::uint32_t event) noexcept {
  std::int32_t best = 0;
  std::uint32_t best_index = 0;
  for (std::uint32_t k = 0; k < program.output_count; ++k) {
    const LutOutput& output = program.outputs[k];
    const std::int32_t value =
        static_cast<std::int32_t>(load_code(codes, output.column, event % kTileEvents)) + output.low;
    batch.outputs[k * std::size_t{batch.output_stride} + event] = static_cast<std::int16_t>(value);
    if (k == 0 || value > best) {
      best = value;
      best_index = k;
    }
  }
  if (program.output_count == 1) best_index = best > 0 ? 1 : 0;
  batch.classes[event] = static_cast<std::uint8_t>(best_index);
}

}  // namespace

void eval_node(const LutProgram& program, const LutNode& node, const std::uint8_t* codes,
               std::uint8_t* out) noexcept {
  std::int32_t sums[kTileEvents];
  for (std::int32_t& sum : sums) sum = node.base;
  add_words(program, node, codes, sums);
  if (node.out.width == 1) {
    std::uint8_t* column = out + node.out.offset;
    for (std::uint32_t e = 0; e < kTileEvents; ++e)
      column[e] = static_cast<std::uint8_t>(code_of(node, sums[e]));
  } else {
    auto* column = reinterpret_cast<std::uint16_t*>(out + node.out.offset);
    for (std::uint32_t e = 0; e < kTileEvents; ++e)
      column[e] = static_cast<std::uint16_t>(code_of(node, sums[e]));
  }
}

void sum_words(const LutProgram& program, const LutNode& node, const std::uint8_t* codes,
               std::uint8_t* planes) noexcept {
  std::int32_t sums[kTileEvents] = {};
  add_words(program, node, codes, sums);
  for (std::uint32_t e = 0; e < kTileEvents; ++e) {
    planes[e] = static_cast<std::uint8_t>(sums[e]);
    planes[kTileEvents + e] = static_cast<std::uint8_t>(sums[e] >> 8);
  }
}

void finish_tile(const LutProgram& program, const std::uint8_t* codes, const TileBatch& batch,
                 std::uint32_t first) noexcept {
  for (std::uint32_t e = 0; e < kTileEvents; ++e) finish_event(program, codes, batch, first + e);
}

void eval_tiles(const LutProgram& program, const TileBatch& batch) noexcept {
  const std::size_t last = ((program.layer_count - 1) & 1U) * std::size_t{program.layer_bytes};
  const bool distance = program.distance.term_count != 0;
  for (std::uint32_t first = 0; first < batch.events; first += kTileEvents) {
    const std::uint8_t* codes = batch.codes + first / kTileEvents * std::size_t{program.tile_bytes};
    const std::uint32_t left = batch.events - first;
    if (left > kSingleEventsMax) {
      const std::uint8_t* const results = eval_tile(program, batch, codes);
      if (distance)
        finish_distance(program, results, batch.scratch, batch, first);
      else
        finish_tile(program, results, batch, first);
      continue;
    }
    for (std::uint32_t e = 0; e < left; ++e) {
      eval_event(program, batch, codes, e);
      if (distance)
        finish_distance_event(program, batch.scratch + last, batch.scratch, batch, first + e);
      else
        finish_event(program, batch.scratch + last, batch, first + e);
    }
  }
}

}  // namespace kantrig::kernels::scalar
