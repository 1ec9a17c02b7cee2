#include "compiler/explore/ranking.hpp"

#include <algorithm>
#include <cmath>

namespace kantrig::explore {
namespace {

struct Scored {
  std::size_t row = 0;
  double quality = 0.0;  // more is better
  double cost = 0.0;
};

std::vector<Scored> scored(const std::vector<SweepRow>& rows, const Ranking& ranking, CostKind kind) {
  std::vector<Scored> result;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto quality = quality_of(rows[i], ranking);
    if (!quality) continue;
    result.push_back({i, ranking.quality.lower_is_better ? -*quality : *quality,
                      cost_value(rows[i].result->cost, kind, ranking.clock_mhz)});
  }
  return result;
}

/// Of a fraction of counted rows, as an accuracy is: binomial.
double standard_error(double value, std::uint64_t rows) {
  if (rows == 0 || value < 0.0 || value > 1.0) return 0.0;
  return std::sqrt(value * (1.0 - value) / static_cast<double>(rows));
}

}  // namespace

std::string_view cost_name(CostKind kind) noexcept {
  switch (kind) {
    case CostKind::kParameterBits:
      return "bits";
    case CostKind::kLuts:
      return "luts";
    case CostKind::kNanoseconds:
      break;
  }
  return "nanoseconds";
}

std::optional<double> quality_of(const SweepRow& row, const Ranking& ranking) {
  if (!row.result || row.result->failed()) return std::nullopt;
  const auto value = row.result->metric(ranking.quality.metric);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

double cost_value(const ModelCost& cost, CostKind kind, double clock_mhz) {
  if (kind == CostKind::kParameterBits) return static_cast<double>(cost.parameter_bits);
  return kind == CostKind::kLuts ? cost.luts : cost.cycles * 1e3 / clock_mhz;
}

std::optional<SweetSpot> sweet_spot(const std::vector<SweepRow>& rows, const Ranking& ranking) {
  const std::vector<Scored> all = scored(rows, ranking, ranking.cost);
  if (all.empty()) return std::nullopt;
  const Scored best = *std::ranges::max_element(all, {}, &Scored::quality);
  SweetSpot spot{.best = best.row, .chosen = best.row};
  const bool fraction = ranking.quality.metric.starts_with("accuracy");
  if (fraction) spot.standard_error = standard_error(best.quality, rows[best.row].result->rows_validation);
  const double limit = best.quality - spot.standard_error;
  spot.limit = ranking.quality.lower_is_better ? -limit : limit;
  const Scored* chosen = nullptr;
  for (const Scored& one : all) {
    if (one.quality < limit) continue;
    if (chosen == nullptr || one.cost < chosen->cost ||
        (one.cost == chosen->cost && one.quality > chosen->quality))
      chosen = &one;
  }
  spot.chosen = chosen->row;
  return spot;
}

std::vector<std::size_t> pareto_front(const std::vector<SweepRow>& rows, const Ranking& ranking,
                                      CostKind kind) {
  std::vector<Scored> all = scored(rows, ranking, kind);
  std::ranges::stable_sort(all, [](const Scored& a, const Scored& b) {
    return a.cost != b.cost ? a.cost < b.cost : a.quality > b.quality;
  });
  std::vector<std::size_t> front;
  double reached = -HUGE_VAL;
  for (const Scored& one : all) {
    if (one.quality <= reached) continue;
    reached = one.quality;
    front.push_back(one.row);
  }
  return front;
}

}  // namespace kantrig::explore
