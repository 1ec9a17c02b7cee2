// Objective: loss and gradient of a model over events, computed by several threads with a result that does
// not depend on how many.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "compiler/train/engine.hpp"
#include "compiler/train/loss.hpp"
#include "compiler/train/thread_team.hpp"

namespace kantrig::train {

struct Score {
  double loss = 0.0;      // mean over the events
  double accuracy = 0.0;  // of classes; 0 for a regression
};

/// Threading: owned by one thread, uses `team`. Events go to slots in one fixed way, and sums are taken in
/// slot order.
class Objective {
 public:
  /// `engine` was made with slot_count(batch_rows) slots.
  Objective(std::unique_ptr<Engine> engine, const Loss& loss, std::size_t slots, ThreadTeam& team);

  /// How many slots a batch of so many events uses.
  [[nodiscard]] static std::size_t slot_count(std::size_t batch_rows) noexcept;

  /// Called between the gathering of gradients and finish(), by learn() only: to charge for tables
  /// (area.hpp).
  using ChargeFn = std::function<void(Engine&)>;
  void set_charge(ChargeFn charge) { charge_ = std::move(charge); }

  /// Mean loss over the events `rows`; its gradient by the parameters replaces `gradient`.
  [[nodiscard]] double learn(std::span<const double> parameters, const Samples& samples,
                             std::span<const std::uint32_t> rows, std::span<double> gradient);

  /// Takes in parameters for score() and outputs().
  void prepare(std::span<const double> parameters) { engine_->prepare(parameters); }
  [[nodiscard]] Score score(const Samples& samples, std::span<const std::uint32_t> rows);
  /// Real outputs of the events, rows x outputs.
  [[nodiscard]] std::vector<float> outputs(const Samples& samples, std::span<const std::uint32_t> rows);

 private:
  [[nodiscard]] LossSums run(const Samples& samples, std::span<const std::uint32_t> rows, float weight);

  std::unique_ptr<Engine> engine_;
  Loss loss_;
  ThreadTeam& team_;
  ChargeFn charge_;
  std::vector<LossSums> sums_;                 // [slot]
  std::vector<std::vector<float>> gradients_;  // [slot]
};

}  // namespace kantrig::train
