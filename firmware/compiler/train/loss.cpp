#include "compiler/train/loss.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/assert.hpp"
#include "compiler/learned/elementary.hpp"
#include "compiler/train/lanes.hpp"

namespace kantrig::train {
namespace {

double weight_of(const Loss& loss, std::uint8_t label) {
  return loss.class_weights.empty() ? 1.0 : loss.class_weights[label];
}

/// exps[k] = e^(outputs[k] - largest), 0 beyond `count`; their sum.
KANTRIG_LANES_CLONES
float softmax_terms(const float* outputs, std::size_t count, std::size_t width, float largest,
                    float* exps) noexcept {
  lanes::Float8 total = lanes::all(0.0F);
  for (std::size_t k = 0; k < width; k += lanes::kWidth) {
    lanes::Float8 terms = lanes::exponential(lanes::load(outputs + k) - lanes::all(largest));
    for (std::size_t i = 0; i < lanes::kWidth; ++i) {
      if (k + i >= count) terms[i] = 0.0F;
    }
    total += terms;
    lanes::store(exps + k, terms);
  }
  return lanes::sum(total);
}

constexpr std::size_t kOutputsPadded = 256;

double cross_entropy(const Loss& loss, const Samples& samples, std::uint32_t row, const float* outputs,
                     std::size_t width, float weight, float* gradient, double& correct) {
  std::array<float, kOutputsPadded> exps;
  const std::size_t count = samples.outputs;
  const std::uint8_t label = samples.classes[row];
  const float largest = *std::max_element(outputs, outputs + count);
  if (std::find(outputs, outputs + count, largest) - outputs == label) correct += 1.0;
  const float sum = softmax_terms(outputs, count, width, largest, exps.data());
  const double log_sum = learned::logarithm(static_cast<double>(sum)) + static_cast<double>(largest);
  const auto share = static_cast<float>(samples.targets.empty() ? 0.0 : loss.teacher_share);
  const double scale = weight_of(loss, label);
  double value = (1.0 - static_cast<double>(share)) * (log_sum - static_cast<double>(outputs[label]));
  if (share > 0.0F) {
    const float* const teacher = &samples.targets[std::size_t{row} * count];
    for (std::size_t k = 0; k < count; ++k)
      value += static_cast<double>(share * teacher[k]) * (log_sum - static_cast<double>(outputs[k]));
  }
  if (gradient == nullptr) return value * scale;
  const auto weighed = weight * static_cast<float>(scale);
  for (std::size_t k = 0; k < width; ++k) {
    float target = k == label ? 1.0F - share : 0.0F;
    if (share > 0.0F && k < count) target += share * samples.targets[std::size_t{row} * count + k];
    gradient[k] = k < count ? weighed * (exps[k] / sum - target) : 0.0F;
  }
  return value * scale;
}

double binary(const Loss& loss, const Samples& samples, std::uint32_t row, const float* outputs,
              std::size_t width, float weight, float* gradient, double& correct) {
  const std::uint8_t label = samples.classes[row];
  const auto output = static_cast<double>(outputs[0]);
  const double chance = 1.0 / (1.0 + learned::exponential(-output));
  const double share = samples.targets.empty() ? 0.0 : loss.teacher_share;
  double target = label == 1 ? 1.0 : 0.0;
  if (share > 0.0) target = (1.0 - share) * target + share * static_cast<double>(samples.targets[row]);
  const double scale = weight_of(loss, label);
  if ((output > 0.0) == (label == 1)) correct += 1.0;
  // log(1 + e^-|o|) + max(o, 0) - target o
  const double value = learned::logarithm(1.0 + learned::exponential(-std::abs(output))) +
                       std::max(output, 0.0) - target * output;
  if (gradient != nullptr) {
    std::fill_n(gradient, width, 0.0F);
    gradient[0] = static_cast<float>(static_cast<double>(weight) * scale * (chance - target));
  }
  return value * scale;
}

double mean_square(const Samples& samples, std::uint32_t row, const float* outputs, std::size_t width,
                   float weight, float* gradient) {
  const std::size_t count = samples.outputs;
  const float* const targets = &samples.targets[std::size_t{row} * count];
  const float share = 1.0F / static_cast<float>(count);
  double value = 0.0;
  for (std::size_t k = 0; k < count; ++k) {
    const float distance = outputs[k] - targets[k];
    value += static_cast<double>(distance) * static_cast<double>(distance);
    if (gradient != nullptr) gradient[k] = 2.0F * share * weight * distance;
  }
  if (gradient != nullptr) std::fill(gradient + count, gradient + width, 0.0F);
  return value * static_cast<double>(share);
}

}  // namespace

LossSums evaluate_loss(const Loss& loss, const Samples& samples, std::span<const std::uint32_t> rows,
                       std::span<const float> outputs, std::size_t width, float weight,
                       std::span<float> gradient) {
  KANTRIG_ASSERT(width <= kOutputsPadded || loss.kind == LossKind::kMeanSquare);
  LossSums sums;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const float* const from = &outputs[r * width];
    float* const to = gradient.empty() ? nullptr : &gradient[r * width];
    switch (loss.kind) {
      case LossKind::kCrossEntropy:
        sums.loss += cross_entropy(loss, samples, rows[r], from, width, weight, to, sums.correct);
        break;
      case LossKind::kBinary:
        sums.loss += binary(loss, samples, rows[r], from, width, weight, to, sums.correct);
        break;
      case LossKind::kMeanSquare:
        sums.loss += mean_square(samples, rows[r], from, width, weight, to);
        break;
    }
    sums.events += 1.0;
  }
  return sums;
}

}  // namespace kantrig::train
