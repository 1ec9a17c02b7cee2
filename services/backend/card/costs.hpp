// Costs: what is known of how long things take, learned from what they took. For the choice between CPU and
// card.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace kantrig::backend {

/// A figure for each power of two of events, each a moving average of what was seen of that size.
class CostTable {
 public:
  void learn(std::uint32_t events, float value) noexcept {
    float& known = values_[class_of(events)];
    if (!(value > kLeast)) value = kLeast;  // 0 says that nothing is known
    known = known == 0.0F ? value : known + (value - known) * kWeight;
  }
  [[nodiscard]] std::optional<float> at(std::uint32_t events) const noexcept {
    const float known = values_[class_of(events)];
    return known == 0.0F ? std::nullopt : std::optional(known);
  }
  /// Of the nearest size of which anything is known, the smaller first.
  [[nodiscard]] std::optional<float> near(std::uint32_t events) const noexcept {
    const std::size_t middle = class_of(events);
    for (std::size_t away = 0; away < kClasses; ++away) {
      if (away <= middle && values_[middle - away] != 0.0F) return values_[middle - away];
      if (middle + away < kClasses && values_[middle + away] != 0.0F) return values_[middle + away];
    }
    return std::nullopt;
  }

 private:
  static constexpr std::size_t kClasses = 33;
  static constexpr float kWeight = 0.125F;
  static constexpr float kLeast = 1e-3F;
  static std::size_t class_of(std::uint32_t events) noexcept {
    return static_cast<std::size_t>(std::bit_width(events));
  }
  std::array<float, kClasses> values_{};
};

/// Of one model on one shard.
struct Costs {
  CostTable cpu;      // ns an event of a batch: evaluating it
  CostTable host;     // ns an event of a batch: packing, submitting, unpacking, checking
  CostTable latency;  // ns of a slot, from its submission until it is back

  /// How many decisions under load until the way not preferred is tried once, so that its cost stays known.
  static constexpr std::uint32_t kTrialEvery = 256;
  std::uint32_t loaded_decisions = 0;

  /// Where a batch should go. `lone`: nothing else waits or is under way, so all that counts is when it is
  /// answered. Else the thread's time counts, since others wait for it.
  [[nodiscard]] bool prefer_card(std::uint32_t events, bool lone) noexcept {
    const auto on_cpu = cpu.at(events);
    if (!on_cpu) return false;
    const auto on_host = host.at(events);
    if (lone) {
      const auto away = latency.near(events);
      const auto handled = host.near(events);
      return away && handled &&
             *away + *handled * static_cast<float>(events) < *on_cpu * static_cast<float>(events);
    }
    if (!on_host) return true;
    const bool cheaper = *on_host < *on_cpu;
    return ++loaded_decisions % kTrialEvery == 0 ? !cheaper : cheaper;
  }
};

}  // namespace kantrig::backend
