#include "compiler/hardware/truth_table.hpp"

#include <bit>
#include <map>
#include <string>
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

Decomposition decompose(const TruthTable& table, std::uint32_t bound) {
  const auto bound_count = static_cast<std::uint32_t>(std::popcount(bound));
  const std::uint32_t all = (1U << table.variable_count()) - 1;
  const std::uint32_t rest = all & ~bound;
  const std::size_t rest_values = std::size_t{1} << (table.variable_count() - bound_count);
  Decomposition result;
  std::map<std::string, std::uint32_t> classes;
  for (std::size_t b = 0; b < (std::size_t{1} << bound_count); ++b) {
    std::string column;
    const std::size_t base = spread(b, bound);
    for (std::size_t r = 0; r < rest_values; ++r) {
      column.push_back(table.value[base | spread(r, rest)] == Trit::kOne ? '1' : '0');
    }
    const auto next = static_cast<std::uint32_t>(classes.size());
    result.class_of.push_back(classes.try_emplace(std::move(column), next).first->second);
  }
  result.class_count = static_cast<std::uint32_t>(classes.size());
  return result;
}

}  // namespace kantrig::compiler
