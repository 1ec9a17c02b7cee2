// ProgramStorage: the arrays that a LutProgram points into. For program.cpp and the files that fill it, only.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/aligned_bytes.hpp"
#include "kernels/program.hpp"

namespace kantrig::kernels {

struct ProgramStorage {
  std::vector<LutLayer> layers;
  std::vector<LutNode> nodes;
  std::vector<ByteGroup> groups;
  std::vector<Lookup> lookups;
  std::vector<WordLookup> words;
  std::vector<Prepared> prepared;
  std::vector<std::uint8_t> tables;
  std::vector<std::uint16_t> word_tables;
  std::vector<LutOutput> outputs;
  std::vector<DistanceTerm> terms;
  std::vector<std::int16_t> target_tables;
  std::vector<RowLayer> row_layers;
  std::vector<RowInput> row_inputs;
  std::vector<std::uint16_t> row_tables;
  std::vector<Column> columns;  // of the inputs
  std::vector<float> scale;
  std::vector<float> offset;
  std::vector<float> highest;
  std::vector<std::uint16_t> max_code;
  std::vector<std::uint8_t> byte_block;
  AlignedBytes aligned_tables;
  AlignedBytes aligned_row_tables;
  LutProgram lut;
  LutInputStage input_stage;
};

/// What a layer's tables prove about the sum of one node: u = sum of (entry - least entry of its table).
struct NodeRange {
  std::uint64_t sum_max = 0;  // largest u
  std::int64_t base = 0;      // bias + least entries + half
};
[[nodiscard]] NodeRange node_range(const LayerSpec& layer, const NodeSpec& node);

/// Fills add, sub, top and shift of `out` when saturating lanes of 16 bits give the exact code; else false.
[[nodiscard]] bool fits_lanes(const NodeSpec& node, const NodeRange& range, LutNode& out);

/// The targets of spec.distance as nodes of the first layer, each with one edge.
[[nodiscard]] LayerSpec target_layer(const ProgramSpec& spec);

/// Where codes lie: of the inputs, of the last layer, and of the targets from the start of the scratch.
struct DistanceColumns {
  std::span<const Column> inputs;
  std::span<const Column> nodes;
  std::span<const Column> targets;
};
/// Fills the distance of the program but for its target nodes.
void build_distance(const ProgramSpec& spec, const DistanceColumns& columns, ProgramStorage& storage);

/// Lays the rows for single events out, unless a node needs more than 16 bits, they would take more than a
/// megabyte, or the model is so sparse that they would not pay.
void build_rows(const ProgramSpec& spec, std::span<const Column> inputs, ProgramStorage& storage);

}  // namespace kantrig::kernels
