#include "compiler/train/anomaly.hpp"

#include "kan/output_stage.hpp"
#include "kan/reference.hpp"

#include <algorithm>
#include <cmath>

namespace kantrig::train {
namespace {

constexpr std::int64_t kHeadroom = 16;  // of the largest score of the rows below where scores saturate

std::vector<std::int16_t> scores_of(const kan::Model& model, const Samples& samples,
                                    std::span<const std::int16_t> nodes) {
  const std::size_t count = model.node_count();
  std::vector<std::int16_t> scores;
  scores.reserve(samples.rows());
  for (std::size_t row = 0; row < samples.rows(); ++row) {
    const auto codes = std::span(samples.codes).subspan(row * samples.inputs, samples.inputs);
    scores.push_back(kan::reference_score(model, codes, nodes.subspan(row * count, count)));
  }
  return scores;
}

std::vector<std::int16_t> sorted_part(std::span<const std::int16_t> scores,
                                      std::span<const std::uint32_t> rows) {
  std::vector<std::int16_t> part;
  for (const std::uint32_t row : rows) part.push_back(scores[row]);
  std::sort(part.begin(), part.end());
  return part;
}

/// The stage is built such that no event at all saturates; of the rows all lie far below that, most of all
/// with squares, and each bit less of the shift is a bit of resolution more.
std::uint32_t finer_shift(std::uint32_t shift, std::int64_t largest) {
  std::int64_t reach = (largest + 1) * kHeadroom;
  while (shift > 0 && reach * 2 <= kan::kScoreMax) {
    reach *= 2;
    --shift;
  }
  return shift;
}

/// The least score that at least `percent` of `sorted` do not exceed.
std::int16_t percentile(std::span<const std::int16_t> sorted, double percent) {
  const double count = std::ceil(percent / 100.0 * static_cast<double>(sorted.size()));
  return sorted[std::clamp<std::size_t>(static_cast<std::size_t>(count), 1, sorted.size()) - 1];
}

}  // namespace

Result<ScoredModel> with_anomaly_score(const kan::Model& nodes_model, const learned::LearnedKan& kan,
                                       const ScorePlan& plan, const Samples& samples,
                                       std::span<const std::int16_t> nodes,
                                       std::span<const std::uint32_t> rows) {
  if (nodes_model.node_count() != kan.inputs.size()) {
    return fail(
        ErrorCode::kInvalid,
        "an anomaly score compares outputs with inputs: expected {} outputs, as many as inputs, not {}",
        kan.inputs.size(), nodes_model.node_count());
  }
  if (rows.empty()) return fail(ErrorCode::kInvalid, "an anomaly score needs events to set its limit by");
  kan::DistanceSpec distance{
      .measure = plan.measure, .inputs = {}, .code_values = {}, .class_above = 0.0, .shift = {}};
  for (std::uint32_t i = 0; i < kan.inputs.size(); ++i)
    distance.code_values.push_back(learned::input_points(kan, 0, i));
  auto model = kan::with_distance_stage(nodes_model, distance);
  if (!model) return tl::unexpected(model.error());
  const std::uint32_t widest = model->output_stage->shift;
  std::vector<std::int16_t> scores = scores_of(*model, samples, nodes);
  const std::uint32_t shift = finer_shift(widest, sorted_part(scores, rows).back());
  if (shift != widest) {
    distance.shift = shift;
    model = kan::with_distance_stage(nodes_model, distance);
    if (!model) return tl::unexpected(model.error());
    scores = scores_of(*model, samples, nodes);
  }
  model->output_stage->class_above = percentile(sorted_part(scores, rows), plan.threshold_percent);
  return ScoredModel{.model = std::move(*model), .scores = std::move(scores)};
}

}  // namespace kantrig::train
