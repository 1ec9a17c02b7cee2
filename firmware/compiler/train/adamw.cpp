#include "compiler/train/adamw.hpp"

#include "base/assert.hpp"

#include <cmath>
#include <utility>

namespace kantrig::train {

AdamW::AdamW(std::size_t parameter_count, const AdamWOptions& options) : options_(options) {
  state_.first.assign(parameter_count, 0.0);
  state_.second.assign(parameter_count, 0.0);
}

void AdamW::restore(AdamWState state) {
  KANTRIG_ASSERT(state.first.size() == state_.first.size() && state.second.size() == state_.second.size());
  state_ = std::move(state);
}

void AdamW::step(std::span<double> parameters, std::span<const double> gradients, double learning_rate,
                 std::span<const double> decayed) noexcept {
  const std::size_t count = state_.first.size();
  KANTRIG_ASSERT(parameters.size() == count && gradients.size() == count && decayed.size() == count);
  state_.beta1_power *= options_.beta1;
  state_.beta2_power *= options_.beta2;
  const double rate = learning_rate / (1.0 - state_.beta1_power);
  const double second_factor = 1.0 / (1.0 - state_.beta2_power);
  const double shrink = learning_rate * options_.weight_decay;
  const double beta1 = options_.beta1;
  const double beta2 = options_.beta2;
  const double epsilon = options_.epsilon;
  double* const first = state_.first.data();
  double* const second = state_.second.data();
  for (std::size_t i = 0; i < count; ++i) {
    const double gradient = gradients[i];
    first[i] = beta1 * first[i] + (1.0 - beta1) * gradient;
    second[i] = beta2 * second[i] + (1.0 - beta2) * gradient * gradient;
    const double kept = parameters[i] * (1.0 - shrink * decayed[i]);
    parameters[i] = kept - rate * first[i] / (std::sqrt(second[i] * second_factor) + epsilon);
  }
}

}  // namespace kantrig::train
