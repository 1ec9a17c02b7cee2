// The part of ProgramBuilder that turns prob(NAME) into integers. The mathematics: README.md.
#include <algorithm>
#include <cmath>
#include <limits>

#include "menu/program.hpp"
#include "menu/threshold.hpp"

namespace kantrig::menu {
namespace {

// The limit of the sum lies in [2^30, 2^31): an entry is then exact to 2^-31 of the limit, and 255 of them
// fit 64 bits.
constexpr int kLimitExponent = 30;
constexpr double kBracketMargin = 2.0;  // units: rounding of shifted scores and of the exact sum
constexpr double kEntryMax = std::numeric_limits<std::uint32_t>::max();

double sigmoid(double x) {
  return 1.0 / (1.0 + std::exp(-x));
}

std::uint32_t exp_entry(double scale, std::int32_t d, std::int32_t bits) {
  const double value = std::ldexp(std::exp(-scale * d), bits);
  return value >= kEntryMax ? std::numeric_limits<std::uint32_t>::max()
                            : static_cast<std::uint32_t>(std::llround(value));
}

/// The differences of two outputs that can occur.
struct DifferenceRange {
  std::int32_t low = 0;
  std::int32_t high = 0;
};

DifferenceRange differences_of(const ScoreSpace& space) {
  std::int32_t low = space.scores[0].low;
  std::int32_t high = space.scores[0].high;
  for (const ScoreRange& range : space.scores) {
    low = std::min(low, range.low);
    high = std::max(high, range.high);
  }
  return {low - high, high - low};
}

}  // namespace

Result<ProgramBuilder::Compiled> ProgramBuilder::compile_probability(const Expression& expression) {
  for (std::uint32_t k = 0; k < space_.scores.size(); ++k) {
    if (auto checked = check_scale(k); !checked) return tl::unexpected(checked.error());
    if (space_.scores[k].scale == space_.scores[0].scale) continue;
    return fail(ErrorCode::kUnsupported,
                "prob(...) needs outputs of one scale, but {} has {} and {} has {}: compare scores instead",
                name_of(0), space_.scores[0].scale, name_of(k), space_.scores[k].scale);
  }
  if (space_.scores.size() == 1) return compile_sigmoid(expression);
  if (space_.scores.size() == 2) return compile_two_outputs(expression);
  return compile_softmax(expression);
}

ProgramBuilder::Compiled ProgramBuilder::compile_sigmoid(const Expression& expression) {
  const ScoreRange& range = space_.scores[0];
  Node node;
  node.kind = Node::Kind::kScore;
  Bound bound = bound_of(expression);
  Comparison comparison = expression.comparison;
  if (expression.first == 1) {
    node.threshold =
        least(range.low, range.high, [&](auto y) { return bound.reached_by(sigmoid(y * range.scale)); });
  } else {  // falls as y rises: search for where it is no longer reached, and take the opposite
    node.threshold =
        least(range.low, range.high, [&](auto y) { return !bound.reached_by(sigmoid(-y * range.scale)); });
    comparison = bound.opposite ? Comparison::kAtLeast : Comparison::kBelow;
  }
  return threshold(comparison, std::move(node), range.low, range.high, name_of(0));
}

ProgramBuilder::Compiled ProgramBuilder::compile_two_outputs(const Expression& expression) {
  const std::uint32_t other = 1 - expression.first;
  const std::int32_t low = space_.scores[expression.first].low - space_.scores[other].high;
  const std::int32_t high = space_.scores[expression.first].high - space_.scores[other].low;
  Node node;
  node.kind = Node::Kind::kDifference;
  node.first = expression.first;
  node.second = other;
  const Bound bound = bound_of(expression);
  node.threshold =
      least(low, high, [&](auto d) { return bound.reached_by(sigmoid(d * space_.scores[0].scale)); });
  return threshold(expression.comparison, std::move(node), low, high,
                   fmt::format("{} - {}", name_of(expression.first), name_of(other)));
}

Result<ProgramBuilder::Compiled> ProgramBuilder::compile_softmax(const Expression& expression) {
  const Bound bound = bound_of(expression);
  const double odds_against = (1.0 - bound.value) / bound.value;  // p >= t: the sum is at most (1 - t) / t
  const std::int32_t bits = kLimitExponent - std::ilogb(odds_against);
  const auto table_index = exp_table(bits);
  if (!table_index) return tl::unexpected(table_index.error());
  const double limit = std::ldexp(odds_against, bits);
  ProbabilityTest test;
  test.output = expression.first;
  test.exp_table = *table_index;
  test.limit = static_cast<std::uint64_t>(bound.strict ? std::ceil(limit) - 1.0 : std::floor(limit));
  bracket(test, bound.value);
  auto& tests = program_.probabilities;
  auto found = std::find(tests.begin(), tests.end(), test);
  if (found == tests.end()) found = tests.insert(tests.end(), test);
  Node node;
  node.kind = Node::Kind::kProbability;
  node.table = static_cast<std::uint32_t>(found - tests.begin());
  const Literal literal = intern(std::move(node));
  return Compiled{
      {literal.node, bound.opposite},
      fmt::format("{}[sum over j of round(2^{} exp(-{} ({} - y_j))) <= {}]", bound.opposite ? "not " : "",
                  bits, space_.scores[0].scale, name_of(test.output), test.limit)};
}

/// From how far y_k lies above the approximate log(sum of exp): surely false, open, surely true.
void ProgramBuilder::bracket(ProbabilityTest& test, double probability) {
  if (!program_.log_sum.usable) {
    ScoreBounds bounds = {space_.scores.size(), space_.scores[0].low, space_.scores[0].high,
                          space_.scores[0].scale};
    for (const ScoreRange& range : space_.scores) {
      bounds.low = std::min(bounds.low, range.low);
      bounds.high = std::max(bounds.high, range.high);
    }
    program_.log_sum = make_log_sum(bounds);
  }
  const LogSum& log_sum = program_.log_sum;
  if (!log_sum.usable) return;
  const double limit = std::log(probability) / log_sum.unit;  // ln p_k = y_k - log(sum of exp)
  const double possible_from = std::floor(limit - log_sum.over) - kBracketMargin;
  const double sure_from = std::ceil(limit + log_sum.under) + kBracketMargin;
  if (possible_from < -kCompared16Max || sure_from > kCompared16Max) return;
  test.bracketed = true;
  test.possible_from = static_cast<std::int32_t>(possible_from);
  test.sure_from = static_cast<std::int32_t>(sure_from);
}

Result<std::uint32_t> ProgramBuilder::exp_table(std::int32_t bits) {
  auto& tables = program_.exp_tables;
  for (std::size_t t = 0; t < tables.size(); ++t) {
    if (tables[t].bits == bits) return static_cast<std::uint32_t>(t);
  }
  const double scale = space_.scores[0].scale;
  const DifferenceRange range = differences_of(space_);
  const auto entry = [&](std::int32_t d) { return exp_entry(scale, d, bits); };
  ExpTable table;
  table.bits = bits;
  // From the last difference whose entry is too large to matter to the first whose entry is 0.
  const std::int32_t finite = least(range.low, range.high, [&](auto d) { return entry(d) < kEntryMax; });
  table.first = std::max(range.low, finite - 1);
  const std::int32_t last =
      std::min(range.high, least(range.low, range.high, [&](auto d) { return entry(d) == 0; }));
  for (std::int32_t d = table.first; d <= std::max(last, table.first); ++d) table.entries.push_back(entry(d));
  if (auto room = reserve_table_bytes(table.entries.size() * sizeof(std::uint32_t)); !room) {
    return tl::unexpected(room.error());
  }
  tables.push_back(std::move(table));
  return static_cast<std::uint32_t>(tables.size() - 1);
}

}  // namespace kantrig::menu
