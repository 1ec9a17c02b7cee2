// Dataset: labelled events in physical units, and the input stage that their distribution asks for.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "compiler/learned/learned_kan.hpp"
#include "compiler/train/engine.hpp"
#include "compiler/train/specification.hpp"

namespace kantrig::train {

struct Dataset {
  std::string name;    // of the source, for provenance
  std::string sha256;  // of its bytes, hex
  std::uint32_t columns = 0;
  std::vector<float> values;          // rows x columns
  std::vector<std::uint8_t> classes;  // rows, of a classification
  std::vector<float> targets;         // rows x targets, of a regression

  [[nodiscard]] std::size_t rows() const noexcept { return columns == 0 ? 0 : values.size() / columns; }
};

/// That the data can teach what the specification asks: column count, enough rows, finite values, classes in
/// range and each present. The error names row (the first is 1) and feature.
[[nodiscard]] Result<void> check_dataset(const Specification& specification, const Dataset& data);

/// The input stage of every feature, from the rows named by `which`: the specified range spans the codes, and
/// the grid.
[[nodiscard]] std::vector<learned::Input> fit_inputs(const Specification& specification, const Dataset& data,
                                                     std::span<const std::uint32_t> which);

/// The first `rows` rows behind the input stage, as codes (by the reference input stage) and as real values
/// (clamped where there is a code width, not rounded), with what they should give. Precondition:
/// check_dataset() passed.
[[nodiscard]] Samples make_samples(const Specification& specification,
                                   const std::vector<learned::Input>& inputs, const Dataset& data,
                                   std::size_t rows);

/// Codes of feature `input` anew, after its width changed.
void encode_again(const std::vector<learned::Input>& inputs, std::size_t input, const Dataset& data,
                  Samples& samples);

}  // namespace kantrig::train
