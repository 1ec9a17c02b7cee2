// The published structure (KANELE's RTL) of a bundle's model, in Verilog of our own: the baseline that a
// compiled design is compared with. What it is made of: README.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "kan/model.hpp"

namespace kantrig::synth {

inline constexpr std::string_view kPublishedModule = "published_structure";
inline constexpr std::uint32_t kAddOperandsMax = 8;

struct PublishedStructure {
  // module published_structure: clk_i, codes_i (feature 0 lowest, at its bits), scores_o (output 0 lowest,
  // each as wide as its node's range needs in two's complement).
  std::string verilog;
  std::uint32_t cycles = 0;  // codes_i at clock t give scores_o at clock t + cycles
  std::uint32_t input_width = 0;
  std::uint32_t output_width = 0;
};

/// How many bits hold `low` to `high` in two's complement.
[[nodiscard]] std::uint32_t signed_width(std::int64_t low, std::int64_t high) noexcept;

/// `add_operands` is the arity of the adder trees, 2 to kAddOperandsMax: published designs use 4. Fails when
/// the model fails kan::check().
[[nodiscard]] Result<PublishedStructure> published_structure(const kan::Model& model,
                                                             std::uint32_t add_operands);

}  // namespace kantrig::synth
