// Model: the integer KAN, the one arithmetic that every evaluator, kernel and card shares. Defined in
// README.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace kantrig::kan {

inline constexpr std::uint32_t kInputBitsMax = 12;       // of one feature's code
inline constexpr std::uint32_t kTableEntriesMax = 4096;  // of one edge, so at most 4096 codes per node inside
inline constexpr std::uint32_t kInputsMax = 4096;
inline constexpr std::uint32_t kNodesMax = 4096;  // per layer
inline constexpr std::uint32_t kLayersMax = 64;
inline constexpr std::uint32_t kOutputsMax = 256;  // a class is one byte
inline constexpr std::uint32_t kShiftMax = 30;
inline constexpr std::int32_t kScoreMax = 32767;  // of an output stage

/// One feature's way from a float32 in physical units to a code in [0, 2^bits - 1].
struct InputFeature {
  std::uint32_t bits = 0;  // 1..kInputBitsMax
  float scale = 1.0F;      // codes per unit of the feature
  float offset = 0.0F;     // in codes
};

/// y = clamp((acc + half) >> shift, low, high). The next layer's code is y - low.
struct Node {
  std::int32_t bias = 0;
  std::uint32_t shift = 0;       // 0..kShiftMax
  std::int32_t low = 0;          // int16 range
  std::int32_t high = 0;         // int16 range, >= low
  std::uint32_t edge_begin = 0;  // into Layer::edges
  std::uint32_t edge_end = 0;
};

/// One learned function, as a table over the codes of its input.
struct Edge {
  std::uint32_t input = 0;         // node of the layer before, or feature
  std::uint32_t table_offset = 0;  // into Layer::tables
};

/// Edges are sorted by node, then by input; a pair has at most one.
struct Layer {
  std::vector<std::uint32_t> input_codes;  // how many codes each input has: the length of its edges' tables
  std::vector<Node> nodes;
  std::vector<Edge> edges;
  std::vector<std::int16_t> tables;
};

/// How the difference d of a node and its target counts.
enum class DistanceMeasure : std::uint8_t {
  kAbsolute = 1,  // |d|
  kSquared = 2,   // d x d
};

/// How far the nodes of the last layer lie from the features that they reconstruct: the one output of an
/// autoencoder. score = min((sum over the nodes of the distance + half) >> shift, kScoreMax).
struct OutputStage {
  DistanceMeasure measure = DistanceMeasure::kAbsolute;
  std::uint32_t shift = 0;            // 0..kShiftMax
  std::int32_t class_above = 0;       // class 1 when score > class_above; 0..kScoreMax
  std::vector<std::uint32_t> inputs;  // of each node of the last layer: the feature that it reconstructs
  // Of each node, one after the other: for every code of its feature what the node should give.
  std::vector<std::int16_t> targets;
};

/// Immutable once checked. Plain data: thread-safe to read.
struct Model {
  std::vector<InputFeature> inputs;
  std::vector<Layer> layers;
  std::vector<double> output_scales;        // real score = integer output x scale
  bool codes_only = false;                  // there is no input stage: takes codes, not floats
  std::optional<OutputStage> output_stage;  // absent: the outputs are the nodes of the last layer

  [[nodiscard]] std::uint32_t input_count() const { return static_cast<std::uint32_t>(inputs.size()); }
  /// Nodes of the last layer: what hardware computes.
  [[nodiscard]] std::uint32_t node_count() const {
    return static_cast<std::uint32_t>(layers.back().nodes.size());
  }
  /// What the model answers with.
  [[nodiscard]] std::uint32_t output_count() const { return output_stage ? 1 : node_count(); }
  /// Two classes for a model of one output, else one per output.
  [[nodiscard]] std::uint32_t class_count() const { return output_count() == 1 ? 2 : output_count(); }
  /// A model of one output says class 1 when the output is above this.
  [[nodiscard]] std::int32_t class_above() const { return output_stage ? output_stage->class_above : 0; }
};

/// What an output can be.
struct OutputRange {
  std::int32_t low = 0;
  std::int32_t high = 0;
};
/// One an output. Precondition: check(model).
[[nodiscard]] std::vector<OutputRange> output_ranges(const Model& model);

/// Every bound that evaluation relies on: sizes agree, codes stay inside their tables, scales are finite, no
/// accumulator can leave int32. The error names layer, node and edge, and what was expected.
[[nodiscard]] Result<void> check(const Model& model);

}  // namespace kantrig::kan
