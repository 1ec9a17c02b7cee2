// A model whose batches are evaluated elsewhere and come back late, in any order or never, as the test
// chooses. They are decided by the real evaluator: only the time at which they are is the test's.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "backend/backend.hpp"
#include "pipeline/conditions.hpp"

namespace kantrig::test {

/// What the shard has given away, and what may come back. One thread.
struct LateCard {
  static constexpr std::uint32_t kBatchesMax = 4'096;
  std::uint32_t begun = 0;
  std::uint32_t came_back = 0;                      // asked for when they were there
  std::uint32_t taken_over = 0;                     // decided on the CPU at the shard's wish
  std::uint32_t backlog = 0;                        // as told with the newest
  std::uint32_t refuses_events = 0;                 // batches of so many are evaluated at once, on the CPU
  std::array<std::int32_t, kBatchesMax> asks_left;  // of batch i, in order of beginning; below 0: never there

  LateCard() { asks_left.fill(-1); }
  /// Batch `i`, begun or not, is there when the shard looks for the (`asks` + 1)th time.
  void give_back(std::uint32_t i, std::int32_t asks = 0) { asks_left[i] = asks; }
  void give_back_all(std::int32_t asks = 0) { asks_left.fill(asks); }
};

class LateWorkspace final : public backend::Workspace {
 public:
  LateWorkspace(const kan::Evaluator& evaluator, std::uint32_t events_max, LateCard& card)
      : evaluator_(evaluator), card_(card), space_(evaluator, events_max) {}

  std::uint32_t evaluate(const backend::Payload& payload, kan::ClampCounts clamped) noexcept override {
    const std::uint32_t malformed = backend::load_codes(evaluator_, payload, space_, clamped);
    finish(wire::Path::kCpu);
    return malformed;
  }
  std::uint32_t begin(const backend::Payload& payload, kan::ClampCounts clamped,
                      std::uint32_t backlog) noexcept override {
    if (payload.event_count == card_.refuses_events) return evaluate(payload, clamped);
    number_ = card_.begun++ % LateCard::kBatchesMax;
    card_.backlog = backlog;
    done_ = false;
    return backend::load_codes(evaluator_, payload, space_, clamped);
  }
  [[nodiscard]] bool done() noexcept override {
    if (done_) return true;
    std::int32_t& asks = card_.asks_left[number_];
    if (asks != 0) {
      if (asks > 0) --asks;
      return false;
    }
    ++card_.came_back;
    finish(wire::Path::kFpga);
    return true;
  }
  void finish_now() noexcept override {
    if (done_) return;
    ++card_.taken_over;
    finish(wire::Path::kCpu);
  }
  [[nodiscard]] const std::int16_t* outputs(std::uint32_t k) const noexcept override {
    return space_.outputs(k);
  }
  [[nodiscard]] const std::uint8_t* classes() const noexcept override { return space_.classes(); }
  [[nodiscard]] std::span<const std::uint64_t> malformed() const noexcept override {
    return space_.malformed();
  }
  [[nodiscard]] wire::Path path() const noexcept override { return path_; }

 private:
  void finish(wire::Path path) noexcept {
    evaluator_.evaluate(space_);
    path_ = path;
    done_ = true;
  }
  const kan::Evaluator& evaluator_;
  LateCard& card_;
  kan::Workspace space_;
  std::uint32_t number_ = 0;
  bool done_ = true;
  wire::Path path_ = wire::Path::kUnspecified;
};

class LateModel final : public backend::PreparedModel {
 public:
  LateModel(kan::Evaluator evaluator, LateCard& card)
      : backend::PreparedModel(std::move(evaluator)), card_(card) {}
  [[nodiscard]] std::unique_ptr<backend::Workspace> make_workspace(
      std::uint32_t events_max, std::optional<std::uint32_t> shard = std::nullopt) const override {
    if (shard) return std::make_unique<LateWorkspace>(evaluator(), events_max, card_);
    return std::make_unique<LateWorkspace>(evaluator(), events_max, nobody_);  // never begins
  }
  [[nodiscard]] wire::Path path() const noexcept override { return wire::Path::kCpu; }
  [[nodiscard]] std::string_view backend() const noexcept override { return "late"; }

 private:
  LateCard& card_;
  mutable LateCard nobody_;
};

inline std::shared_ptr<const pipeline::LoadedModel> loaded_late(kan::Bundle bundle, LateCard& card) {
  auto evaluator = kan::Evaluator::create(bundle.model, "auto");
  auto prepared = std::make_shared<const LateModel>(std::move(evaluator.value()), card);
  return std::make_shared<const pipeline::LoadedModel>(
      pipeline::LoadedModel{.bundle = std::move(bundle), .prepared = std::move(prepared)});
}

}  // namespace kantrig::test
