// tabulate(): the integer KAN of a quantised LearnedKan.
#pragma once

#include "base/result.hpp"
#include "compiler/learned/learned_kan.hpp"
#include "kan/model.hpp"

namespace kantrig::learned {

/// Where the bias of a node ends, in units of its sum.
inline constexpr double kBiasMax = 0x1.0p22;

/// What the table entries of a node's edges may be.
struct EntryBounds {
  double low = 0.0;
  double high = 0.0;
};
[[nodiscard]] EntryBounds entry_bounds(const Layer& layer, std::uint32_t node) noexcept;

/// The input stage of the integer model for one input. Precondition: input.bits > 0.
[[nodiscard]] kan::InputFeature integer_input(const Input& input) noexcept;

/// The integer a real value becomes in a table of node `node`: nearest, ties to even, in multiples of
/// 2^dropped, clamped.
[[nodiscard]] std::int32_t entry_of(const Layer& layer, std::uint32_t input, std::uint32_t node,
                                    double value) noexcept;

/// Every active edge at every code of its input; pruned and constant edges have no table, the latter's value
/// goes into the bias. Fails with the name of what is not quantised, or with the bound of kan::check() that
/// is broken.
[[nodiscard]] Result<kan::Model> tabulate(const LearnedKan& kan);

}  // namespace kantrig::learned
