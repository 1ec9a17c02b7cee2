// Training for a number of LUTs: charging tables for what they take, and searching widths of codes and
// entries.
#pragma once

#include <cstdint>
#include <span>

#include "compiler/learned/learned_kan.hpp"
#include "compiler/train/dataset.hpp"
#include "compiler/train/loss.hpp"
#include "compiler/train/pruning.hpp"
#include "compiler/train/table_engine.hpp"
#include "compiler/train/thread_team.hpp"

namespace kantrig::train {

/// LUTs of the compiled model, by the compiler's estimate. Precondition: kan.quantized() and learned::check()
/// passed.
[[nodiscard]] double estimated_luts(const learned::LearnedKan& kan);

/// Adds to the gradients of table entries those of strength x sum over edges of LUTs a bit x log2(1 +
/// deviation), deviation the r.m.s. of the entries under the codes that occur, in codes of the output: what
/// an edge's bits cost, made smooth. Its slope is steepest at 0, so that small edges go to nothing.
void charge_tables(TableEngine& engine, const learned::LearnedKan& kan, const Occupancy& occupancy,
                   double strength);

/// What the search for widths looks at: a few events, with which any candidate is scored.
struct WidthSearch {
  const Dataset* data = nullptr;
  Loss loss;
  std::span<const std::uint32_t> rows;  // of samples
  ThresholdSharing thresholds = ThresholdSharing::kLayer;
  ThreadTeam* team = nullptr;
};

/// Makes widths smaller until the estimate lies within `luts`, at the least loss on `search.rows` for each
/// LUT: a feature's or a node's code by a bit, an edge's entries by a bit, or an edge gone. Codes in
/// `samples` follow the features' widths. True when anything changed.
bool narrow(learned::LearnedKan& kan, Samples& samples, const WidthSearch& search, double luts);

}  // namespace kantrig::train
