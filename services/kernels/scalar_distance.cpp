// The output stage in plain loops: the scalar set, and what the other sets use where codes need two bytes.
#include <cstring>

#include "kernels/lut_layer.hpp"

namespace kantrig::kernels::scalar {
namespace {

/// Unsigned: past the events of a batch there may be codes whose sum leaves 32 bits.
std::uint32_t distance_of(std::int32_t d, bool squared) noexcept {
  const auto magnitude = static_cast<std::uint32_t>(d < 0 ? -d : d);
  return squared ? magnitude * magnitude : magnitude;
}

/// One term's part of every event's sum.
template <typename Node, typename Target>
void add_term(const Node* nodes, const Target* targets, std::int32_t offset, bool squared,
              std::uint32_t* sums) noexcept {
  for (std::uint32_t e = 0; e < kTileEvents; ++e) {
    const std::int32_t d =
        static_cast<std::int32_t>(nodes[e]) - static_cast<std::int32_t>(targets[e]) + offset;
    sums[e] += distance_of(d, squared);
  }
}

template <typename Node>
void add_term(const DistanceTerm& term, const Node* nodes, const std::uint8_t* scratch, bool squared,
              std::uint32_t* sums) noexcept {
  const std::uint8_t* targets = scratch + term.target.offset;
  if (term.target.width == 1)
    add_term(nodes, targets, term.offset, squared, sums);
  else
    add_term(nodes, reinterpret_cast<const std::uint16_t*>(targets), term.offset, squared, sums);
}

std::int32_t code_at(const std::uint8_t* codes, Column column, std::uint32_t event) noexcept {
  if (column.width == 1) return codes[column.offset + event];
  std::uint16_t code = 0;
  std::memcpy(&code, codes + column.offset + 2 * std::size_t{event}, sizeof code);
  return code;
}

void store_score(const LutDistance& distance, const TileBatch& batch, std::uint32_t event,
                 std::uint32_t sum) noexcept {
  const std::uint32_t half = distance.shift == 0 ? 0 : 1U << (distance.shift - 1);
  const std::uint32_t shifted = (sum + half) >> distance.shift;
  const auto score = static_cast<std::int32_t>(shifted > kScoreMax ? kScoreMax : shifted);
  batch.outputs[event] = static_cast<std::int16_t>(score);
  batch.classes[event] = score > distance.class_above ? 1 : 0;
}

}  // namespace

void finish_distance(const LutProgram& program, const std::uint8_t* codes, const std::uint8_t* scratch,
                     const TileBatch& batch, std::uint32_t first) noexcept {
  const LutDistance& distance = program.distance;
  std::uint32_t sums[kTileEvents] = {};
  for (std::uint32_t k = 0; k < distance.term_count; ++k) {
    const DistanceTerm& term = distance.terms[k];
    const std::uint8_t* nodes = codes + term.node.offset;
    if (term.node.width == 1)
      add_term(term, nodes, scratch, distance.squared, sums);
    else
      add_term(term, reinterpret_cast<const std::uint16_t*>(nodes), scratch, distance.squared, sums);
  }
  for (std::uint32_t e = 0; e < kTileEvents; ++e) store_score(distance, batch, first + e, sums[e]);
}

void finish_distance_event(const LutProgram& program, const std::uint8_t* codes, const std::uint8_t* scratch,
                           const TileBatch& batch, std::uint32_t event) noexcept {
  const LutDistance& distance = program.distance;
  const std::uint32_t in_tile = event % kTileEvents;
  std::uint32_t sum = 0;
  for (std::uint32_t k = 0; k < distance.term_count; ++k) {
    const DistanceTerm& term = distance.terms[k];
    const std::int32_t d =
        code_at(codes, term.node, in_tile) - code_at(scratch, term.target, in_tile) + term.offset;
    sum += distance_of(d, distance.squared);
  }
  store_score(distance, batch, event, sum);
}

void finish_distance_values(const LutProgram& program, const std::int16_t* values, const TileBatch& batch,
                            std::uint32_t event) noexcept {
  const LutDistance& distance = program.distance;
  const std::uint8_t* codes = batch.codes + event / kTileEvents * std::size_t{program.tile_bytes};
  std::uint32_t sum = 0;
  for (std::uint32_t k = 0; k < distance.term_count; ++k) {
    const DistanceTerm& term = distance.terms[k];
    const auto code = static_cast<std::uint32_t>(code_at(codes, term.input, event % kTileEvents));
    const std::int32_t d = values[k] - distance.tables[term.table + code];
    sum += distance_of(d, distance.squared);
  }
  store_score(distance, batch, event, sum);
}

void load_nodes(const LutProgram& program, NodeColumns nodes, std::uint32_t first,
                std::uint8_t* codes) noexcept {
  const LutDistance& distance = program.distance;
  for (std::uint32_t k = 0; k < distance.term_count; ++k) {
    const DistanceTerm& term = distance.terms[k];
    const std::int16_t* from = nodes.nodes + k * nodes.stride + first;
    if (term.node.width == 1) {
      std::uint8_t* column = codes + term.node.offset;
      for (std::uint32_t e = 0; e < kTileEvents; ++e)
        column[e] = static_cast<std::uint8_t>(from[e] - term.low);
    } else {
      auto* column = reinterpret_cast<std::uint16_t*>(codes + term.node.offset);
      for (std::uint32_t e = 0; e < kTileEvents; ++e)
        column[e] = static_cast<std::uint16_t>(from[e] - term.low);
    }
  }
}

void score_tiles(const LutProgram& program, const TileBatch& batch, NodeColumns nodes) noexcept {
  std::uint8_t* const last = batch.scratch + std::size_t{program.layer_bytes};  // targets lie behind it
  const LutLayer& targets = program.distance.targets;
  for (std::uint32_t first = 0; first < batch.events; first += kTileEvents) {
    const std::uint8_t* codes = batch.codes + first / kTileEvents * std::size_t{program.tile_bytes};
    load_nodes(program, nodes, first, last);
    for (std::uint32_t k = targets.node_begin; k < targets.node_end; ++k)
      eval_node(program, program.nodes[k], codes, batch.scratch);
    finish_distance(program, last, batch.scratch, batch, first);
  }
}

}  // namespace kantrig::kernels::scalar
