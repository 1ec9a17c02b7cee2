// Post-training quantisation: code widths and ranges for a model of real functions, from data.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "compiler/learned/learned_kan.hpp"
#include "compiler/train/dataset.hpp"
#include "compiler/train/specification.hpp"

namespace kantrig::train {

struct QuantisationPlan {
  std::vector<std::uint32_t> bits;  // of the inputs, and of each layer's outputs
  ThresholdSharing thresholds = ThresholdSharing::kLayer;
  std::uint32_t guard_bits = 0;
};

/// Gives every input and node a quantiser: a node's range is the one that loses least in mean square over the
/// events named by `rows` (at most kCalibrationRows of them, evenly spread), an input without a range gets
/// the one that occurs. Events are rows of physical values.
inline constexpr std::size_t kCalibrationRows = 4096;
[[nodiscard]] Result<learned::LearnedKan> quantise(const learned::LearnedKan& kan,
                                                   const QuantisationPlan& plan, const Dataset& data,
                                                   std::span<const std::uint32_t> rows);

/// `start` as a specification wants it: sizes must agree; quantised or not as asked.
[[nodiscard]] Result<learned::LearnedKan> prepare_start(const Specification& specification,
                                                        const learned::LearnedKan& start, const Dataset& data,
                                                        std::span<const std::uint32_t> rows);

/// Another code width over the same range.
void set_bits(learned::Input& input, std::uint32_t bits) noexcept;

}  // namespace kantrig::train
