#include "kan/reference.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/assert.hpp"
#include "kan/trace.hpp"

namespace kantrig::kan {

std::optional<std::uint16_t> reference_code(const InputFeature& feature, float value) {
  if (std::isnan(value)) return std::nullopt;
  // volatile: each step rounds to float32, whatever the compiler would like to contract.
  volatile float scaled = value * feature.scale;
  volatile float shifted = scaled + feature.offset;
  const float t = shifted;
  if (std::isnan(t)) return std::nullopt;  // inf x 0
  const float highest = static_cast<float>((1U << feature.bits) - 1);
  return static_cast<std::uint16_t>(
      std::clamp(std::nearbyint(t), 0.0F, highest));  // default mode: half to even
}

std::vector<std::int16_t> reference_nodes(const Model& model, std::span<const std::uint16_t> codes) {
  KANTRIG_ASSERT(codes.size() == model.input_count());
  std::vector<std::uint32_t> current(codes.begin(), codes.end());
  std::vector<std::int16_t> outputs;
  for (const Layer& layer : model.layers) {
    outputs.clear();
    for (const Node& node : layer.nodes) outputs.push_back(node_output(node, node_sum(layer, node, current)));
    current.clear();
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      current.push_back(static_cast<std::uint32_t>(outputs[k] - layer.nodes[k].low));
    }
  }
  return outputs;
}

std::int16_t reference_score(const Model& model, std::span<const std::uint16_t> codes,
                             std::span<const std::int16_t> nodes) {
  const OutputStage& stage = *model.output_stage;
  const auto* target = stage.targets.data();
  std::int32_t sum = 0;  // check() proves that it fits
  for (std::size_t k = 0; k < nodes.size(); ++k) {
    const std::uint32_t input = stage.inputs[k];
    const std::int32_t d = nodes[k] - target[codes[input]];
    sum += stage.measure == DistanceMeasure::kSquared ? d * d : std::abs(d);
    target += std::size_t{1} << model.inputs[input].bits;
  }
  const std::int32_t half = stage.shift == 0 ? 0 : std::int32_t{1} << (stage.shift - 1);
  return static_cast<std::int16_t>(std::min((sum + half) >> stage.shift, kScoreMax));
}

std::vector<std::int16_t> reference_outputs(const Model& model, std::span<const std::uint16_t> codes) {
  std::vector<std::int16_t> nodes = reference_nodes(model, codes);
  if (!model.output_stage) return nodes;
  return {reference_score(model, codes, nodes)};
}

std::uint8_t reference_class(const Model& model, std::span<const std::int16_t> outputs) {
  if (outputs.size() == 1) return outputs[0] > model.class_above() ? 1 : 0;
  return static_cast<std::uint8_t>(std::max_element(outputs.begin(), outputs.end()) - outputs.begin());
}

}  // namespace kantrig::kan
