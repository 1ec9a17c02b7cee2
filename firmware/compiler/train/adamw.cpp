#include "compiler/train/adamw.hpp"

#include "base/assert.hpp"

#include <cmath>

namespace kantrig::train {

AdamW::AdamW(std::size_t parameter_count, const AdamWOptions& options)
    : options_(options), first_(parameter_count, 0.0), second_(parameter_count, 0.0) {}

void AdamW::step(std::span<double> parameters, std::span<const double> gradients, double learning_rate,
                 std::size_t decayed) noexcept {
  KANTRIG_ASSERT(parameters.size() == first_.size() && gradients.size() == first_.size() &&
                 decayed <= first_.size());
  beta1_power_ *= options_.beta1;
  beta2_power_ *= options_.beta2;
  const double rate = learning_rate / (1.0 - beta1_power_);
  const double second_factor = 1.0 / (1.0 - beta2_power_);
  const double kept = 1.0 - learning_rate * options_.weight_decay;
  for (std::size_t i = 0; i < decayed; ++i) parameters[i] *= kept;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const double gradient = gradients[i];
    first_[i] = options_.beta1 * first_[i] + (1.0 - options_.beta1) * gradient;
    second_[i] = options_.beta2 * second_[i] + (1.0 - options_.beta2) * gradient * gradient;
    parameters[i] -= rate * first_[i] / (std::sqrt(second_[i] * second_factor) + options_.epsilon);
  }
}

}  // namespace kantrig::train
