#include "compiler/train/objective.hpp"

#include <algorithm>

namespace kantrig::train {
namespace {

constexpr std::size_t kSlotsMax = 16;

/// Chunk `index` of `rows`.
std::span<const std::uint32_t> chunk_of(std::span<const std::uint32_t> rows, std::size_t index) {
  const std::size_t begin = index * kChunkRows;
  return rows.subspan(begin, std::min(kChunkRows, rows.size() - begin));
}

std::size_t chunk_count(std::size_t rows) {
  return (rows + kChunkRows - 1) / kChunkRows;
}

}  // namespace

std::size_t Objective::slot_count(std::size_t batch_rows) noexcept {
  return std::min(chunk_count(batch_rows), kSlotsMax);
}

Objective::Objective(std::unique_ptr<Engine> engine, const Loss& loss, std::size_t slots, ThreadTeam& team)
    : engine_(std::move(engine)), loss_(loss), team_(team), sums_(slots), gradients_(slots) {
  for (std::vector<float>& gradient : gradients_) gradient.resize(kChunkRows * engine_->width());
}

/// Slot s takes chunks s, s + slots, s + 2 slots, ... With a weight of 0 there is no way back.
LossSums Objective::run(const Samples& samples, std::span<const std::uint32_t> rows, float weight) {
  const std::size_t chunks = chunk_count(rows.size());
  const std::size_t slots = std::min(chunks, sums_.size());
  std::fill(sums_.begin(), sums_.end(), LossSums{});
  team_.run(slots, [&](std::size_t slot) {
    for (std::size_t c = slot; c < chunks; c += slots) {
      const std::span<const std::uint32_t> part = chunk_of(rows, c);
      const std::span<const float> outputs = engine_->forward(slot, samples, part);
      const std::span<float> gradient =
          weight == 0.0F ? std::span<float>()
                         : std::span(gradients_[slot]).first(part.size() * engine_->width());
      const LossSums sums = evaluate_loss(loss_, samples, part, outputs, engine_->width(), weight, gradient);
      sums_[slot].loss += sums.loss;
      sums_[slot].correct += sums.correct;
      sums_[slot].events += sums.events;
      if (weight != 0.0F) engine_->backward(slot, gradient);
    }
  });
  LossSums total;
  for (const LossSums& sums : sums_) {
    total.loss += sums.loss;
    total.correct += sums.correct;
    total.events += sums.events;
  }
  return total;
}

double Objective::learn(std::span<const double> parameters, const Samples& samples,
                        std::span<const std::uint32_t> rows, std::span<double> gradient) {
  engine_->prepare(parameters);
  const LossSums sums = run(samples, rows, 1.0F / static_cast<float>(rows.size()));
  std::fill(gradient.begin(), gradient.end(), 0.0);
  if (charge_) charge_(*engine_);
  engine_->finish(std::min(chunk_count(rows.size()), sums_.size()), gradient);
  return sums.loss / sums.events;
}

Score Objective::score(const Samples& samples, std::span<const std::uint32_t> rows) {
  const LossSums sums = run(samples, rows, 0.0F);
  return {.loss = sums.loss / sums.events, .accuracy = sums.correct / sums.events};
}

std::vector<float> Objective::outputs(const Samples& samples, std::span<const std::uint32_t> rows) {
  const std::size_t chunks = chunk_count(rows.size());
  const std::size_t slots = std::min(chunks, sums_.size());
  const std::size_t count = samples.outputs;
  std::vector<float> all(rows.size() * count);
  team_.run(slots, [&](std::size_t slot) {
    for (std::size_t c = slot; c < chunks; c += slots) {
      const std::span<const std::uint32_t> part = chunk_of(rows, c);
      const std::span<const float> outputs = engine_->forward(slot, samples, part);
      for (std::size_t r = 0; r < part.size(); ++r)
        std::copy_n(&outputs[r * engine_->width()], count, &all[(c * kChunkRows + r) * count]);
    }
  });
  return all;
}

}  // namespace kantrig::train
