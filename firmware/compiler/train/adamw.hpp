// AdamW: Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace kantrig::train {

struct AdamWOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.0;
};

/// Moments of all parameters: plain data, so that a training can be stopped and gone on with.
struct AdamWState {
  std::vector<double> first;
  std::vector<double> second;
  double beta1_power = 1.0;  // beta1^steps
  double beta2_power = 1.0;
};

/// Threading: owned by one thread. Allocation: in the constructor only.
class AdamW {
 public:
  AdamW(std::size_t parameter_count, const AdamWOptions& options);

  /// One step; parameters with decayed[i] = 1 shrink by learning_rate x weight_decay as well, those with 0 do
  /// not.
  void step(std::span<double> parameters, std::span<const double> gradients, double learning_rate,
            std::span<const double> decayed) noexcept;

  [[nodiscard]] const AdamWState& state() const noexcept { return state_; }
  void restore(AdamWState state);

 private:
  AdamWOptions options_;
  AdamWState state_;
};

}  // namespace kantrig::train
