#include "compiler/train/trainer.hpp"

#include "compiler/train/adamw.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

namespace kantrig::train {

using namespace learned;
namespace {

/// Learning rows and validation rows: a random split by the seed, each kept in rising order.
struct Split {
  std::vector<std::uint32_t> learned;
  std::vector<std::uint32_t> validation;
};

Split split_rows(std::size_t rows, double validation_fraction, Random& random) {
  std::vector<std::uint32_t> order(rows);
  std::iota(order.begin(), order.end(), 0U);
  random.shuffle(order);
  const auto held_out =
      static_cast<std::ptrdiff_t>(std::max(1.0, std::floor(validation_fraction * static_cast<double>(rows))));
  Split split{.learned = {order.begin() + held_out, order.end()},
              .validation = {order.begin(), order.begin() + held_out}};
  std::sort(split.learned.begin(), split.learned.end());
  std::sort(split.validation.begin(), split.validation.end());
  return split;
}

/// KANELE's ramp (arXiv 2512.12850, the published code): 0 up to the start, 95 % of the way at the end.
double pruning_threshold(const PruningPlan& plan, std::uint32_t epoch) {
  if (epoch <= plan.start_epoch) return 0.0;
  if (epoch >= plan.end_epoch) return plan.threshold_codes;
  const double part = static_cast<double>(epoch - plan.start_epoch) / (plan.end_epoch - plan.start_epoch);
  return plan.threshold_codes * (1.0 - exponential(-logarithm(20.0) * part));
}

bool better(const EpochRecord& a, const EpochRecord& b) {
  if (a.validation.accuracy != b.validation.accuracy) return a.validation.accuracy > b.validation.accuracy;
  return a.validation.loss < b.validation.loss;
}

/// One pass over the learning rows in a fresh order; the mean loss of the steps.
double run_epoch(SplineKan& kan, std::vector<AdamW>& optimisers, const CodedEvents& events,
                 std::vector<std::uint32_t>& order, const TrainingPlan& plan, double learning_rate) {
  double loss = 0.0;
  std::size_t steps = 0;
  for (std::size_t begin = 0; begin < order.size(); begin += plan.batch_size) {
    const std::size_t size = std::min<std::size_t>(plan.batch_size, order.size() - begin);
    loss += kan.learn(events, std::span(order).subspan(begin, size));
    for (std::size_t l = 0; l < optimisers.size(); ++l) {
      SplineLayer& layer = kan.layers()[l];
      optimisers[l].step(layer.parameters(), layer.gradients(), learning_rate, layer.decayed());
    }
    kan.rebuild();
    ++steps;
  }
  return loss / static_cast<double>(steps);
}

}  // namespace

Result<Training> train(const Specification& specification, const Dataset& data, const ProgressFn& progress) {
  if (auto ok = check_dataset(specification, data); !ok) return tl::unexpected(ok.error());
  const TrainingPlan& plan = specification.training;
  const std::size_t rows = plan.rows == 0 ? data.rows() : static_cast<std::size_t>(plan.rows);
  Random random(plan.seed);
  Split split = split_rows(rows, plan.validation_fraction, random);
  std::vector<kan::InputFeature> inputs = fit_inputs(specification, data, split.learned);
  CodedEvents events = encode(inputs, data, rows);

  SplineKan kan(specification, random);
  std::vector<AdamW> optimisers;
  for (SplineLayer& layer : kan.layers()) {
    optimisers.emplace_back(layer.parameters().size(), AdamWOptions{.weight_decay = plan.weight_decay});
  }
  std::vector<EpochRecord> epochs;
  std::optional<SplineKan> best;
  EpochRecord best_record;
  std::vector<std::uint32_t> order = split.learned;
  double learning_rate = plan.learning_rate;
  const bool pruning = specification.pruning.threshold_codes > 0.0;
  for (std::uint32_t epoch = 1; epoch <= plan.epochs; ++epoch) {
    random.shuffle(order);
    EpochRecord record;
    record.epoch = epoch;
    record.loss = run_epoch(kan, optimisers, events, order, plan, learning_rate);
    learning_rate *= plan.learning_rate_decay;
    if (!std::isfinite(record.loss)) {
      return fail(ErrorCode::kInvalid,
                  "training diverged in epoch {}: the loss is no number; lower training.learning_rate",
                  epoch);
    }
    const double threshold = pruning_threshold(specification.pruning, epoch);
    if (pruning && threshold > 0.0) kan.prune(events, split.learned, threshold);
    record.validation = kan.score(events, split.validation);
    record.active_edges = kan.active_edges();
    epochs.push_back(record);
    if (progress) progress(record);
    const bool settled = !pruning || epoch >= std::min(specification.pruning.end_epoch, plan.epochs);
    if (settled && (!best || better(record, best_record))) {
      best = kan;
      best_record = record;
    }
  }
  return Training{.kan = std::move(*best),
                  .inputs = std::move(inputs),
                  .events = std::move(events),
                  .learned = std::move(split.learned),
                  .validation = std::move(split.validation),
                  .epochs = std::move(epochs),
                  .chosen_epoch = best_record.epoch};
}

}  // namespace kantrig::train
