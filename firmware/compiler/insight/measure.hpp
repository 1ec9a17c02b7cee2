// What both kinds of models share on their way to a CurveModel.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "compiler/insight/curves.hpp"
#include "compiler/learned/random.hpp"

namespace kantrig::insight {

inline constexpr std::uint32_t kDrawnEvents = 4'096;  // where there are no events
inline constexpr std::uint64_t kDrawSeed = 1;

/// How many of `rows` events are looked at, the first of them, so that a model of so many edges takes
/// seconds.
[[nodiscard]] std::size_t events_looked_at(std::size_t rows, std::size_t edges, std::size_t work_max);

/// Counts to shares; uniform where all counts are 0.
[[nodiscard]] std::vector<double> shares_of(std::span<const double> counts);

/// An index drawn by shares.
[[nodiscard]] std::uint32_t draw_index(std::span<const double> shares, learned::Random& random);

/// Events whose features are uniform where the first layer is defined, in physical units.
[[nodiscard]] base::FeatureTable drawn_events(const learned::LearnedKan& kan, std::size_t rows);

/// Fills in deviations, strengths and importances, from the outputs, each as important as the others, back.
void weigh(CurveModel& model);

/// "output" for one, else the classes' names, or numbers where these are missing.
[[nodiscard]] std::vector<std::string> output_names(const std::vector<std::string>& classes,
                                                    std::size_t outputs);

}  // namespace kantrig::insight
