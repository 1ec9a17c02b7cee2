#include "compiler/hardware/lut_builder.hpp"

#include <algorithm>
#include <bit>
#include <optional>

#include "base/assert.hpp"

namespace kantrig::compiler {
namespace {

constexpr std::uint32_t kLutInputs = 6;
constexpr std::uint32_t kSharedInputs = 5;   // of two functions in one LUT
constexpr std::uint32_t kFreeMax = 3;        // variables beside the classes; more never paid
constexpr std::uint32_t kDecomposedMax = 8;  // variables; beyond, only multiplexers

std::uint32_t half_luts_of(std::uint32_t variables) {
  return variables <= kSharedInputs ? 1 : 2;
}

std::uint32_t class_bits(const Decomposition& classes) {
  return static_cast<std::uint32_t>(std::bit_width(classes.class_count - 1));
}

/// F(h(bound), rest) for all of several functions at once.
struct Shared {
  std::uint32_t bound = 0;
  Decomposition classes;
  std::uint32_t half_luts = 0;
};

std::vector<Net> select(std::span<const Net> variables, std::uint32_t mask) {
  std::vector<Net> result;
  for (std::size_t v = 0; v < variables.size(); ++v) {
    if (((mask >> v) & 1U) != 0) result.push_back(variables[v]);
  }
  return result;
}

/// `table` over exactly `variables`, which hold its own.
TruthTable over(const TruthTable& table, const std::vector<Net>& variables) {
  std::vector<std::size_t> position;
  for (const Net net : table.variables) {
    position.push_back(static_cast<std::size_t>(std::ranges::find(variables, net) - variables.begin()));
  }
  TruthTable result{variables, std::vector<Trit>(std::size_t{1} << variables.size())};
  for (std::size_t i = 0; i < result.value.size(); ++i) {
    std::size_t index = 0;
    for (std::size_t v = 0; v < position.size(); ++v) index |= ((i >> position[v]) & 1U) << v;
    result.value[i] = table.value[index];
  }
  return result;
}

std::vector<Net> all_variables(std::span<const TruthTable> tables) {
  std::vector<Net> nets;
  for (const TruthTable& table : tables)
    nets.insert(nets.end(), table.variables.begin(), table.variables.end());
  std::ranges::sort(nets);
  nets.erase(std::ranges::unique(nets).begin(), nets.end());
  return nets;
}

/// The cheapest way over all bound sets, when it beats `half_luts_max`.
std::optional<Shared> best_shared(std::span<const TruthTable> tables, std::uint32_t half_luts_max) {
  const std::uint32_t count = tables.front().variable_count();
  if (count > kDecomposedMax) return std::nullopt;
  std::optional<Shared> best;
  for (std::uint32_t bound = 1; bound < (1U << count); ++bound) {
    const auto size = static_cast<std::uint32_t>(std::popcount(bound));
    if (size > kLutInputs || count - size > kFreeMax) continue;
    const std::uint32_t bits_max = std::min(kLutInputs - (count - size), size - 1);
    auto classes = decompose(tables, bound, 1U << bits_max);
    if (!classes) continue;
    const std::uint32_t bits = class_bits(*classes);
    const std::uint32_t inputs = bits + count - size;
    const std::uint32_t cost =
        bits * half_luts_of(size) + static_cast<std::uint32_t>(tables.size()) * half_luts_of(inputs);
    if (cost >= half_luts_max) continue;
    half_luts_max = cost;
    best = Shared{bound, std::move(*classes), cost};
  }
  return best;
}

/// `table` over the class nets (lowest) and the variables that are not bound.
TruthTable over_classes(const TruthTable& table, const Shared& shared, std::span<const Net> class_nets) {
  const std::uint32_t count = table.variable_count();
  const std::uint32_t rest = ((1U << count) - 1) & ~shared.bound;
  TruthTable result{{class_nets.begin(), class_nets.end()}, {}};
  const std::vector<Net> rest_nets = select(table.variables, rest);
  result.variables.insert(result.variables.end(), rest_nets.begin(), rest_nets.end());
  result.value.assign(std::size_t{1} << result.variables.size(), Trit::kAny);
  const auto gather = [](std::size_t index, std::uint32_t mask) {
    std::size_t packed = 0;
    for (std::uint32_t v = 0, at = 0; mask >> v != 0; ++v) {
      if (((mask >> v) & 1U) != 0) packed |= ((index >> v) & 1U) << at++;
    }
    return packed;
  };
  for (std::size_t i = 0; i < table.value.size(); ++i) {
    const std::size_t number = shared.classes.class_of[gather(i, shared.bound)];
    const Trit value = table.value[i] == Trit::kOne ? Trit::kOne : Trit::kZero;
    result.value[number | (gather(i, rest) << class_nets.size())] = value;
  }
  return result;
}

}  // namespace

std::uint32_t half_luts(const TruthTable& reduced) {
  const std::uint32_t count = reduced.variable_count();
  if (count == 0) return 0;
  if (count == 1) return reduced.value[0] == Trit::kOne ? 1 : 0;
  if (count <= kLutInputs) return half_luts_of(count);
  return 2U << (count - kLutInputs);
}

Net LutBuilder::build(const TruthTable& table, const std::string& word) {
  return build_reduced(without_redundant_variables(table), word);
}

Net LutBuilder::build_reduced(const TruthTable& table, const std::string& word) {
  if (table.variable_count() == 0) return table.value[0] == Trit::kOne ? kNetOne : kNetZero;
  if (table.variable_count() == 1 && table.value[1] == Trit::kOne && table.value[0] != Trit::kOne)
    return table.variables[0];
  return table.variable_count() <= kLutInputs ? build_small(table, word) : build_split(table, word);
}

Net LutBuilder::build_small(const TruthTable& table, const std::string& word) {
  std::vector<Net> sorted = table.variables;
  std::ranges::sort(sorted);
  const TruthTable ordered = over(table, sorted);
  return netlist_.add_lut(stage_, sorted, lut_init(ordered), word);
}

std::vector<Net> LutBuilder::build_classes(const Decomposition& classes, std::span<const Net> bound_nets,
                                           const std::string& word) {
  std::vector<Net> nets;
  for (std::uint32_t bit = 0; bit < class_bits(classes); ++bit) {
    TruthTable table{{bound_nets.begin(), bound_nets.end()}, {}};
    for (const std::uint32_t number : classes.class_of) {
      table.value.push_back(((number >> bit) & 1U) != 0 ? Trit::kOne : Trit::kZero);
    }
    nets.push_back(build(table, word + "_class"));
  }
  return nets;
}

Net LutBuilder::build_split(const TruthTable& table, const std::string& word) {
  const std::vector<TruthTable> alone{table};
  if (const auto shared = best_shared(alone, half_luts(table))) {
    const auto class_nets = build_classes(shared->classes, select(table.variables, shared->bound), word);
    return build(over_classes(table, *shared, class_nets), word);
  }
  const Cofactors halves = cofactors(table, table.variable_count() - 1);
  const TruthTable low = without_redundant_variables(halves.low);
  const TruthTable high = without_redundant_variables(halves.high);
  const Net select_net = table.variables.back();
  const std::uint32_t size = table.variable_count() - 1;
  const bool whole = low.variable_count() == size && high.variable_count() == size;
  const Net low_net = build_reduced(low, word + "_low");
  const Net high_net = build_reduced(high, word + "_high");
  // A wide multiplexer stands behind two LUTs (7 variables) or behind two of its kind (8).
  if (whole && size <= kLutInputs + 1 && low_net != high_net) {
    return netlist_.add_mux(stage_, low_net, high_net, select_net, word);
  }
  TruthTable joined{{select_net}, {}};
  const auto is_constant = [](Net net) { return net <= kNetOne; };
  if (!is_constant(low_net)) joined.variables.push_back(low_net);
  if (!is_constant(high_net) && high_net != low_net) joined.variables.push_back(high_net);
  for (std::size_t i = 0; i < (std::size_t{1} << joined.variables.size()); ++i) {
    const Net chosen = (i & 1U) != 0 ? high_net : low_net;
    bool value = chosen == kNetOne;
    for (std::size_t v = 1; v < joined.variables.size(); ++v) {
      if (joined.variables[v] == chosen) value = ((i >> v) & 1U) != 0;
    }
    joined.value.push_back(value ? Trit::kOne : Trit::kZero);
  }
  return build(joined, word);
}

std::vector<Net> LutBuilder::build_word(std::span<const TruthTable> tables, const std::string& word) {
  std::vector<TruthTable> reduced;
  for (const TruthTable& table : tables) reduced.push_back(without_redundant_variables(table));
  std::vector<TruthTable> large;
  std::uint32_t alone = 0;
  for (const TruthTable& table : reduced) {
    if (table.variable_count() <= kLutInputs) continue;
    large.push_back(table);
    const auto own = best_shared(std::span(&table, 1), half_luts(table));
    alone += own ? own->half_luts : half_luts(table);
  }
  std::optional<Shared> shared;
  if (large.size() > 1) {
    const std::vector<Net> variables = all_variables(large);
    for (TruthTable& table : large) table = over(table, variables);
    shared = best_shared(large, alone);
  }
  std::vector<Net> class_nets;
  if (shared) {
    class_nets = build_classes(shared->classes, select(large.front().variables, shared->bound), word);
  }
  std::vector<Net> nets;
  std::size_t next_large = 0;
  for (const TruthTable& table : reduced) {
    if (shared && table.variable_count() > kLutInputs) {
      nets.push_back(build(over_classes(large[next_large++], *shared, class_nets), word));
    } else {
      nets.push_back(build_reduced(table, word));
    }
  }
  return nets;
}

}  // namespace kantrig::compiler
