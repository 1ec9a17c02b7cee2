// An autoencoder of the shape used for machine sounds (ToyADMOS), 64-16-8-16-64, of random tables: as much
// work as a trained one, and scores that spread.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include <fmt/core.h>

#include "kan/bundle.hpp"
#include "kan/output_stage.hpp"
#include "kan/reference.hpp"

namespace kantrig::test {

constexpr std::uint32_t kSoundFeatures = 64;
constexpr double kSoundCode = 0.125;  // real value of a code, of features and of reconstructions

/// Every edge active, codes of 6 bits everywhere. Entries lie such that sums fill the range of a node.
inline kan::Layer sound_layer(std::uint32_t inputs, std::uint32_t nodes, std::mt19937_64& random) {
  constexpr std::int32_t kHigh = 31;
  kan::Layer layer;
  layer.input_codes.assign(inputs, 64);
  const std::uint32_t span = inputs >= 64 ? 13 : inputs >= 16 ? 27 : 37;
  for (std::uint32_t k = 0; k < nodes; ++k) {
    layer.nodes.push_back({.bias = 0,
                           .shift = 0,
                           .low = -kHigh - 1,
                           .high = kHigh,
                           .edge_begin = k * inputs,
                           .edge_end = (k + 1) * inputs});
    for (std::uint32_t j = 0; j < inputs; ++j) {
      layer.edges.push_back({j, static_cast<std::uint32_t>(layer.tables.size())});
      for (std::uint32_t c = 0; c < 64; ++c)
        layer.tables.push_back(static_cast<std::int16_t>(static_cast<std::int32_t>(random() % span) -
                                                         static_cast<std::int32_t>(span / 2)));
    }
  }
  return layer;
}

/// Anomalies are what lies more than `class_above` from its reconstruction.
inline Result<kan::Bundle> sound_bundle(kan::DistanceMeasure measure, double class_above,
                                        std::uint64_t seed) {
  std::mt19937_64 random(seed);
  kan::Bundle bundle;
  bundle.name = "sound";
  bundle.version = "1.0.0";
  bundle.description = "random tables of the shape 64-16-8-16-64";
  bundle.classes = {"normal", "anomaly"};
  bundle.provenance = {.tool = "test",
                       .command = "sound_bundle",
                       .source = "",
                       .source_sha256 = "",
                       .specification_sha256 = "",
                       .seed = seed,
                       .license = "Apache-2.0"};
  kan::Model model;
  std::vector<double> values;
  for (std::uint32_t c = 0; c < 64; ++c) values.push_back((c - 32.0) * kSoundCode);
  kan::DistanceSpec distance{
      .measure = measure, .inputs = {}, .code_values = {}, .class_above = class_above, .shift = {}};
  for (std::uint32_t i = 0; i < kSoundFeatures; ++i) {
    bundle.features.push_back({fmt::format("mel{}", i), "dB"});
    model.inputs.push_back({.bits = 6, .scale = static_cast<float>(1 / kSoundCode), .offset = 32.0F});
    distance.code_values.push_back(values);
  }
  std::uint32_t inputs = kSoundFeatures;
  for (const std::uint32_t nodes : {16U, 8U, 16U, kSoundFeatures}) {
    model.layers.push_back(sound_layer(inputs, nodes, random));
    inputs = nodes;
  }
  model.output_scales.assign(kSoundFeatures, kSoundCode);
  auto with_stage = kan::with_distance_stage(std::move(model), distance);
  if (!with_stage) return tl::unexpected(with_stage.error());
  bundle.model = std::move(*with_stage);
  for (; bundle.golden.count < 64; ++bundle.golden.count) {
    std::vector<std::uint16_t> codes;
    for (std::uint32_t i = 0; i < kSoundFeatures; ++i)
      codes.push_back(static_cast<std::uint16_t>(random() % 64));
    bundle.golden.inputs.insert(bundle.golden.inputs.end(), codes.begin(), codes.end());
    bundle.golden.outputs.push_back(kan::reference_outputs(bundle.model, codes).front());
  }
  return bundle;
}

}  // namespace kantrig::test
