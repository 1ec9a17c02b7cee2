// The passes over SumIr. Each is a pure function that keeps every output of every event that can occur.
#pragma once

#include <cstdint>

#include "compiler/hardware/sum_ir.hpp"

namespace kantrig::compiler {

/// Follows from the inputs forward which codes can occur at all. Entries that nothing asks for become
/// don't-cares.
[[nodiscard]] SumIr mark_reachable(const SumIr& ir);

/// Takes the least entry of every table out into its node's constant, so that tables start at 0, as narrow as
/// they can be; a table that is 0 everywhere goes.
[[nodiscard]] SumIr fold_constants(const SumIr& ir);

/// Widens or narrows the range that a node clamps to where its sum cannot get there anyway: a whole number of
/// bits makes clamping cheap, and a score of few values needs no wide sum.
[[nodiscard]] SumIr settle_ranges(const SumIr& ir);

/// Joins the tables of a node over small codes into tables of several inputs, of up to `bits_max` bits
/// together: edges of 1-bit inputs, above all.
[[nodiscard]] SumIr join_small_inputs(const SumIr& ir, std::uint32_t bits_max);

}  // namespace kantrig::compiler
