// TrainingState: all that a training is between two epochs, and its file, so that one that was stopped goes
// on as if it had not been.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "compiler/learned/learned_kan.hpp"
#include "compiler/learned/random.hpp"
#include "compiler/train/adamw.hpp"
#include "compiler/train/trainer.hpp"

namespace kantrig::train {

struct TrainingState {
  learned::LearnedKan kan;
  std::vector<double> parameters;  // as ParameterMap packs them
  AdamWState optimizer;
  std::vector<double> average;  // of the parameters; empty without
  learned::Random::State random{};
  std::vector<std::uint32_t> order;  // of the learning rows, as shuffled last
  std::vector<EpochRecord> epochs;
  std::optional<learned::LearnedKan> best;
  EpochRecord best_record;
  double charge = 0.0;  // for area, per LUT
};

/// `task` names specification and data; a file of another task is refused.
[[nodiscard]] Result<void> write_state(const TrainingState& state, const std::string& task,
                                       const std::filesystem::path& path);
/// Nothing when there is no such file.
[[nodiscard]] Result<std::optional<TrainingState>> read_state(const std::string& task,
                                                              const std::filesystem::path& path);

}  // namespace kantrig::train
