// Pruning: which edges of a quantised KAN tell little, and taking them out.
#pragma once

#include <span>
#include <vector>

#include "compiler/learned/learned_kan.hpp"
#include "compiler/train/engine.hpp"
#include "compiler/train/specification.hpp"

namespace kantrig::train {

/// How often each code enters each input of each layer, as parts of 1: [layer][input][code].
using Occupancy = std::vector<std::vector<std::vector<double>>>;

/// Over at most kOccupancyRows of `rows`, evenly spread. Precondition: kan.quantized().
inline constexpr std::size_t kOccupancyRows = 16'384;
[[nodiscard]] Occupancy count_codes(const learned::LearnedKan& kan, const Samples& samples,
                                    std::span<const std::uint32_t> rows);

/// Mean and r.m.s. deviation of an edge's table entries under the codes that occur, in codes of the output.
struct Spread {
  double mean = 0.0;
  double deviation = 0.0;
};
[[nodiscard]] Spread spread_of(const learned::LearnedKan& kan, std::size_t layer, std::uint32_t input,
                               std::uint32_t node, std::span<const double> occupancy);

/// Takes an edge out for good; its mean goes into the node's bias.
void prune_edge(learned::LearnedKan& kan, std::size_t layer, std::uint32_t input, std::uint32_t node,
                std::span<const double> occupancy);

/// Takes out edges below `threshold` by `rule`, front to back, then what feeds nodes that nothing reads. True
/// when any went.
bool prune(learned::LearnedKan& kan, const Occupancy& occupancy, PruningRule rule, double threshold);

/// Takes out edges into nodes that no later layer reads. True when any went.
bool prune_unread(learned::LearnedKan& kan);

}  // namespace kantrig::train
