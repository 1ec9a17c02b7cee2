#include "compiler/learned/tabulate.hpp"

#include <algorithm>
#include <cmath>

#include "compiler/learned/elementary.hpp"

namespace kantrig::learned {
namespace {

constexpr double kEntryMax = 32767.0;  // a table entry is an int16
constexpr double kSumMax = 0x1.0p23;   // of all entries of a node, so that float sums of integers are exact

/// Real value of one unit of the node's sum.
double unit_of(const Layer& layer, std::uint32_t node) noexcept {
  return layer.quantizers[node].scale() / (1U << layer.guard_bits);
}

kan::Layer tabulate_layer(const LearnedKan& kan, std::size_t index) {
  const Layer& source = kan.layers[index];
  kan::Layer layer;
  std::vector<std::vector<double>> points;
  for (std::uint32_t j = 0; j < source.inputs; ++j) {
    points.push_back(input_points(kan, index, j));
    layer.input_codes.push_back(static_cast<std::uint32_t>(points.back().size()));
  }
  std::vector<std::int16_t> table;
  for (std::uint32_t k = 0; k < source.nodes; ++k) {
    kan::Node node;
    const double bias = source.biases[k] / unit_of(source, k);
    node.bias = static_cast<std::int32_t>(round_half_even(std::clamp(bias, -kBiasMax, kBiasMax)));
    node.shift = source.guard_bits;
    node.low = source.quantizers[k].low();
    node.high = source.quantizers[k].high();
    node.edge_begin = static_cast<std::uint32_t>(layer.edges.size());
    for (std::uint32_t j = 0; j < source.inputs; ++j) {
      if (!source.is_active(j, k)) continue;
      table.clear();
      for (const double x : points[j])
        table.push_back(static_cast<std::int16_t>(entry_of(source, j, k, edge_value(source, j, k, x))));
      if (std::equal(table.begin() + 1, table.end(), table.begin())) {
        node.bias += table.front();
        continue;
      }
      layer.edges.push_back({.input = j, .table_offset = static_cast<std::uint32_t>(layer.tables.size())});
      layer.tables.insert(layer.tables.end(), table.begin(), table.end());
    }
    node.edge_end = static_cast<std::uint32_t>(layer.edges.size());
    layer.nodes.push_back(node);
  }
  return layer;
}

Result<void> check_quantized(const LearnedKan& kan) {
  for (std::size_t j = 0; j < kan.inputs.size(); ++j) {
    if (kan.inputs[j].bits > 0) continue;
    return fail(ErrorCode::kInvalid, "input {} ('{}') has no code width; quantise the model first", j,
                kan.inputs[j].feature.name);
  }
  for (std::size_t l = 0; l < kan.layers.size(); ++l) {
    if (!kan.layers[l].quantizers.empty()) continue;
    return fail(ErrorCode::kInvalid, "layer {} has no quantisers; quantise the model first", l);
  }
  return {};
}

}  // namespace

EntryBounds entry_bounds(const Layer& layer, std::uint32_t node) noexcept {
  if (layer.entry_range == EntryRange::kOutput) {
    const double unit = 1U << layer.guard_bits;
    return {layer.quantizers[node].low() * unit, layer.quantizers[node].high() * unit};
  }
  const double end = std::min(kEntryMax, std::floor(kSumMax / layer.inputs));
  return {-end, end};
}

kan::InputFeature integer_input(const Input& input) noexcept {
  return {.bits = input.bits,
          .scale = static_cast<float>(input.gain / input.step),
          .offset = static_cast<float>((input.shift - input.first) / input.step)};
}

std::int32_t entry_of(const Layer& layer, std::uint32_t input, std::uint32_t node, double value) noexcept {
  const EntryBounds bounds = entry_bounds(layer, node);
  const std::uint32_t dropped =
      layer.dropped_bits.empty() ? 0 : layer.dropped_bits[layer.edge_index(input, node)];
  const double multiple = 1U << dropped;
  const double rounded =
      round_half_even(std::clamp(value / unit_of(layer, node) / multiple, -0x1.0p40, 0x1.0p40));
  const double low = std::ceil(bounds.low / multiple);
  const double high = std::floor(bounds.high / multiple);
  return static_cast<std::int32_t>(std::clamp(rounded, low, high) * multiple);
}

Result<kan::Model> tabulate(const LearnedKan& kan) {
  if (auto ok = check(kan); !ok) return tl::unexpected(ok.error());
  if (auto ok = check_quantized(kan); !ok) return tl::unexpected(ok.error());
  kan::Model model;
  for (const Input& input : kan.inputs) model.inputs.push_back(integer_input(input));
  for (std::size_t l = 0; l < kan.layers.size(); ++l) model.layers.push_back(tabulate_layer(kan, l));
  for (const NodeQuantizer& quantizer : kan.layers.back().quantizers)
    model.output_scales.push_back(quantizer.scale());
  if (auto ok = kan::check(model); !ok) return tl::unexpected(ok.error());
  return model;
}

}  // namespace kantrig::learned
