// What a model costs, known without synthesis: edges, bits of parameters, LUTs, clock cycles.
#pragma once

#include <cstdint>

#include "kan/model.hpp"

namespace kantrig::explore {

struct ModelCost {
  std::uint64_t edges = 0;           // that vary
  std::uint64_t table_entries = 0;   // of these
  std::uint64_t parameter_bits = 0;  // each entry as wide as its edge's range, the least taken off
  double luts = 0.0;                 // compiler/hardware/lut_estimate.hpp
  std::uint32_t cycles = 0;          // of the target fixed, for area
};

/// Precondition: kan::check(model).
[[nodiscard]] ModelCost cost_of(const kan::Model& model);

}  // namespace kantrig::explore
