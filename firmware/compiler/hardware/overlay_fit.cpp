#include <fmt/core.h>

#include <bit>
#include <string_view>

#include "compiler/hardware/overlay_node.hpp"
#include "compiler/hardware/overlay_shape.hpp"

namespace kantrig::compiler {
namespace {

/// "declare --entry-bits 8,9": the figures of all layers with that of layer `l` as it is needed.
std::string advice(std::string_view option, std::vector<std::uint32_t> figures, std::size_t l,
                   std::uint32_t needed) {
  figures[l] = needed;
  return fmt::format("declare {} {}", option, joined(figures, option == "--shape" ? '-' : ','));
}

Result<void> sizes_fit(const kan::Model& model, const OverlayShape& shape) {
  if (model.layers.size() != shape.layer_count()) {
    return fail(ErrorCode::kUnsupported,
                "the model has {} layers, the overlay {}: declare --shape with {} sizes", model.layers.size(),
                shape.layer_count(), model.layers.size() + 1);
  }
  if (model.input_count() > shape.sizes[0]) {
    return fail(ErrorCode::kUnsupported, "the model has {} inputs, the overlay {}: {}", model.input_count(),
                shape.sizes[0], advice("--shape", shape.sizes, 0, model.input_count()));
  }
  for (std::size_t l = 0; l < model.layers.size(); ++l) {
    const auto nodes = static_cast<std::uint32_t>(model.layers[l].nodes.size());
    if (nodes <= shape.sizes[l + 1]) continue;
    return fail(ErrorCode::kUnsupported, "layer {} has {} nodes, the overlay {}: {}", l, nodes,
                shape.sizes[l + 1], advice("--shape", shape.sizes, l + 1, nodes));
  }
  return {};
}

Result<void> inputs_fit(const kan::Model& model, const OverlayShape& shape) {
  for (std::size_t i = 0; i < model.inputs.size(); ++i) {
    const std::uint32_t bits = model.inputs[i].bits;
    if (bits <= shape.code_bits[0]) continue;
    return fail(ErrorCode::kUnsupported, "input {} has codes of {} bits, the overlay {}: {}", i, bits,
                shape.code_bits[0], advice("--code-bits", shape.code_bits, 0, bits));
  }
  return {};
}

Result<void> edges_fit(const kan::Model& model, const OverlayShape& shape, std::size_t l, std::size_t k) {
  const kan::Layer& layer = model.layers[l];
  for (std::uint32_t e = layer.nodes[k].edge_begin; e < layer.nodes[k].edge_end; ++e) {
    const EntryRange range = entry_range(layer, layer.edges[e]);
    if (entry_bits(range) <= shape.entry_bits[l]) continue;
    return fail(
        ErrorCode::kUnsupported,
        "layer {} node {} needs table entries of {} bits (input {}: {} to {}), the overlay has {}: {}", l, k,
        entry_bits(range), layer.edges[e].input, range.lowest, range.highest, shape.entry_bits[l],
        advice("--entry-bits", shape.entry_bits, l, entry_bits(range)));
  }
  return {};
}

Result<void> output_fits(const kan::Node& node, const OverlayShape& shape, std::size_t l, std::size_t k) {
  const bool last = l + 1 == shape.layer_count();
  if (last) {
    const std::uint32_t bits = signed_bits(node.low, node.high);
    if (bits <= shape.output_bits) return {};
    return fail(ErrorCode::kUnsupported,
                "layer {} node {} has scores of {} bits, the overlay {}: declare --output-bits {}", l, k,
                bits, shape.output_bits, bits);
  }
  const auto bits =
      static_cast<std::uint32_t>(std::bit_width(static_cast<std::uint32_t>(node.high - node.low)));
  if (bits <= shape.code_bits[l + 1]) return {};
  return fail(ErrorCode::kUnsupported, "layer {} node {} gives codes of {} bits, the overlay {}: {}", l, k,
              bits, shape.code_bits[l + 1], advice("--code-bits", shape.code_bits, l + 1, bits));
}

Result<void> node_fits(const kan::Model& model, const OverlayShape& shape, std::size_t l, std::size_t k) {
  const kan::Layer& layer = model.layers[l];
  const OverlayNode node = overlay_node(layer, layer.nodes[k]);
  if (auto ok = output_fits(layer.nodes[k], shape, l, k); !ok) return ok;
  if (node.constant) return {};  // needs no tables, and its code fits
  if (auto ok = edges_fit(model, shape, l, k); !ok) return ok;
  const std::uint32_t bits = signed_bits(node.lowest_sum, node.highest_sum);
  if (bits > shape.sum_bits[l]) {
    return fail(
        ErrorCode::kUnsupported, "layer {} node {} needs sums of {} bits ({} to {}), the overlay has {}: {}",
        l, k, bits, node.lowest_sum, node.highest_sum, shape.sum_bits[l],
        bits > kOverlaySumBitsMax ? "use --target fixed" : advice("--sum-bits", shape.sum_bits, l, bits));
  }
  if (node.shift > shape.shift_max[l]) {
    return fail(ErrorCode::kUnsupported, "layer {} node {} shifts by {}, the overlay by at most {}: {}", l, k,
                node.shift, shape.shift_max[l], advice("--shift-max", shape.shift_max, l, node.shift));
  }
  return {};
}

}  // namespace

Result<void> fits(const kan::Model& model, const OverlayShape& shape) {
  if (auto ok = sizes_fit(model, shape); !ok) return ok;
  if (auto ok = inputs_fit(model, shape); !ok) return ok;
  for (std::size_t l = 0; l < model.layers.size(); ++l) {
    for (std::size_t k = 0; k < model.layers[l].nodes.size(); ++k) {
      if (auto ok = node_fits(model, shape, l, k); !ok) return ok;
    }
  }
  return {};
}

}  // namespace kantrig::compiler
