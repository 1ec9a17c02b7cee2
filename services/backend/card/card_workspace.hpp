// CardWorkspace: a batch on its way through a seat, or decided here.
#pragma once

#include <atomic>
#include <random>
#include <vector>

#include "backend/backend.hpp"
#include "backend/card/scores.hpp"
#include "backend/card/seat_state.hpp"

namespace kantrig::backend {

/// Codes stay here until the batch is done, so that the CPU can decide it at any moment.
///
/// Threading:  owned by the shard that owns the seat; may be destroyed elsewhere once that shard has handed
/// it
///             over, even while it waits.
class CardWorkspace final : public Workspace {
 public:
  /// `load_id`: of the model at this shard's card; 0 while the card is not ready with it. Without a seat
  /// everything is decided here. All three outlive the workspace.
  CardWorkspace(const kan::Evaluator& evaluator, std::uint32_t events_max, CardSeat* seat,
                const std::atomic<std::uint64_t>* load_id);
  ~CardWorkspace() override;

  std::uint32_t evaluate(const Payload& payload, kan::ClampCounts clamped) noexcept override;
  std::uint32_t begin(const Payload& payload, kan::ClampCounts clamped,
                      std::uint32_t backlog) noexcept override;
  [[nodiscard]] bool done() noexcept override;
  void finish_now() noexcept override;

  [[nodiscard]] const std::int16_t* outputs(std::uint32_t k) const noexcept override {
    return space_.outputs(k);
  }
  [[nodiscard]] const std::uint8_t* classes() const noexcept override { return space_.classes(); }
  [[nodiscard]] std::span<const std::uint64_t> malformed() const noexcept override {
    return space_.malformed();
  }
  [[nodiscard]] wire::Path path() const noexcept override { return path_; }

 private:
  static constexpr std::uint32_t kCheckEvents = 64;  // compared at once

  void evaluate_here() noexcept;
  void take_over() noexcept;
  [[nodiscard]] bool hand_over(std::uint32_t backlog) noexcept;
  void collect() noexcept;
  [[nodiscard]] bool finish_nodes() noexcept;
  [[nodiscard]] bool cross_check() noexcept;
  [[nodiscard]] bool agrees(std::uint32_t first, std::uint32_t events) noexcept;

  const kan::Evaluator& evaluator_;
  CardSeat* seat_;
  const std::atomic<std::uint64_t>* load_id_;
  kan::Workspace space_;
  Scores scores_;
  // Where the card's nodes go, a column each: to the outputs of space_, or for a model with an output stage
  // here.
  std::vector<std::int16_t*> columns_;
  std::size_t node_stride_ = 0;
  std::vector<std::int16_t> nodes_;
  std::uint32_t events_ = 0;
  wire::Path path_ = wire::Path::kUnspecified;
  bool waiting_ = false;
  CardSeat::State::Room room_;  // while waiting

  kan::Workspace check_space_;
  std::vector<std::uint16_t> check_codes_;
  double check_due_ = 0.0;  // events that should have been compared and were not
  std::mt19937_64 random_;
};

}  // namespace kantrig::backend
