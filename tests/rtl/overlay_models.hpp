// Random models that fit an overlay, up to every limit of its shape.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>

#include "compiler/hardware/overlay_shape.hpp"
#include "contract/kernels/random_model.hpp"
#include "kan/model.hpp"

namespace kantrig::test {

/// Whether a model fills its overlay or leaves inputs and nodes of it unused, as it may.
enum class Filling : std::uint8_t { kWhole, kAny };

[[nodiscard]] inline std::uint32_t filled(Random& random, std::uint32_t room, Filling filling) {
  return filling == Filling::kWhole
             ? room
             : static_cast<std::uint32_t>(draw(random, 1, static_cast<std::int32_t>(room)));
}

/// A table whose entries take all bits there are, around zero or moved away from it. Returns around what.
inline std::int32_t add_table(Random& random, std::uint32_t entry_bits, std::uint32_t codes,
                              kan::Layer& layer) {
  const std::int32_t half = 1 << (entry_bits - 1);
  const std::int32_t move = draw(random, 0, 3) == 0 ? draw(random, -half, half) : 0;
  for (std::uint32_t c = 0; c < codes; ++c) {
    layer.tables.push_back(static_cast<std::int16_t>(move + draw(random, -half, half - 1)));
  }
  return move;
}

/// Any range there is room for, and now and then a node that can give one code only.
inline void draw_range(Random& random, std::uint32_t bits, bool score, kan::Node& node) {
  const std::int32_t codes = 1 << bits;
  if (score) {
    node.low = draw(random, -codes / 2, -1);
    node.high = draw(random, 0, codes / 2 - 1);
    return;
  }
  const std::int32_t count = draw(random, draw(random, 0, 7) == 0 ? 1 : codes / 2, codes);
  node.low = draw(random, -count, count / 4);
  node.high = node.low + count - 1;
}

/// `layer` has its input_codes; this adds a node whose outputs spread over its range more often than not.
inline void add_node(Random& random, const compiler::OverlayShape& shape, std::size_t l, kan::Layer& layer) {
  kan::Node node;
  draw_range(random, shape.out_bits(l), l + 1 == shape.layer_count(), node);
  node.edge_begin = static_cast<std::uint32_t>(layer.edges.size());
  std::int32_t middle = 0;
  std::int32_t spread = 1;
  for (std::uint32_t j = 0; j < layer.input_codes.size(); ++j) {
    if (draw(random, 0, 4) == 0) continue;  // pruned
    layer.edges.push_back({.input = j, .table_offset = static_cast<std::uint32_t>(layer.tables.size())});
    middle += add_table(random, shape.entry_bits[l], layer.input_codes[j], layer);
    spread += 1 << (shape.entry_bits[l] - 1);
  }
  node.edge_end = static_cast<std::uint32_t>(layer.edges.size());
  while (node.shift < shape.shift_max[l] && (node.high - node.low) << node.shift < spread) ++node.shift;
  if (draw(random, 0, 3) == 0) {
    node.shift = static_cast<std::uint32_t>(draw(random, 0, static_cast<std::int32_t>(shape.shift_max[l])));
  }
  node.bias = (node.low + node.high) / 2 * (1 << node.shift) - middle + draw(random, -spread / 4, spread / 4);
  layer.nodes.push_back(node);
}

/// Passes check(). Whether it fits is for the caller to see: sums may not.
[[nodiscard]] inline kan::Model random_overlay_model(const compiler::OverlayShape& shape, Random& random,
                                                     Filling filling) {
  kan::Model model;
  std::vector<std::uint32_t> codes;
  const std::uint32_t inputs = filled(random, shape.sizes[0], filling);
  const auto bits_max = static_cast<std::int32_t>(shape.code_bits[0]);
  for (std::uint32_t i = 0; i < inputs; ++i) {
    model.inputs.push_back(
        {.bits = static_cast<std::uint32_t>(draw(random, std::max(1, bits_max - 1), bits_max))});
    codes.push_back(1U << model.inputs.back().bits);
  }
  for (std::size_t l = 0; l < shape.layer_count(); ++l) {
    kan::Layer& layer = model.layers.emplace_back();
    layer.input_codes = codes;
    const std::uint32_t nodes = filled(random, shape.sizes[l + 1], filling);
    codes.clear();
    for (std::uint32_t k = 0; k < nodes; ++k) {
      add_node(random, shape, l, layer);
      codes.push_back(static_cast<std::uint32_t>(layer.nodes.back().high - layer.nodes.back().low + 1));
    }
  }
  model.output_scales.assign(model.output_count(), 1.0);
  return model;
}

/// One code for each input of the overlay: those of the model within its bits, the others anything.
[[nodiscard]] inline std::vector<std::uint32_t> random_event(const kan::Model& model,
                                                             const compiler::OverlayShape& shape,
                                                             Random& random) {
  std::vector<std::uint32_t> codes;
  for (std::uint32_t i = 0; i < shape.sizes[0]; ++i) {
    const std::uint32_t bits = i < model.inputs.size() ? model.inputs[i].bits : shape.code_bits[0];
    codes.push_back(static_cast<std::uint32_t>(draw(random, 0, (1 << bits) - 1)));
  }
  return codes;
}

}  // namespace kantrig::test
