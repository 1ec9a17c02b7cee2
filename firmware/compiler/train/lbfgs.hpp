// L-BFGS with a backtracking line search, for small problems that are learned from all events at once
// (Nocedal and Wright, Numerical Optimization, algorithms 7.4 and 3.1).
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <span>
#include <vector>

namespace kantrig::train {

/// Threading: owned by one thread.
class Lbfgs {
 public:
  /// Loss at the parameters; fills the gradient.
  using LossFn = std::function<double(std::span<const double> parameters, std::span<double> gradient)>;

  explicit Lbfgs(LossFn loss) : loss_(std::move(loss)) {}

  /// One iteration; the loss behind it. Parameters stay where no step along the direction makes the loss
  /// smaller.
  double step(std::span<double> parameters);

 private:
  struct Pair {
    std::vector<double> moved;    // s
    std::vector<double> changed;  // y, of the gradient
    double product = 0.0;         // s y
  };
  [[nodiscard]] std::vector<double> direction() const;

  LossFn loss_;
  std::deque<Pair> pairs_;  // at most kPairsMax
  std::vector<double> gradient_;
  double value_ = 0.0;
};

}  // namespace kantrig::train
