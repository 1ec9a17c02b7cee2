// Formulas for the edges of a checkpoint: which function each one is, how well, and a model made of them.
#pragma once

#include <cstdint>
#include <vector>

#include "base/feature_table.hpp"
#include "base/result.hpp"
#include "compiler/insight/curves.hpp"
#include "compiler/insight/formula_fit.hpp"
#include "compiler/learned/learned_kan.hpp"

namespace kantrig::insight {

struct SymbolicOptions {
  // Between quality and simplicity, as pykan: of the functions whose R2 reaches r2_least, the one of the
  // least weight x (complexity + 0.25 x fitted inner numbers) + (1 - weight) x log2(1 + 1e-5 - R2) is
  // proposed.
  double simplicity = 0.8;  // 0..1
  double r2_least = 0.99;   // where no function reaches it, the best is named and the edge stays what it is
  // Edges that functions are fitted to, the most important ones; the others stay what they are.
  std::uint32_t edges_max = 1'000;
  // An edge weaker than this part of its node becomes its mean: a constant.
  double constant_below = 0.02;
};

struct Candidate {
  learned::Formula formula;
  double r2 = 0.0;
  std::uint32_t complexity = 0;
  double cost = 0.0;  // by that rule
};

/// One active edge.
struct Proposal {
  std::size_t layer = 0;
  std::uint32_t input = 0;
  std::uint32_t node = 0;
  double strength = 0.0;
  bool constant = false;              // weaker than constant_below
  bool left_out = false;              // beyond edges_max
  bool was_formula = false;           // it had one before, and keeps it
  bool accepted = false;              // R2 reaches r2_least, or one of the two above
  std::vector<Candidate> candidates;  // the best first, at least one
};

/// One proposal for every active edge, by layer, node and input. `curves` are those of `kan`.
[[nodiscard]] std::vector<Proposal> propose(const learned::LearnedKan& kan, const CurveModel& curves,
                                            const SymbolicOptions& options);

/// `kan` with the accepted proposals in place of its edges.
[[nodiscard]] learned::LearnedKan with_formulas(const learned::LearnedKan& kan,
                                                const std::vector<Proposal>& proposals);

/// R2 of each output of `made` against that of `kan`, over the events.
[[nodiscard]] std::vector<double> agreement(const learned::LearnedKan& kan, const learned::LearnedKan& made,
                                            const base::FeatureTable& events);

}  // namespace kantrig::insight
