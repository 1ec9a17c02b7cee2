// What a sweep found, as text for people, CSV for spreadsheets and JSON for scripts.
#pragma once

#include <string>
#include <vector>

#include "compiler/explore/ranking.hpp"
#include "compiler/explore/sweep_plan.hpp"

namespace kantrig::explore {

struct SweepTable {
  const SweepPlan& plan;
  const std::vector<SweepRow>& rows;  // in the order of points_of()
  Ranking ranking;
};

/// For two axes the quality as rows by columns, else a line for each point; then the failures, the best and
/// the sweet spot with the rule that named it.
[[nodiscard]] std::string to_text(const SweepTable& table);
[[nodiscard]] std::string to_csv(const SweepTable& table);
[[nodiscard]] std::string to_json(const SweepTable& table);

/// "model.bits[0]=5 model.bits[1]=6".
[[nodiscard]] std::string describe(const SweepPlan& plan, const SweepPoint& point);

}  // namespace kantrig::explore
