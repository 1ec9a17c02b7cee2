// Random models with an output stage that pass check().
#pragma once

#include "contract/kernels/random_model.hpp"
#include "kan/output_stage.hpp"

namespace kantrig::test {

struct StageShape {
  kan::DistanceMeasure measure = kan::DistanceMeasure::kAbsolute;
  std::uint32_t shift = 0;
  std::int32_t targets_beyond = 0;  // how far targets may lie outside what their node can give
};

/// Puts a stage behind `model` whose nodes reconstruct features in random order, some maybe twice.
[[nodiscard]] inline kan::Model with_random_stage(kan::Model model, const StageShape& shape,
                                                  std::uint64_t seed) {
  Random random(seed);
  kan::OutputStage stage{
      .measure = shape.measure, .shift = shape.shift, .class_above = 0, .inputs = {}, .targets = {}};
  for (const kan::Node& node : model.layers.back().nodes) {
    const auto input =
        static_cast<std::uint32_t>(draw(random, 0, static_cast<std::int32_t>(model.input_count()) - 1));
    stage.inputs.push_back(input);
    const std::int32_t low = std::max(node.low - shape.targets_beyond, -32768);
    const std::int32_t high = std::min(node.high + shape.targets_beyond, 32767);
    for (std::uint32_t c = 0; c < 1U << model.inputs[input].bits; ++c)
      stage.targets.push_back(static_cast<std::int16_t>(draw(random, low, high)));
  }
  model.output_stage = std::move(stage);
  model.output_scales = {0.25};
  model.output_stage->class_above = draw(random, 0, kan::output_ranges(model).front().high / 2);
  return model;
}

}  // namespace kantrig::test
