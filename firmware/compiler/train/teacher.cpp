#include "compiler/train/teacher.hpp"

#include <algorithm>
#include <numeric>

#include "compiler/learned/elementary.hpp"
#include "compiler/train/objective.hpp"

namespace kantrig::train {
namespace {

constexpr std::size_t kSlots = 8;

/// In place: scores of one event become probabilities; a single one that of class 1.
void to_probabilities(std::span<float> scores) {
  if (scores.size() == 1) {
    scores[0] = static_cast<float>(1.0 / (1.0 + learned::exponential(-static_cast<double>(scores[0]))));
    return;
  }
  const float largest = *std::max_element(scores.begin(), scores.end());
  double sum = 0.0;
  for (float& score : scores) {
    const double term = learned::exponential(static_cast<double>(score - largest));
    score = static_cast<float>(term);
    sum += term;
  }
  for (float& score : scores) score = static_cast<float>(static_cast<double>(score) / sum);
}

}  // namespace

Result<std::vector<float>> outputs_of(const learned::LearnedKan& kan, const Dataset& data, std::size_t rows,
                                      ThreadTeam& team) {
  if (data.columns != kan.inputs.size())
    return fail(ErrorCode::kInvalid, "{}: has {} columns, the model takes {}", data.name, data.columns,
                kan.inputs.size());
  Specification shape;  // of a model that answers with numbers, whatever they stand for
  shape.task = Task::kAutoencoder;
  shape.layers = {data.columns, kan.layers.back().nodes};
  const Samples samples = make_samples(shape, kan.inputs, data, rows);
  const ParameterMap map(kan, ThresholdSharing::kNode);
  auto engine = make_engine(kan, map, kSlots);
  if (!engine) return tl::unexpected(engine.error());
  Objective objective(std::move(*engine), {}, kSlots, team);
  objective.prepare(map.pack(kan));
  std::vector<std::uint32_t> all(rows);
  std::iota(all.begin(), all.end(), 0U);
  return objective.outputs(samples, all);
}

Result<void> add_teachers(std::span<const learned::LearnedKan> teachers, const Dataset& data,
                          ThreadTeam& team, Samples& samples) {
  const std::size_t outputs = samples.outputs;
  samples.targets.assign(samples.rows() * outputs, 0.0F);
  for (const learned::LearnedKan& teacher : teachers) {
    if (teacher.layers.back().nodes != outputs) {
      return fail(ErrorCode::kInvalid, "teacher '{}' has {} outputs, expected {} as the model", teacher.name,
                  teacher.layers.back().nodes, outputs);
    }
    auto scores = outputs_of(teacher, data, samples.rows(), team);
    if (!scores) return tl::unexpected(scores.error().within("teacher"));
    for (std::size_t row = 0; row < samples.rows(); ++row)
      to_probabilities(std::span(*scores).subspan(row * outputs, outputs));
    for (std::size_t i = 0; i < scores->size(); ++i)
      samples.targets[i] += (*scores)[i] / static_cast<float>(teachers.size());
  }
  return {};
}

}  // namespace kantrig::train
