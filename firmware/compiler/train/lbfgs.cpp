#include "compiler/train/lbfgs.hpp"

#include <algorithm>
#include <cmath>

namespace kantrig::train {
namespace {

constexpr std::size_t kPairsMax = 20;
constexpr int kHalvingsMax = 30;
constexpr double kSufficientDecrease = 1e-4;  // Armijo

double dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

std::vector<double> Lbfgs::direction() const {
  std::vector<double> q(gradient_);
  std::vector<double> alphas(pairs_.size());
  for (std::size_t n = pairs_.size(); n-- > 0;) {
    alphas[n] = dot(pairs_[n].moved, q) / pairs_[n].product;
    for (std::size_t i = 0; i < q.size(); ++i) q[i] -= alphas[n] * pairs_[n].changed[i];
  }
  const double scale = pairs_.empty()
                           ? 1.0 / std::max(1.0, std::sqrt(dot(gradient_, gradient_)))
                           : pairs_.back().product / dot(pairs_.back().changed, pairs_.back().changed);
  for (double& value : q) value *= scale;
  for (std::size_t n = 0; n < pairs_.size(); ++n) {
    const double beta = dot(pairs_[n].changed, q) / pairs_[n].product;
    for (std::size_t i = 0; i < q.size(); ++i) q[i] += (alphas[n] - beta) * pairs_[n].moved[i];
  }
  for (double& value : q) value = -value;
  return q;
}

double Lbfgs::step(std::span<double> parameters) {
  if (gradient_.empty()) {
    gradient_.resize(parameters.size());
    value_ = loss_(parameters, gradient_);
  }
  std::vector<double> along = direction();
  double slope = dot(along, gradient_);
  if (!(slope < 0.0)) {  // the history misleads: steepest descent
    pairs_.clear();
    along = direction();
    slope = dot(along, gradient_);
  }
  std::vector<double> trial(parameters.size());
  std::vector<double> gradient(parameters.size());
  double length = 1.0;
  for (int halving = 0; halving < kHalvingsMax; ++halving, length *= 0.5) {
    for (std::size_t i = 0; i < trial.size(); ++i) trial[i] = parameters[i] + length * along[i];
    const double value = loss_(trial, gradient);
    if (!(value <= value_ + kSufficientDecrease * length * slope)) continue;
    Pair pair{.moved = std::vector<double>(trial.size()),
              .changed = std::vector<double>(trial.size()),
              .product = 0.0};
    for (std::size_t i = 0; i < trial.size(); ++i) {
      pair.moved[i] = trial[i] - parameters[i];
      pair.changed[i] = gradient[i] - gradient_[i];
    }
    pair.product = dot(pair.moved, pair.changed);
    if (pair.product > 1e-12 * dot(pair.moved, pair.moved)) pairs_.push_back(std::move(pair));
    if (pairs_.size() > kPairsMax) pairs_.pop_front();
    std::copy(trial.begin(), trial.end(), parameters.begin());
    gradient_.swap(gradient);
    value_ = value;
    return value_;
  }
  pairs_.clear();
  return value_;
}

}  // namespace kantrig::train
