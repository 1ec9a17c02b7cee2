#include "compiler/explore/shared_training.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "compiler/learned/elementary.hpp"
#include "compiler/learned/random.hpp"
#include "compiler/train/adamw.hpp"
#include "compiler/train/parameters.hpp"

namespace kantrig::explore {
namespace {

/// The free parameters of a model with shared shapes, in one vector: factors, shapes, then the biases and
/// thresholds of every layer. By the chain rule, a shape's gradient is the sum of its edges' gradients, each
/// by its factor.
class SharedParameters {
 public:
  SharedParameters(const learned::LearnedKan& kan, const train::ParameterMap& map, Codebook& codebook)
      : kan_(kan), map_(map), codebook_(codebook), size_(codebook.shapes.front().size()) {
    first_other_ = codebook.uses.size() + codebook.shapes.size() * size_;
    for (std::size_t l = 0; l < kan.layers.size(); ++l) {
      const train::LayerParameters& part = map.layer(l);
      for (std::size_t b = 0; b < kan.layers[l].biases.size(); ++b) others_.push_back(part.biases + b);
      for (std::size_t t = 0; t < part.threshold_count; ++t) others_.push_back(part.thresholds + t);
    }
  }
  [[nodiscard]] std::size_t count() const { return first_other_ + others_.size(); }

  [[nodiscard]] std::vector<double> pack(std::span<const double> full) const {
    std::vector<double> free;
    for (const ShapeUse& use : codebook_.uses) free.push_back(use.factor);
    for (const auto& shape : codebook_.shapes) free.insert(free.end(), shape.begin(), shape.end());
    for (const std::size_t index : others_) free.push_back(full[index]);
    return free;
  }

  void expand(std::span<const double> free, std::span<double> full) const {
    for (std::size_t e = 0; e < codebook_.uses.size(); ++e) {
      const double* const shape = &free[shape_begin(codebook_.uses[e].shape)];
      for (std::size_t m = 0; m < size_; ++m) full[place(codebook_.uses[e], m)] = free[e] * shape[m];
    }
    for (std::size_t o = 0; o < others_.size(); ++o) full[others_[o]] = free[first_other_ + o];
  }

  void gather(std::span<const double> free, std::span<const double> full, std::span<double> gradient) const {
    std::fill(gradient.begin(), gradient.end(), 0.0);
    for (std::size_t e = 0; e < codebook_.uses.size(); ++e) {
      const std::size_t begin = shape_begin(codebook_.uses[e].shape);
      for (std::size_t m = 0; m < size_; ++m) {
        const double by_value = full[place(codebook_.uses[e], m)];
        gradient[e] += by_value * free[begin + m];
        gradient[begin + m] += by_value * free[e];
      }
    }
    for (std::size_t o = 0; o < others_.size(); ++o) gradient[first_other_ + o] = full[others_[o]];
  }

  void store(std::span<const double> free) const {
    for (std::size_t e = 0; e < codebook_.uses.size(); ++e) codebook_.uses[e].factor = free[e];
    for (std::uint32_t s = 0; s < codebook_.shapes.size(); ++s) {
      std::copy_n(free.begin() + static_cast<std::ptrdiff_t>(shape_begin(s)), size_,
                  codebook_.shapes[s].begin());
    }
  }

 private:
  [[nodiscard]] std::size_t shape_begin(std::uint32_t shape) const {
    return codebook_.uses.size() + shape * size_;
  }
  /// Where parameter m of an edge lies in the full vector.
  [[nodiscard]] std::size_t place(const ShapeUse& use, std::size_t m) const {
    const learned::Layer& layer = kan_.layers[use.layer];
    const std::size_t basis = layer.basis_count();
    const train::LayerParameters& part = map_.layer(use.layer);
    if (m == basis) return part.weights + layer.edge_index(use.input, use.node);
    return part.coefficients + (use.input * basis + m) * layer.nodes + use.node;
  }

  const learned::LearnedKan& kan_;
  const train::ParameterMap& map_;
  Codebook& codebook_;
  std::size_t size_;
  std::size_t first_other_ = 0;
  std::vector<std::size_t> others_;  // in the full vector
};

bool better(const train::Score& a, const train::Score& b) {
  return a.accuracy != b.accuracy ? a.accuracy > b.accuracy : a.loss < b.loss;
}

}  // namespace

Result<SharedModel> tune_shared(const learned::LearnedKan& kan, const Codebook& codebook,
                                const SharedTraining& training, train::ThreadTeam& team) {
  const train::ParameterMap map(kan, training.thresholds);
  const std::size_t slots = train::Objective::slot_count(std::max<std::size_t>(training.batch_size, 1024));
  auto engine = train::make_engine(kan, map, slots);
  if (!engine) return tl::unexpected(engine.error());
  train::Objective objective(std::move(*engine), training.loss, slots, team);
  SharedModel model{kan, codebook, {}, {}};
  Codebook working = codebook;
  const SharedParameters shared(kan, map, working);
  std::vector<double> full = map.pack(kan);
  std::vector<double> free = shared.pack(full);
  std::vector<double> full_gradient(map.size());
  std::vector<double> gradient(free.size());
  const std::vector<double> decayed(free.size(), 0.0);
  train::AdamW optimizer(free.size(), {});
  learned::Random random(training.seed);
  std::vector<std::uint32_t> order(training.learned.begin(), training.learned.end());
  objective.prepare(full);
  model.refitted = objective.score(training.samples, training.validation);
  model.tuned = model.refitted;
  for (std::uint32_t epoch = 0; epoch < training.epochs; ++epoch) {
    const double wave = learned::cosine(std::numbers::pi * epoch / training.epochs);
    const double rate = training.learning_rate * 0.5 * (1.0 + wave);
    random.shuffle(order);
    for (std::size_t begin = 0; begin < order.size(); begin += training.batch_size) {
      const std::size_t size = std::min<std::size_t>(training.batch_size, order.size() - begin);
      shared.expand(free, full);
      const double loss =
          objective.learn(full, training.samples, std::span(order).subspan(begin, size), full_gradient);
      if (!std::isfinite(loss))
        return fail(ErrorCode::kInvalid, "training diverged; lower the learning rate");
      shared.gather(free, full_gradient, gradient);
      optimizer.step(free, gradient, rate, decayed);
    }
    shared.expand(free, full);
    objective.prepare(full);
    const train::Score score = objective.score(training.samples, training.validation);
    if (!better(score, model.tuned)) continue;
    model.tuned = score;
    map.unpack(full, model.kan);
    shared.store(free);
    model.codebook = working;
  }
  return model;
}

}  // namespace kantrig::explore
