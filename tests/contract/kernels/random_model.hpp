// Random models that pass check(), of the shapes that kernel sets treat differently.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "kan/model.hpp"

namespace kantrig::test {

using Random = std::mt19937_64;

[[nodiscard]] inline std::int32_t draw(Random& random, std::int32_t low, std::int32_t high) {
  return std::uniform_int_distribution<std::int32_t>(low, high)(random);
}

struct ModelShape {
  std::string name;
  std::vector<std::uint32_t> input_bits;  // one per input
  std::vector<std::uint32_t> nodes;       // per layer
  std::int32_t codes_max = 64;            // of an inner node; drawn from [codes_min, codes_max]
  std::int32_t codes_min = 64;
  std::int32_t entry_max = 20;  // entries are drawn from [-entry_max - 1, entry_max]
  double edge_fraction = 1.0;
  std::uint32_t shift_max = 0;
  std::int32_t bias_max = 10;
  std::int32_t output_low = -32;
  std::int32_t output_high = 31;
};

[[nodiscard]] inline std::uint32_t add_edges(const ModelShape& shape, Random& random, kan::Layer& layer) {
  for (std::uint32_t j = 0; j < layer.input_codes.size(); ++j) {
    if (std::uniform_real_distribution<double>()(random) >= shape.edge_fraction) continue;
    layer.edges.push_back({.input = j, .table_offset = static_cast<std::uint32_t>(layer.tables.size())});
    // Tables of one node differ in reach, so that groups of bytes, pairs of bytes and constants all occur.
    const std::int32_t reach = std::max(1, shape.entry_max >> draw(random, 0, 3));
    for (std::uint32_t c = 0; c < layer.input_codes[j]; ++c) {
      layer.tables.push_back(static_cast<std::int16_t>(draw(random, -reach - 1, reach)));
    }
  }
  return static_cast<std::uint32_t>(layer.edges.size());
}

[[nodiscard]] inline kan::Model random_model(const ModelShape& shape, std::uint64_t seed) {
  Random random(seed);
  kan::Model model;
  std::vector<std::uint32_t> codes;
  for (const std::uint32_t bits : shape.input_bits) {
    model.inputs.push_back({.bits = bits,
                            .scale = std::uniform_real_distribution<float>(0.5F, 20.0F)(random),
                            .offset = std::uniform_real_distribution<float>(-10.0F, 40.0F)(random)});
    codes.push_back(1U << bits);
  }
  for (std::size_t l = 0; l < shape.nodes.size(); ++l) {
    const bool last = l + 1 == shape.nodes.size();
    kan::Layer& layer = model.layers.emplace_back();
    layer.input_codes = codes;
    codes.clear();
    for (std::uint32_t k = 0; k < shape.nodes[l]; ++k) {
      kan::Node node;
      const std::int32_t count = draw(random, shape.codes_min, shape.codes_max);
      node.low = last ? shape.output_low : draw(random, -count, 0);
      node.high = last ? shape.output_high : node.low + count - 1;
      node.shift = static_cast<std::uint32_t>(draw(random, 0, static_cast<std::int32_t>(shape.shift_max)));
      node.bias = draw(random, -shape.bias_max, shape.bias_max);
      node.edge_begin = static_cast<std::uint32_t>(layer.edges.size());
      node.edge_end = add_edges(shape, random, layer);
      layer.nodes.push_back(node);
      codes.push_back(static_cast<std::uint32_t>(node.high - node.low + 1));
    }
  }
  model.output_scales.assign(model.output_count(), 0.5);
  return model;
}

/// One code per input for each event; the first events take the least, the greatest and the next-to-chunk
/// codes.
[[nodiscard]] inline std::vector<std::uint16_t> random_codes(const kan::Model& model, std::uint32_t events,
                                                             std::uint64_t seed) {
  Random random(seed);
  std::vector<std::uint16_t> codes;
  constexpr std::int32_t kBoundaries[] = {0, 4095, 15, 16, 63, 64, 127, 128, 255, 256};
  for (std::uint32_t e = 0; e < events; ++e) {
    for (const kan::InputFeature& input : model.inputs) {
      const std::int32_t highest = (1 << input.bits) - 1;
      const bool boundary = e < std::size(kBoundaries);
      codes.push_back(static_cast<std::uint16_t>(boundary ? std::min(kBoundaries[e], highest)
                                                          : draw(random, 0, highest)));
    }
  }
  return codes;
}

}  // namespace kantrig::test
