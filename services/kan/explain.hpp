// explain(): where the outputs of one event come from, in integers and bit for bit. Definitions: README.md.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kan/bundle.hpp"

namespace kantrig::kan {

/// One edge at the event's code, against what it is compared with.
struct EdgeShare {
  std::uint32_t input = 0;
  std::uint32_t code = 0;
  std::int32_t entry = 0;
  std::int32_t reference = 0;

  [[nodiscard]] std::int32_t contribution() const noexcept { return entry - reference; }
};

enum class Saturation : std::uint8_t { kNone, kLow, kHigh };

/// sum = baseline + sum of contributions, exactly.
struct NodeExplanation {
  std::int32_t bias = 0;
  std::int32_t baseline = 0;  // bias + sum of the edges' references
  std::int32_t sum = 0;
  std::int16_t output = 0;
  Saturation saturation = Saturation::kNone;  // whether the clamp changed the output
  std::vector<EdgeShare> edges;
};

struct FeatureExplanation {
  std::uint16_t code = 0;
  std::uint16_t median = 0;  // code of half of the training events
  double share_below =
      0.0;  // of the training events, those with a smaller code and half of those with this one
  std::vector<std::int32_t> effects{};  // of each output: output - output with this feature at its median
};

/// How far one node of an autoencoder lies from the feature that it reconstructs.
struct DistanceShare {
  std::uint32_t input = 0;
  std::int32_t target = 0;    // what the node should give for the feature's code
  std::int32_t distance = 0;  // |output - target|, or its square
};

struct Explanation {
  bool has_reference = false;  // false: no histograms, so medians and means are those of uniform codes
  std::vector<FeatureExplanation> features;
  std::vector<std::vector<NodeExplanation>> layers;
  std::vector<std::int16_t> outputs;
  std::vector<std::int16_t> median_outputs;  // of the event with every feature at its median
  std::uint8_t event_class = 0;
  // Of a model with an output stage, one a node of the last layer; their sum is what the stage shifts and
  // clamps to the score.
  std::vector<DistanceShare> distances;
  std::int32_t distance_sum = 0;
};

/// Precondition: one code a feature, each below 2^bits.
[[nodiscard]] Explanation explain(const Bundle& bundle, std::span<const std::uint16_t> codes);

/// How often each code of a feature came in training; all 1 where the bundle has no histogram that fits.
[[nodiscard]] std::vector<double> reference_counts(const Bundle& bundle, std::size_t feature);

}  // namespace kantrig::kan
