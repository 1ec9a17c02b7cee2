#include "menu/program.hpp"

#include <algorithm>
#include <cmath>

#include "base/assert.hpp"
#include "menu/threshold.hpp"

namespace kantrig::menu {
namespace {

bool is_costly(Node::Kind kind) {
  return kind == Node::Kind::kProbability || kind == Node::Kind::kDifferenceTable;
}

}  // namespace

ProgramBuilder::ProgramBuilder(const ScoreSpace& space) : space_(space) {
  program_.output_count = static_cast<std::uint32_t>(space.scores.size());
  program_.nodes.emplace_back();  // kTrue
}

Result<std::string> ProgramBuilder::add_line(const Expression& condition) {
  auto compiled = compile(condition);
  if (!compiled) return tl::unexpected(compiled.error());
  program_.lines.push_back(compiled->literal);
  return std::move(compiled->text);
}

Program ProgramBuilder::finish() {
  drop_unused_nodes();
  std::vector<std::uint32_t> uses(program_.nodes.size());
  for (const Literal line : program_.lines) uses[line.node] += 2;  // never masked
  for (const Node& node : program_.nodes) {
    for (const Literal child : node.children) ++uses[child.node];
  }
  for (std::size_t n = 0; n < program_.nodes.size(); ++n) {
    program_.nodes[n].masked = is_costly(program_.nodes[n].kind) && uses[n] == 1;
  }
  for (Node& node :
       program_.nodes) {  // cheap ones first: what they leave is all that the masked ones look at
    std::stable_partition(node.children.begin(), node.children.end(),
                          [this](Literal child) { return !program_.nodes[child.node].masked; });
  }
  return std::move(program_);
}

/// Conjunctions that were opened into larger ones are left over. Children stand before their parents.
void ProgramBuilder::drop_unused_nodes() {
  auto& nodes = program_.nodes;
  std::vector<bool> used(nodes.size());
  used[0] = true;
  for (const Literal line : program_.lines) used[line.node] = true;
  for (std::size_t n = nodes.size(); n-- > 0;) {
    if (!used[n]) continue;
    for (const Literal child : nodes[n].children) used[child.node] = true;
  }
  std::vector<std::uint32_t> index(nodes.size());
  std::vector<Node> kept;
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    if (!used[n]) continue;
    for (Literal& child : nodes[n].children) child.node = index[child.node];
    index[n] = static_cast<std::uint32_t>(kept.size());
    kept.push_back(std::move(nodes[n]));
  }
  for (Literal& line : program_.lines) line.node = index[line.node];
  nodes = std::move(kept);
}

Result<ProgramBuilder::Compiled> ProgramBuilder::compile(const Expression& expression) {
  if (expression.operands.empty() && ++comparison_count_ > kComparisonsMax) {
    return fail(ErrorCode::kInvalid, "the menu has more than {} comparisons", kComparisonsMax);
  }
  switch (expression.kind) {
    case Expression::Kind::kAny:
      return Compiled{{}, "true"};
    case Expression::Kind::kClass: {
      Node node;
      node.kind = Node::Kind::kClass;
      node.first = expression.first;
      const Literal literal = intern(std::move(node));
      return Compiled{literal, fmt::format("class == {}", space_.classes[expression.first])};
    }
    case Expression::Kind::kScore:
      return compile_score(expression);
    case Expression::Kind::kScoreDifference:
      return compile_difference(expression);
    case Expression::Kind::kProbability:
      return compile_probability(expression);
    case Expression::Kind::kNot: {
      auto operand = compile(expression.operands[0]);
      if (!operand) return operand;
      return Compiled{{operand->literal.node, !operand->literal.negated},
                      fmt::format("not ({})", operand->text)};
    }
    case Expression::Kind::kAnd:
    case Expression::Kind::kOr:
      return compile_chain(expression);
  }
  KANTRIG_ASSERT(false);
  return Compiled{};
}

Result<ProgramBuilder::Compiled> ProgramBuilder::compile_chain(const Expression& expression) {
  const bool any_of = expression.kind == Expression::Kind::kOr;
  std::vector<Literal> operands;
  std::string text;
  for (const Expression& operand : expression.operands) {
    auto compiled = compile(operand);
    if (!compiled) return compiled;
    const bool is_chain = operand.kind == Expression::Kind::kAnd || operand.kind == Expression::Kind::kOr;
    if (!text.empty()) text += any_of ? " or " : " and ";
    text += is_chain ? "(" + compiled->text + ")" : compiled->text;
    operands.push_back({compiled->literal.node, compiled->literal.negated != any_of});
  }
  const Literal all = conjunction(std::move(operands));
  return Compiled{{all.node, all.negated != any_of}, std::move(text)};
}

Result<ProgramBuilder::Compiled> ProgramBuilder::compile_score(const Expression& expression) {
  if (auto checked = check_scale(expression.first); !checked) return tl::unexpected(checked.error());
  const ScoreRange& range = space_.scores[expression.first];
  Node node;
  node.kind = Node::Kind::kScore;
  node.first = expression.first;
  const Bound bound = bound_of(expression);
  node.threshold =
      least(range.low, range.high, [&](std::int32_t y) { return bound.reached_by(y * range.scale); });
  return threshold(expression.comparison, std::move(node), range.low, range.high, name_of(expression.first));
}

Result<ProgramBuilder::Compiled> ProgramBuilder::compile_difference(const Expression& expression) {
  if (auto checked = check_scale(expression.first); !checked) return tl::unexpected(checked.error());
  if (auto checked = check_scale(expression.second); !checked) return tl::unexpected(checked.error());
  const ScoreRange& first = space_.scores[expression.first];
  const ScoreRange& second = space_.scores[expression.second];
  if (first.scale != second.scale) return compile_difference_table(expression);
  const std::int32_t low = first.low - second.high;
  const std::int32_t high = first.high - second.low;
  Node node;
  node.kind = Node::Kind::kDifference;
  node.first = expression.first;
  node.second = expression.second;
  const Bound bound = bound_of(expression);
  node.threshold = least(low, high, [&](std::int32_t d) { return bound.reached_by(d * first.scale); });
  return threshold(expression.comparison, std::move(node), low, high,
                   fmt::format("{} - {}", name_of(expression.first), name_of(expression.second)));
}

Result<ProgramBuilder::Compiled> ProgramBuilder::compile_difference_table(const Expression& expression) {
  const ScoreRange& first = space_.scores[expression.first];
  const ScoreRange& second = space_.scores[expression.second];
  const Bound bound = bound_of(expression);
  DifferenceTable table;
  table.low = second.low;
  for (std::int32_t y = second.low; y <= second.high; ++y) {
    table.least.push_back(least(first.low, first.high, [&](std::int32_t x) {
      return bound.reached_by(x * first.scale - y * second.scale);
    }));
  }
  auto& tables = program_.difference_tables;
  auto found = std::find(tables.begin(), tables.end(), table);
  if (found == tables.end()) {
    if (auto room = reserve_table_bytes(table.least.size() * sizeof(std::int32_t)); !room) {
      return tl::unexpected(room.error());
    }
    found = tables.insert(tables.end(), std::move(table));
  }
  Node node;
  node.kind = Node::Kind::kDifferenceTable;
  node.first = expression.first;
  node.second = expression.second;
  node.table = static_cast<std::uint32_t>(found - tables.begin());
  const Literal literal = intern(std::move(node));
  return Compiled{{literal.node, bound.opposite},
                  fmt::format("{} {} table of {} thresholds over {}", name_of(expression.first),
                              bound.opposite ? "<" : ">=", found->least.size(), name_of(expression.second))};
}

ProgramBuilder::Compiled ProgramBuilder::threshold(Comparison comparison, Node node, std::int32_t low,
                                                   std::int32_t high, const std::string& quantity) {
  const bool opposite = is_opposite(comparison);
  const std::int32_t value = node.threshold;
  if (value <= low)
    return Compiled{{0, opposite}, fmt::format("{} ({} is at least {})", !opposite, quantity, low)};
  if (value > high)
    return Compiled{{0, !opposite}, fmt::format("{} ({} is at most {})", opposite, quantity, high)};
  if (node.kind == Node::Kind::kDifference && std::abs(value) > kCompared16Max)
    node.kind = Node::Kind::kWideDifference;
  const Literal literal = intern(std::move(node));
  return Compiled{{literal.node, opposite}, fmt::format("{} {} {}", quantity, opposite ? "<" : ">=", value)};
}

Literal ProgramBuilder::intern(Node node) {
  auto& nodes = program_.nodes;
  const auto found = std::find(nodes.begin(), nodes.end(), node);
  if (found != nodes.end()) return Literal{static_cast<std::uint32_t>(found - nodes.begin()), false};
  nodes.push_back(std::move(node));
  return Literal{static_cast<std::uint32_t>(nodes.size() - 1), false};
}

/// All of `operands`: nested conjunctions opened, duplicates and constants gone, in one order.
Literal ProgramBuilder::conjunction(std::vector<Literal> operands) {
  std::vector<Literal> all;
  for (const Literal operand : operands) {
    const Node& node = program_.nodes[operand.node];
    if (node.kind == Node::Kind::kAnd && !operand.negated) {
      all.insert(all.end(), node.children.begin(), node.children.end());
    } else {
      all.push_back(operand);
    }
  }
  std::sort(all.begin(), all.end(),
            [](Literal a, Literal b) { return a.node != b.node ? a.node < b.node : a.negated < b.negated; });
  all.erase(std::unique(all.begin(), all.end()), all.end());
  if (!all.empty() && all.front() == Literal{}) all.erase(all.begin());
  if (all.empty()) return Literal{};
  if (all.front() == Literal{0, true}) return Literal{0, true};
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (all[i].node == all[i - 1].node) return Literal{0, true};  // a and not a
  }
  if (all.size() == 1) return all.front();
  Node node;
  node.kind = Node::Kind::kAnd;
  node.children = std::move(all);
  return intern(std::move(node));
}

Result<void> ProgramBuilder::reserve_table_bytes(std::size_t bytes) {
  table_bytes_ += bytes;
  if (table_bytes_ <= kTableBytesMax) return {};
  return fail(ErrorCode::kInvalid,
              "the tables of this menu need more than {} bytes: use fewer different comparisons",
              kTableBytesMax);
}

Result<void> ProgramBuilder::check_scale(std::uint32_t output) const {
  const double scale = space_.scores[output].scale;
  if (std::isfinite(scale) && scale > 0.0) return {};
  return fail(ErrorCode::kUnsupported, "the score {} has the scale {}, expected one above 0", name_of(output),
              scale);
}

std::string ProgramBuilder::name_of(std::uint32_t output) const {
  if (space_.scores.size() == 1) return "y";
  return fmt::format("y_{}", space_.classes[output]);
}

}  // namespace kantrig::menu
