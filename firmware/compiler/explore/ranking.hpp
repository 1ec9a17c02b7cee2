// Which points of a sweep are worth having: the best, the sweet spot, and the front of quality by cost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/explore/point_result.hpp"
#include "compiler/explore/sweep_plan.hpp"

namespace kantrig::explore {

/// A point and what is known of it. Nothing: not trained yet.
struct SweepRow {
  SweepPoint point;
  std::optional<PointResult> result;
};

/// What "small" means. Nanoseconds are cycles by the clock.
enum class CostKind : std::uint8_t { kParameterBits, kLuts, kNanoseconds };
[[nodiscard]] std::string_view cost_name(CostKind kind) noexcept;  // "bits", "luts", "nanoseconds"

struct Ranking {
  Quality quality;
  CostKind cost = CostKind::kLuts;
  double clock_mhz = 500.0;
};

[[nodiscard]] std::optional<double> quality_of(const SweepRow& row, const Ranking& ranking);
[[nodiscard]] double cost_value(const ModelCost& cost, CostKind kind, double clock_mhz);

/// The rule of one standard error (Breiman et al. 1984, section 3.4.3): of the points no worse than the best
/// by one standard error of the best, the cheapest; among equally cheap ones the better.
struct SweetSpot {
  std::size_t best = 0;         // index of the row
  std::size_t chosen = 0;       // index of the row
  double standard_error = 0.0;  // of the best; 0 where the metric is no fraction of counted rows
  double limit = 0.0;           // the worst quality that counts as good as the best
};
[[nodiscard]] std::optional<SweetSpot> sweet_spot(const std::vector<SweepRow>& rows, const Ranking& ranking);

/// Rows that no other beats in both quality and cost, by rising cost.
[[nodiscard]] std::vector<std::size_t> pareto_front(const std::vector<SweepRow>& rows, const Ranking& ranking,
                                                    CostKind kind);

}  // namespace kantrig::explore
