// Model: the integer KAN, the one arithmetic that every evaluator, kernel and card shares. Defined in
// README.md.
#pragma once

#include <cstdint>
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

/// Immutable once checked. Plain data: thread-safe to read.
struct Model {
  std::vector<InputFeature> inputs;
  std::vector<Layer> layers;
  std::vector<double> output_scales;  // real score = integer output x scale
  bool codes_only = false;            // there is no input stage: takes codes, not floats

  [[nodiscard]] std::uint32_t input_count() const { return static_cast<std::uint32_t>(inputs.size()); }
  [[nodiscard]] std::uint32_t output_count() const {
    return static_cast<std::uint32_t>(layers.back().nodes.size());
  }
  /// Two classes for a model of one output (class 1 when the output is positive), else one per output.
  [[nodiscard]] std::uint32_t class_count() const { return output_count() == 1 ? 2 : output_count(); }
};

/// Every bound that evaluation relies on: sizes agree, codes stay inside their tables, scales are finite, no
/// accumulator can leave int32. The error names layer, node and edge, and what was expected.
[[nodiscard]] Result<void> check(const Model& model);

}  // namespace kantrig::kan
