// AdamW: Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace kantrig::train {

struct AdamWOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.0;
};

/// Moments of one group of parameters.
///
/// Threading: owned by one thread. Allocation: in the constructor only.
class AdamW {
 public:
  AdamW(std::size_t parameter_count, const AdamWOptions& options);

  /// One step; the first `decayed` parameters shrink by learning_rate x weight_decay as well.
  void step(std::span<double> parameters, std::span<const double> gradients, double learning_rate,
            std::size_t decayed) noexcept;

 private:
  AdamWOptions options_;
  std::vector<double> first_;
  std::vector<double> second_;
  double beta1_power_ = 1.0;
  double beta2_power_ = 1.0;
};

}  // namespace kantrig::train
