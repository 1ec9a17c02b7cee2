#include "kan/output_stage.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace kantrig::kan {
namespace {

constexpr std::int64_t kSumMax = std::numeric_limits<std::int32_t>::max();

/// Largest distance of one node from its targets.
std::int64_t distance_max(const Node& node, std::span<const std::int16_t> targets, DistanceMeasure measure) {
  const auto [least, greatest] = std::minmax_element(targets.begin(), targets.end());
  const std::int64_t reach = std::max<std::int64_t>(node.high - *least, *greatest - node.low);
  return measure == DistanceMeasure::kSquared ? reach * reach : reach;
}

/// Precondition: the sizes of the stage agree with the model.
std::int64_t sum_max(const Model& model) {
  const OutputStage& stage = *model.output_stage;
  std::int64_t sum = 0;
  std::size_t offset = 0;
  for (std::size_t k = 0; k < stage.inputs.size(); ++k) {
    const std::size_t codes = std::size_t{1} << model.inputs[stage.inputs[k]].bits;
    sum += distance_max(model.layers.back().nodes[k], std::span(stage.targets).subspan(offset, codes),
                        stage.measure);
    offset += codes;
  }
  return sum;
}

std::int64_t half_of(std::uint32_t shift) {
  return shift == 0 ? 0 : std::int64_t{1} << (shift - 1);
}

Result<void> check_targets(const Model& model) {
  const OutputStage& stage = *model.output_stage;
  if (stage.inputs.size() != model.node_count()) {
    return fail(ErrorCode::kCorrupt,
                "output stage: reconstructs {} features, expected one for each of {} nodes",
                stage.inputs.size(), model.node_count());
  }
  std::size_t entries = 0;
  for (std::size_t k = 0; k < stage.inputs.size(); ++k) {
    if (stage.inputs[k] >= model.input_count()) {
      return fail(ErrorCode::kCorrupt, "output stage: node {} reconstructs input {}, expected one below {}",
                  k, stage.inputs[k], model.input_count());
    }
    entries += std::size_t{1} << model.inputs[stage.inputs[k]].bits;
  }
  if (stage.targets.size() != entries) {
    return fail(ErrorCode::kCorrupt,
                "output stage: has {} targets, expected {}, one for each code of each input",
                stage.targets.size(), entries);
  }
  return {};
}

Result<double> shared_scale(const Model& model) {
  if (!std::isfinite(model.output_scales.front()) || model.output_scales.front() <= 0.0)
    return fail(ErrorCode::kInvalid, "output stage: output scales must be positive");
  for (const double scale : model.output_scales) {
    if (scale == model.output_scales.front()) continue;
    return fail(
        ErrorCode::kInvalid,
        "output stage: output scales are {} and {}, expected one for all: distances are summed in codes",
        model.output_scales.front(), scale);
  }
  return model.output_scales.front();
}

Result<OutputStage> stage_of(const Model& model, const DistanceSpec& spec, double scale) {
  OutputStage stage{
      .measure = spec.measure, .shift = 0, .class_above = 0, .inputs = spec.inputs, .targets = {}};
  for (std::uint32_t k = 0; spec.inputs.empty() && k < model.node_count(); ++k) stage.inputs.push_back(k);
  for (std::size_t k = 0; k < std::min<std::size_t>(stage.inputs.size(), model.node_count()); ++k) {
    const std::uint32_t input = stage.inputs[k];
    if (input >= spec.code_values.size() || input >= model.input_count() ||
        spec.code_values[input].size() != std::size_t{1} << model.inputs[input].bits) {
      return fail(
          ErrorCode::kInvalid,
          "output stage: node {} reconstructs input {}, expected a feature with a real value for each code",
          k, input);
    }
    const Node& node = model.layers.back().nodes[k];
    for (const double value : spec.code_values[input]) {
      if (!std::isfinite(value))
        return fail(ErrorCode::kInvalid, "output stage: input {}: a code has no finite real value", input);
      const double nearest = std::clamp<double>(std::round(value / scale), node.low, node.high);
      stage.targets.push_back(static_cast<std::int16_t>(nearest));
    }
  }
  return stage;
}

/// Least shift at which no sum saturates the score.
std::uint32_t shift_for(std::int64_t sum) {
  std::uint32_t shift = 0;
  while ((sum + half_of(shift)) >> shift > kScoreMax) ++shift;
  return shift;
}

/// Greatest score that is not above `value`, as the menu would compare it.
Result<std::int32_t> greatest_within(double value, double scale) {
  if (!(value >= 0.0))
    return fail(ErrorCode::kInvalid, "output stage: class 1 is above {}, expected 0 or more", value);
  auto score = static_cast<std::int32_t>(std::min<double>(value / scale, kScoreMax));
  while (score > 0 && score * scale > value) --score;
  while (score < kScoreMax && (score + 1) * scale <= value) ++score;
  return score;
}

}  // namespace

Result<void> check_output_stage(const Model& model) {
  const OutputStage& stage = *model.output_stage;
  if (stage.measure != DistanceMeasure::kAbsolute && stage.measure != DistanceMeasure::kSquared) {
    return fail(ErrorCode::kCorrupt,
                "output stage: distance is of measure {}, expected {} (absolute) or {} (squared)",
                static_cast<int>(stage.measure), static_cast<int>(DistanceMeasure::kAbsolute),
                static_cast<int>(DistanceMeasure::kSquared));
  }
  if (stage.shift > kShiftMax)
    return fail(ErrorCode::kCorrupt, "output stage: shift is {}, expected at most {}", stage.shift,
                kShiftMax);
  if (stage.class_above < 0 || stage.class_above > kScoreMax) {
    return fail(ErrorCode::kCorrupt, "output stage: class 1 is above {}, expected 0 to {}", stage.class_above,
                kScoreMax);
  }
  if (auto ok = check_targets(model); !ok) return ok;
  const std::int64_t highest = sum_max(model) + half_of(stage.shift);
  if (highest > kSumMax) {
    return fail(ErrorCode::kCorrupt, "output stage: sum can reach {}, expected to stay inside int32",
                highest);
  }
  return {};
}

std::int32_t distance_sum_max(const Model& model) {
  return static_cast<std::int32_t>(sum_max(model));
}

std::vector<OutputRange> output_ranges(const Model& model) {
  if (model.output_stage) {
    const std::uint32_t shift = model.output_stage->shift;
    const std::int64_t highest = (sum_max(model) + half_of(shift)) >> shift;
    return {{0, static_cast<std::int32_t>(std::min<std::int64_t>(highest, kScoreMax))}};
  }
  std::vector<OutputRange> ranges;
  for (const Node& node : model.layers.back().nodes) ranges.push_back({node.low, node.high});
  return ranges;
}

Result<Model> with_distance_stage(Model model, const DistanceSpec& spec) {
  if (auto ok = check_layers(model); !ok) return tl::unexpected(ok.error());
  if (model.output_stage || model.output_scales.size() != model.node_count())
    return fail(ErrorCode::kInvalid,
                "output stage: expected a model without one, and a scale for each of {} outputs",
                model.node_count());
  const auto scale = shared_scale(model);
  if (!scale) return tl::unexpected(scale.error());
  auto stage = stage_of(model, spec, *scale);
  if (!stage) return tl::unexpected(stage.error());
  model.output_stage = std::move(*stage);
  if (auto ok = check_targets(model); !ok) return tl::unexpected(ok.error());
  model.output_stage->shift = spec.shift.value_or(shift_for(sum_max(model)));
  if (auto ok = check_output_stage(model); !ok) return tl::unexpected(ok.error());
  const double unit = spec.measure == DistanceMeasure::kSquared ? *scale * *scale : *scale;
  model.output_scales = {std::ldexp(unit, static_cast<int>(model.output_stage->shift))};
  const auto above = greatest_within(spec.class_above, model.output_scales.front());
  if (!above) return tl::unexpected(above.error());
  model.output_stage->class_above = *above;
  if (auto ok = check(model); !ok) return tl::unexpected(ok.error());
  return model;
}

}  // namespace kantrig::kan
