// Dataset: labelled events in physical units, and the input stage that their distribution asks for.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "compiler/train/specification.hpp"
#include "compiler/train/spline_kan.hpp"
#include "kan/model.hpp"

namespace kantrig::train {

struct Dataset {
  std::string name;    // of the source, for provenance
  std::string sha256;  // of its bytes, hex
  std::uint32_t columns = 0;
  std::vector<float> values;          // rows x columns
  std::vector<std::uint8_t> classes;  // rows

  [[nodiscard]] std::size_t rows() const noexcept { return classes.size(); }
};

/// That the data can teach what the specification asks: column count, enough rows, finite values, classes in
/// range and each present. The error names row (the first is 1) and feature.
[[nodiscard]] Result<void> check_dataset(const Specification& specification, const Dataset& data);

/// Scale and offset of every feature, from the rows named by `which`: the specified range spans the codes.
[[nodiscard]] std::vector<kan::InputFeature> fit_inputs(const Specification& specification,
                                                        const Dataset& data,
                                                        std::span<const std::uint32_t> which);

/// The first `rows` rows as codes, by the reference input stage. Precondition: check_dataset() passed.
[[nodiscard]] CodedEvents encode(const std::vector<kan::InputFeature>& inputs, const Dataset& data,
                                 std::size_t rows);

}  // namespace kantrig::train
