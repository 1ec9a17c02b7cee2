#include "compiler/hardware/node_builder.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <random>
#include <set>

#include <fmt/core.h>

#include "base/assert.hpp"
#include "compiler/hardware/adder_tree.hpp"
#include "compiler/hardware/lut_builder.hpp"
#include "compiler/hardware/requantise.hpp"

namespace kantrig::compiler {
namespace {

constexpr int kChanges = 3;
constexpr int kLooseConstantBits = 4;
constexpr double kUnfinished =
    1e6;  // cost of a plan whose sum is not finished: the more words left, the more
constexpr std::size_t kFoldedInputs = 5;
constexpr std::uint32_t kFoldedBitsMin = 3;

bool foldable(const RealisedWord& word) {
  std::set<Net> variables;
  for (const TruthTable& bit : word.bits) variables.insert(bit.variables.begin(), bit.variables.end());
  return variables.size() <= kFoldedInputs && word.bits.size() >= kFoldedBitsMin;
}

/// A word of a chosen realisation on its way into the adders.
struct Part {
  const RealisedWord* table = nullptr;
  std::size_t term = 0;
  bool folded = false;
  std::size_t addend = 0;  // of a folded part: the part it is added to
  bool taken = false;      // it is such an addend
};

/// Marks `count` parts as folded, the widest first, each beside the widest free part that is no wider.
bool choose_folds(std::vector<Part>& parts, std::uint32_t count) {
  std::vector<std::size_t> order(parts.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, std::ranges::greater{},
                           [&](std::size_t i) { return parts[i].table->bits.size(); });
  for (const std::size_t i : order) {
    if (count == 0) return true;
    if (parts[i].taken || parts[i].folded || !foldable(*parts[i].table)) continue;
    std::size_t best = parts.size();
    for (const std::size_t j : order) {
      if (j == i || parts[j].taken || parts[j].folded || parts[j].table->bits.size() < kFoldedBitsMin)
        continue;
      const bool fits = parts[j].table->bits.size() <= parts[i].table->bits.size();
      // A part that could be folded itself is kept for that where another will do.
      if (best == parts.size() || (fits && foldable(*parts[best].table) && !foldable(*parts[j].table)))
        best = j;
    }
    if (best == parts.size()) return false;
    parts[i].folded = true;
    parts[i].addend = best;
    parts[best].taken = true;
    --count;
  }
  return count == 0;
}

}  // namespace

/// A plan's words, with as much of the node's constant in the tables as fits without one bit more.
struct NodeBuilder::Chosen {
  std::vector<const Realisation*> terms;
  std::vector<Part> parts;
  SumNode end;  // what comes after the sum: no terms, and the tables' offsets out of the constant
  std::uint64_t sum_max = 0;
  std::uint64_t constant_left = 0;
  bool folds_made = false;
};

/// A plan carried out in a netlist of its own, with opaque nets in place of table LUTs.
struct NodeBuilder::Trial {
  bool fits = false;
  double cost = std::numeric_limits<double>::infinity();
};

NodeBuilder::NodeBuilder(const SumNode& node, const std::vector<std::vector<Net>>& inputs, LayerStages stages,
                         BuildGoal goal)
    : node_(node), inputs_(inputs), stages_(stages), goal_(goal) {
  for (const Lookup& term : node.terms) {
    auto candidates = realisations(term, term_nets(term));
    if (!goal.split_tables) candidates.assign(1, realise(term, term_nets(term), {}, 0));
    candidates_.push_back(std::move(candidates));
    std::int32_t largest = 0;
    for (std::size_t i = 0; i < term.entries.size(); ++i) {
      if (term.reachable[i]) largest = std::max(largest, term.entries[i]);
    }
    terms_max_ += static_cast<std::uint64_t>(largest);
  }
}

std::vector<Net> NodeBuilder::term_nets(const Lookup& term) const {
  std::vector<Net> nets;
  for (const std::uint32_t input : term.inputs)
    nets.insert(nets.end(), inputs_[input].begin(), inputs_[input].end());
  return nets;
}

namespace {

/// Single bits find places in adders; more of them are a word.
void add_constant(AdderTree& tree, std::uint64_t constant) {
  SumWord word;
  word.max = constant;
  for (std::uint32_t i = 0; constant >> i != 0; ++i) {
    const bool one = ((constant >> i) & 1U) != 0;
    if (one && std::popcount(constant) <= kLooseConstantBits) {
      tree.add({.column = i, .nets = {kNetOne}, .max = std::uint64_t{1} << i});
    }
    word.nets.push_back(one ? kNetOne : kNetZero);
  }
  if (std::popcount(constant) > kLooseConstantBits) tree.add(std::move(word));
}

SumWord word_of(const Part& part, LayerStages stages, std::vector<Net> nets) {
  const bool wide =
      std::ranges::any_of(part.table->bits, [](const TruthTable& bit) { return bit.variable_count() > 6; });
  return {.column = part.table->column,
          .nets = std::move(nets),
          .max = part.table->max,
          .levels = stages.input_levels + (wide ? 2U : 1U)};
}

/// Adds all parts, folds and pairs where wanted, and runs the tree. The sum, when one word is left.
struct Sum {
  bool complete = false;
  SumWord word;
  std::size_t words = 1;  // that are left
};
template <typename MakeNets>
Sum add_up(Netlist& netlist, LayerStages stages, std::uint32_t levels_max, const std::vector<Part>& parts,
           std::uint64_t sum_max, std::uint64_t constant, const std::string& name,
           const MakeNets& make_nets) {
  AdderTree tree(netlist, sum_max, levels_max, name);
  // Corrections of one bit first: a fold takes one of them as its carry input.
  for (const Part& part : parts) {
    if (part.folded || part.taken) continue;
    tree.add(word_of(part, stages, make_nets(part)));
  }
  add_constant(tree, constant);
  for (const Part& part : parts) {
    if (!part.folded) continue;
    const Part& addend = parts[part.addend];
    const std::size_t before = tree.words().size();
    tree.add(word_of(addend, stages, make_nets(addend)));
    if (tree.words().size() == before || !tree.chainable(tree.words().back())) return {};
    tree.fold(stages.lookup, before, *part.table);
  }
  std::uint32_t height_max = 1;
  for (std::uint32_t s = 0; s < stages.add_stages; ++s) height_max *= 3;
  tree.pair_up(stages.lookup, height_max);
  for (std::uint32_t s = 0; s < stages.add_stages && tree.words().size() > 1; ++s) {
    tree.compress(stages.lookup + 1 + s, stages.add_stages - s);
  }
  if (tree.words().size() > 1 && tree.height() <= 2) tree.finish_pair(stages.requantise());
  if (tree.words().size() > 1 && tree.height() == 1) {  // words that do not overlap are one already
    SumWord joined;
    for (const SumWord& word : tree.words()) {
      joined.nets.resize(std::max<std::size_t>(joined.nets.size(), word.end()), kNetZero);
      std::ranges::copy(word.nets, joined.nets.begin() + word.column);
      joined.max += word.max;
    }
    return {true, joined};
  }
  if (tree.words().empty()) return {true, SumWord{}};
  return {tree.words().size() == 1, tree.words()[0], tree.words().size()};
}

/// A net in place of the LUTs of `bit`, made when those would be.
Net opaque_net(Netlist& scratch, const TruthTable& bit, std::uint32_t stage) {
  if (bit.variables.empty()) return bit.value[0] == Trit::kOne ? kNetOne : kNetZero;
  if (half_luts(bit) == 0) return bit.variables[0];
  return scratch.add_input("table", 1, {.stage = stage, .level = 1})[0];
}

std::uint32_t ready_stage(const Netlist& netlist, const SumWord& sum) {
  std::uint32_t stage = 0;
  for (const Net net : sum.nets) {
    if (net > kNetOne) stage = std::max(stage, netlist.timing(net).stage);
  }
  return stage;
}

}  // namespace

const Realisation& NodeBuilder::realised(std::size_t term, std::size_t choice, std::int32_t added) const {
  const Realisation& bare = candidates_[term][choice];
  if (added == 0) return bare;
  const auto [found, fresh] = realised_.try_emplace({term, choice, added});
  if (fresh) {
    found->second =
        realise(node_.terms[term], term_nets(node_.terms[term]), {bare.split, bare.offset}, added);
    // What wide functions share is found out for the bare table alone where that takes long.
    const std::vector<Net> nets = term_nets(node_.terms[term]);
    if (nets.size() == 7) found->second.half_luts = made_half_luts(found->second, nets);
    if (nets.size() > 7) found->second.half_luts = bare.half_luts;
  }
  return found->second;
}

NodeBuilder::Chosen NodeBuilder::choose(const NodePlan& plan) const {
  Chosen chosen;
  chosen.end.constant = node_.constant;
  chosen.end.shift = node_.shift;
  chosen.end.low = node_.low;
  chosen.end.high = node_.high;
  chosen.end.score_bits = node_.score_bits;
  chosen.sum_max = terms_max_;
  for (std::size_t t = 0; t < plan.choices.size(); ++t) {
    const std::int32_t offset = candidates_[t][plan.choices[t]].offset;
    chosen.end.constant -= offset;
    chosen.sum_max += static_cast<std::uint64_t>(offset);
  }
  chosen.constant_left = plan_constant(chosen.end).added;
  chosen.sum_max += chosen.constant_left;
  std::vector<std::int32_t> added(plan.choices.size(), 0);
  for (std::size_t t = 0; t < plan.choices.size(); ++t) {
    const Realisation& bare = candidates_[t][plan.choices[t]];
    const auto room = static_cast<std::uint64_t>(std::max(bare.slack, 0));
    added[t] = static_cast<std::int32_t>(std::min(chosen.constant_left, room)) / bare.step * bare.step;
    chosen.constant_left -= static_cast<std::uint64_t>(added[t]);
  }
  if (plan.constant_term) {
    const std::int32_t step = candidates_[*plan.constant_term][plan.choices[*plan.constant_term]].step;
    const std::int32_t rest = static_cast<std::int32_t>(chosen.constant_left) / step * step;
    added[*plan.constant_term] += rest;
    chosen.constant_left -= static_cast<std::uint64_t>(rest);
  }
  for (std::size_t t = 0; t < plan.choices.size(); ++t) {
    chosen.terms.push_back(&realised(t, plan.choices[t], added[t]));
    for (const RealisedWord& word : chosen.terms.back()->words) {
      chosen.parts.push_back({.table = &word, .term = t});
    }
  }
  chosen.folds_made = choose_folds(chosen.parts, plan.folds);
  return chosen;
}

NodeBuilder::Trial NodeBuilder::try_plan(const NodePlan& plan) const {
  Chosen chosen = choose(plan);
  if (!chosen.folds_made) return {};
  Netlist scratch;
  for (const std::vector<Net>& input : inputs_) {
    (void)scratch.add_input("code", static_cast<std::uint32_t>(input.size()), {.stage = stages_.lookup});
  }
  const auto make_nets = [&](const Part& part) {
    std::vector<Net> nets;
    for (const TruthTable& bit : part.table->bits) nets.push_back(opaque_net(scratch, bit, stages_.lookup));
    return nets;
  };
  const Sum sum = add_up(scratch, stages_, goal_.levels_max, chosen.parts, chosen.sum_max,
                         chosen.constant_left, "sum", make_nets);
  if (!sum.complete) return {false, kUnfinished + static_cast<double>(sum.words)};
  scratch.set_outputs(
      requantise(scratch, requantise_stages(scratch, chosen, sum.word), chosen.end, sum.word, "code"),
      stages_.output());
  std::uint32_t halves = 0;
  for (const Realisation* realisation : chosen.terms) halves += realisation->half_luts;
  for (const Part& part : chosen.parts) {
    if (!part.folded) continue;
    for (const TruthTable& bit : part.table->bits) halves -= half_luts(bit);
  }
  for (const Cell& cell : scratch.cells()) halves += half_luts(cell);
  return {true, 0.5 * halves + goal_.register_weight * scratch.register_count()};
}

bool NodeBuilder::fits(const NodePlan& plan) const {
  return try_plan(plan).fits;
}

RequantiseStages NodeBuilder::requantise_stages(const Netlist& netlist, const Chosen& chosen,
                                                const SumWord& sum) const {
  const std::uint32_t first = std::min(ready_stage(netlist, sum) + 1, stages_.requantise());
  const bool separate = stages_.compare_stage && needs_comparison(chosen.end, sum.max);
  return {.compare = first, .clamp = separate ? first + 1 : first};
}

void NodeBuilder::descend(Search& search) const {
  const auto consider = [&](const NodePlan& plan) {
    if (search.trials == 0) return false;
    --search.trials;
    const double cost = try_plan(plan).cost;
    if (cost >= search.cost) return false;
    search.best = plan;
    search.cost = cost;
    return true;
  };
  const auto try_folds = [&] {
    bool better = false;
    const auto most = goal_.fold_tables ? static_cast<std::uint32_t>(node_.terms.size() / 2) : 0U;
    for (std::uint32_t folds = 0; folds <= most; ++folds) {
      better = consider({search.best.choices, folds, std::nullopt}) || better;
      for (std::size_t t = 0; t < node_.terms.size(); ++t) {
        better = consider({search.best.choices, folds, t}) || better;
      }
    }
    return better;
  };
  for (bool better = try_folds(); better;) {
    better = false;
    for (std::size_t t = 0; t < candidates_.size(); ++t) {
      for (std::size_t c = 0; c < candidates_[t].size(); ++c) {
        NodePlan plan = search.best;
        plan.choices[t] = c;
        better = consider(plan) || better;
        if (goal_.fold_tables)
          better = consider({plan.choices, plan.folds + 1, plan.constant_term}) || better;
      }
    }
    better = try_folds() || better;
  }
}

NodePlan NodeBuilder::search() const {
  Search best{{std::vector<std::size_t>(node_.terms.size(), 0), 0, std::nullopt},
              std::numeric_limits<double>::infinity(),
              goal_.trials_max};
  descend(best);
  // A descent ends where no single change helps; from a few changes off, another may end lower.
  std::mt19937 random(1);
  while (best.trials > 0 && !candidates_.empty()) {
    Search next{best.best, std::numeric_limits<double>::infinity(), best.trials};
    for (int change = 0; change < kChanges; ++change) {
      const std::size_t t = random() % candidates_.size();
      next.best.choices[t] = random() % candidates_[t].size();
    }
    descend(next);
    best.trials = next.trials;
    if (next.cost < best.cost) best = next;
  }
  return best.best;
}

std::vector<Net> NodeBuilder::build(Netlist& netlist, const NodePlan& plan, const std::string& prefix) const {
  Chosen chosen = choose(plan);
  KANTRIG_ASSERT(chosen.folds_made);
  LutBuilder builder(netlist, stages_.lookup);
  const auto make_nets = [&](const Part& part) {
    const Net first = term_nets(node_.terms[part.term])[0];
    const std::string input = netlist.word(netlist.name(first).word).substr(kInputPrefix.size());
    const bool fine = part.table != chosen.terms[part.term]->words.data();
    return builder.build_word(part.table->bits, fmt::format("{}_{}{}", prefix, input, fine ? "_fine" : ""));
  };
  const Sum sum = add_up(netlist, stages_, goal_.levels_max, chosen.parts, chosen.sum_max,
                         chosen.constant_left, prefix + "_sum", make_nets);
  KANTRIG_ASSERT(sum.complete);
  return requantise(netlist, requantise_stages(netlist, chosen, sum.word), chosen.end, sum.word,
                    prefix + (node_.score_bits > 0 ? "_score" : "_code"));
}

}  // namespace kantrig::compiler
