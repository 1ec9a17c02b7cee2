// What the hand-made kan_datapath of tests/rtl/design answers, and batches of random events for it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "compiler/hardware/record_layout.hpp"

namespace kantrig::test {

struct DesignShape {
  std::uint32_t input_width = 24;
  std::uint32_t output_width = 9;

  [[nodiscard]] std::uint32_t input_bytes() const { return compiler::record_bytes(input_width); }
  [[nodiscard]] std::uint32_t output_bytes() const { return compiler::record_bytes(output_width); }
};

/// The two table banks: bank 1 from word 8 on.
using DesignTables = std::array<std::uint32_t, 16>;

inline bool bit_of(std::span<const std::uint8_t> record, std::uint32_t index) {
  return (record[index / 8] >> (index % 8) & 1U) != 0;
}

/// One event's record of scores.
inline void expect_scores(const DesignShape& shape, const DesignTables& tables, std::uint32_t bank,
                          std::span<const std::uint8_t> codes, std::span<std::uint8_t> scores) {
  std::ranges::fill(scores, std::uint8_t{0});
  for (std::uint32_t i = 0; i < shape.input_width; ++i) {
    const std::uint32_t k = i % shape.output_width;
    if (bit_of(codes, i)) scores[k / 8] = static_cast<std::uint8_t>(scores[k / 8] ^ 1U << (k % 8));
  }
  const std::uint32_t word = tables[8 * bank + (codes[0] & 7U)];
  for (std::uint32_t k = 0; k < std::min(32U, shape.output_width); ++k) {
    if ((word >> k & 1U) != 0) scores[k / 8] = static_cast<std::uint8_t>(scores[k / 8] ^ 1U << (k % 8));
  }
}

/// Records of random codes, with padding that is not zero: the kernel must not care.
inline std::vector<std::uint8_t> random_events(const DesignShape& shape, std::size_t count,
                                               std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::uint8_t> records(count * shape.input_bytes());
  for (std::uint8_t& byte : records) byte = static_cast<std::uint8_t>(random());
  return records;
}

inline std::vector<std::uint8_t> expected_results(const DesignShape& shape, const DesignTables& tables,
                                                  std::uint32_t bank, std::span<const std::uint8_t> events) {
  const std::size_t count = events.size() / shape.input_bytes();
  std::vector<std::uint8_t> results(count * shape.output_bytes());
  for (std::size_t i = 0; i < count; ++i) {
    expect_scores(shape, tables, bank, events.subspan(i * shape.input_bytes(), shape.input_bytes()),
                  std::span{results}.subspan(i * shape.output_bytes(), shape.output_bytes()));
  }
  return results;
}

}  // namespace kantrig::test
