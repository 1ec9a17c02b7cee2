// The obvious evaluator: a condition as a function of real scores in double precision, and random conditions
// with it.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "menu/menu.hpp"
#include "unit/menu/menu_fixture.hpp"

namespace kantrig::test {

/// One event as the obvious evaluator sees it.
struct OracleEvent {
  const menu::ScoreSpace& space;
  std::vector<std::int16_t> row;
  mutable bool too_close = false;  // a probability was so close to its limit that rounding may decide

  [[nodiscard]] double score(std::size_t k) const { return row[k] * space.scores[k].scale; }
  [[nodiscard]] double probability(std::size_t k) const {
    if (row.size() == 1) return 1.0 / (1.0 + std::exp(k == 1 ? -score(0) : score(0)));
    double sum = 0.0;
    for (std::size_t j = 0; j < row.size(); ++j) sum += std::exp(space.scores[0].scale * (row[j] - row[k]));
    return 1.0 / sum;
  }
};

struct OracleCondition {
  std::string text;
  std::function<bool(const OracleEvent&)> holds;
};

inline bool compare(double left, const std::string& sign, double right) {
  if (sign == ">=") return left >= right;
  if (sign == ">") return left > right;
  if (sign == "<=") return left <= right;
  return left < right;
}

class ConditionMaker {
 public:
  ConditionMaker(const menu::ScoreSpace& space, std::mt19937_64& random) : space_(space), random_(random) {}

  OracleCondition make(int depth) {
    const std::uint64_t kind = random_() % 10;
    if (depth > 0 && kind < 6) {
      OracleCondition a = make(depth - 1);
      OracleCondition b = make(depth - 1);
      if (kind < 2) return {"not (" + a.text + ")", [a](const OracleEvent& e) { return !a.holds(e); }};
      // Both sides are always evaluated, so that each can say that it is too close.
      if (kind < 4) {
        return {"(" + a.text + " and " + b.text + ")",
                [a, b](const OracleEvent& e) { return a.holds(e) & b.holds(e); }};
      }
      return {"(" + a.text + " or " + b.text + ")",
              [a, b](const OracleEvent& e) { return a.holds(e) | b.holds(e); }};
    }
    if (kind == 0) return {"any", [](const OracleEvent&) { return true; }};
    if (kind < 4) return make_class();
    if (kind < 7) return make_probability();
    return make_score();
  }

 private:
  OracleCondition make_class() {
    const std::size_t k = random_() % space_.classes.size();
    return {"class == " + space_.classes[k],
            [k](const OracleEvent& e) { return Batch::class_of(e.row) == k; }};
  }

  OracleCondition make_probability() {
    const std::size_t k = random_() % space_.classes.size();
    const double limit = static_cast<double>(1 + random_() % 98) / 100.0;
    const std::string sign = any_sign();
    return {"prob(" + space_.classes[k] + ") " + sign + " " + fmt::format("{}", limit),
            [=](const OracleEvent& e) {
              const double p = e.probability(k);
              e.too_close |= std::abs(p - limit) < 1e-9;
              return compare(p, sign, limit);
            }};
  }

  OracleCondition make_score() {
    const std::size_t outputs = space_.scores.size();
    const std::size_t a = random_() % outputs;
    const std::size_t b = random_() % outputs;
    const std::string sign = any_sign();
    const auto& range = space_.scores[a];
    // Multiples of the scale are the hard case: the score may be equal to the limit.
    const auto steps = static_cast<std::int32_t>(random_() % 41) - 20;
    const double limit = random_() % 3 == 0 ? steps * 0.173 : steps * range.scale;
    const std::string right = sign + " " + fmt::format("{}", limit);
    const std::string first = "score(" + (outputs == 1 ? space_.classes[1] : space_.classes[a]) + ")";
    if (a == b || outputs == 1) {
      return {first + " " + right, [=](const OracleEvent& e) { return compare(e.score(a), sign, limit); }};
    }
    const bool one_scale = range.scale == space_.scores[b].scale;
    return {first + " - score(" + space_.classes[b] + ")" + right, [=](const OracleEvent& e) {
              const double difference =
                  one_scale ? (e.row[a] - e.row[b]) * e.space.scores[a].scale : e.score(a) - e.score(b);
              return compare(difference, sign, limit);
            }};
  }

  std::string any_sign() {
    static const std::vector<std::string> kSigns = {">=", ">", "<=", "<"};
    return kSigns[random_() % kSigns.size()];
  }

  const menu::ScoreSpace& space_;
  std::mt19937_64& random_;
};

}  // namespace kantrig::test
