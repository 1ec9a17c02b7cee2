#include "compiler/train/bit_operations.hpp"

namespace kantrig::train {
namespace {

constexpr double kFloatBits = 32.0;

double width_of(std::uint32_t bits) {
  return bits == 0 ? kFloatBits : bits;
}

/// Code width of what enters input `input` of layer `layer`.
std::uint32_t input_bits(const learned::LearnedKan& kan, std::size_t layer, std::uint32_t input) {
  if (layer == 0) return kan.inputs[input].bits;
  const auto& quantizers = kan.layers[layer - 1].quantizers;
  return quantizers.empty() ? 0 : quantizers[input].bits;
}

}  // namespace

BitOperations count_bit_operations(const learned::LearnedKan& kan) {
  BitOperations operations;
  for (std::size_t l = 0; l < kan.layers.size(); ++l) {
    const learned::Layer& layer = kan.layers[l];
    const double coefficient = width_of(layer.coefficient_bits);
    const double basis = width_of(layer.basis_bits);
    for (std::uint32_t j = 0; j < layer.inputs; ++j) {
      const double value = width_of(input_bits(kan, l, j));
      for (std::uint32_t k = 0; k < layer.nodes; ++k) {
        if (!layer.is_active(j, k)) continue;
        double sum = value * coefficient;  // of the base function, or of the linear edge
        if (layer.kind == learned::EdgeKind::kSpline) {
          const double order = layer.grid.order;
          sum += (order + 1.0) * basis * coefficient;
          operations.recursion += order * (order + 1.0) * value * basis;
        }
        operations.recursion += sum;
        operations.basis_tables += sum;
      }
    }
  }
  return operations;
}

}  // namespace kantrig::train
