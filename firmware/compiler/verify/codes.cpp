#include "compiler/verify/codes.hpp"

namespace kantrig::compiler {

CodeSpace::CodeSpace(const std::vector<HardwareField>& inputs) {
  for (const HardwareField& input : inputs) {
    std::vector<std::uint16_t>& codes = codes_.emplace_back();
    auto ranges = input.reachable;
    if (ranges.empty()) ranges.emplace_back(0, input.codes - 1);
    for (const auto& [first, last] : ranges) {
      for (std::uint32_t code = first; code <= last; ++code)
        codes.push_back(static_cast<std::uint16_t>(code));
    }
  }
}

void CodeSpace::random_row(std::uint64_t seed, std::uint64_t number, std::span<std::uint16_t> row) const {
  const std::uint64_t row_seed = mix(seed, number);
  for (std::size_t i = 0; i < codes_.size(); ++i) {
    // The high half of a product spreads 32 random bits over the codes, evenly but for 1 in 2^20.
    const std::uint64_t random = mix(row_seed, i) >> 32U;
    row[i] = codes_[i][(random * codes_[i].size()) >> 32U];
  }
}

std::uint64_t CodeSpace::combinations(std::span<const std::uint32_t> inputs, std::uint64_t most) const {
  std::uint64_t product = 1;
  for (const std::uint32_t input : inputs) {
    product *= codes_[input].size();
    if (product > most) return most + 1;
  }
  return product;
}

void CodeSpace::combination(std::span<const std::uint32_t> inputs, std::uint64_t number,
                            std::span<std::uint16_t> row) const {
  for (const std::uint32_t input : inputs) {
    row[input] = codes_[input][number % codes_[input].size()];
    number /= codes_[input].size();
  }
}

}  // namespace kantrig::compiler
