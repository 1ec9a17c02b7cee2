// TruthTable: one bit as a function of some code bits, with don't-cares. What a look-up table is made from.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace kantrig::compiler {

/// A net of a Netlist (netlist.hpp); here only a name for a variable.
using Net = std::uint32_t;
inline constexpr Net kNetZero = 0;
inline constexpr Net kNetOne = 1;

enum class Trit : std::uint8_t { kZero, kOne, kAny };

/// value[i] is the function where variable v has bit v of i. Variables are distinct nets, never constants.
struct TruthTable {
  std::vector<Net> variables;
  std::vector<Trit> value;  // 2^variables

  [[nodiscard]] std::uint32_t variable_count() const { return static_cast<std::uint32_t>(variables.size()); }
};

/// The two halves of `table` where variable `index` is 0 and 1; that variable is gone from both.
struct Cofactors {
  TruthTable low;
  TruthTable high;
};
[[nodiscard]] Cofactors cofactors(const TruthTable& table, std::uint32_t index);

/// The same function without the variables that it can do without, don't-cares chosen to that end.
[[nodiscard]] TruthTable without_redundant_variables(TruthTable table);

/// Up to 6 variables as the INIT of a LUT: bit i is value[i], don't-cares 0, repeated beyond the variables.
[[nodiscard]] std::uint64_t lut_init(const TruthTable& table);

/// Functions of the same variables can be computed as F(h(bound), rest), `bound` a subset of the variables as
/// a mask, with ceil(log2(count)) functions h, where count is how many different tuples of functions of the
/// rest there are (Ashenhurst 1957, Curtis 1962). Don't-cares count as 0.
struct Decomposition {
  std::uint32_t class_count = 0;
  std::vector<std::uint32_t> class_of;  // of every value of the bound variables
};
/// Nothing when there are more than `classes_max`. Precondition: at most 6 variables are not bound.
[[nodiscard]] std::optional<Decomposition> decompose(std::span<const TruthTable> tables, std::uint32_t bound,
                                                     std::uint32_t classes_max);

}  // namespace kantrig::compiler
