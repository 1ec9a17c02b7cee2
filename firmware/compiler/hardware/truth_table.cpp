#include "compiler/hardware/truth_table.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/assert.hpp"

namespace kantrig::compiler {
namespace {

/// `index` with a bit put in at `position`.
std::size_t with_bit(std::size_t index, std::uint32_t position, std::size_t bit) {
  const std::size_t low = index & ((std::size_t{1} << position) - 1);
  return ((index >> position) << (position + 1)) | (bit << position) | low;
}

/// Bits of `index` moved to where `mask` has ones.
std::size_t spread(std::size_t index, std::uint32_t mask) {
  std::size_t result = 0;
  for (std::uint32_t position = 0; mask != 0; ++position, mask >>= 1U) {
    if ((mask & 1U) == 0) continue;
    result |= (index & 1U) << position;
    index >>= 1U;
  }
  return result;
}

bool agree(const TruthTable& low, const TruthTable& high) {
  for (std::size_t i = 0; i < low.value.size(); ++i) {
    if (low.value[i] != Trit::kAny && high.value[i] != Trit::kAny && low.value[i] != high.value[i])
      return false;
  }
  return true;
}

}  // namespace

Cofactors cofactors(const TruthTable& table, std::uint32_t index) {
  Cofactors result;
  for (TruthTable* half : {&result.low, &result.high}) {
    half->variables = table.variables;
    half->variables.erase(half->variables.begin() + index);
    half->value.resize(table.value.size() / 2);
  }
  for (std::size_t i = 0; i < table.value.size() / 2; ++i) {
    result.low.value[i] = table.value[with_bit(i, index, 0)];
    result.high.value[i] = table.value[with_bit(i, index, 1)];
  }
  return result;
}

TruthTable without_redundant_variables(TruthTable table) {
  for (std::uint32_t v = table.variable_count(); v-- > 0;) {
    Cofactors halves = cofactors(table, v);
    if (!agree(halves.low, halves.high)) continue;
    for (std::size_t i = 0; i < halves.low.value.size(); ++i) {
      if (halves.low.value[i] == Trit::kAny) halves.low.value[i] = halves.high.value[i];
    }
    table = std::move(halves.low);
  }
  return table;
}

std::uint64_t lut_init(const TruthTable& table) {
  KANTRIG_ASSERT(table.variable_count() <= 6);
  std::uint64_t init = 0;
  for (std::size_t i = 0; i < 64; ++i) {
    if (table.value[i % table.value.size()] == Trit::kOne) init |= std::uint64_t{1} << i;
  }
  return init;
}

std::optional<Decomposition> decompose(std::span<const TruthTable> tables, std::uint32_t bound,
                                       std::uint32_t classes_max) {
  const std::uint32_t variables = tables.front().variable_count();
  const auto bound_count = static_cast<std::uint32_t>(std::popcount(bound));
  const std::uint32_t rest = ((1U << variables) - 1) & ~bound;
  KANTRIG_ASSERT(variables - bound_count <= 6);
  std::vector<std::size_t> rest_index(std::size_t{1} << (variables - bound_count));
  for (std::size_t r = 0; r < rest_index.size(); ++r) rest_index[r] = spread(r, rest);
  Decomposition result;
  std::vector<std::vector<std::uint64_t>> columns;  // of every class: one word a table
  std::vector<std::uint64_t> column(tables.size());
  for (std::size_t b = 0; b < (std::size_t{1} << bound_count); ++b) {
    const std::size_t base = spread(b, bound);
    for (std::size_t t = 0; t < tables.size(); ++t) {
      column[t] = 0;
      for (std::size_t r = 0; r < rest_index.size(); ++r) {
        if (tables[t].value[base | rest_index[r]] == Trit::kOne) column[t] |= std::uint64_t{1} << r;
      }
    }
    const auto found = std::ranges::find(columns, column);
    result.class_of.push_back(static_cast<std::uint32_t>(found - columns.begin()));
    if (found != columns.end()) continue;
    columns.push_back(column);
    if (columns.size() > classes_max) return std::nullopt;
  }
  result.class_count = static_cast<std::uint32_t>(columns.size());
  return result;
}

}  // namespace kantrig::compiler
