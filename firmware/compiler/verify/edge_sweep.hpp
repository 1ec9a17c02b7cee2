// EdgeSweep: every code of every edge of one node, each in several settings of the node's other inputs,
// chosen such that an entry that is off by one shows at the output.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compiler/verify/codes.hpp"
#include "kan/model.hpp"

namespace kantrig::compiler {

class EdgeSweep {
 public:
  /// Settings of each code: one that shows an entry too large by one, one too small, and two as they come.
  static constexpr std::uint32_t kSettings = 4;

  struct Step {
    std::uint32_t edge = 0;  // of the node, from 0
    std::uint16_t code = 0;
    std::uint16_t background = 0;
  };

  EdgeSweep(const kan::Layer& layer, std::uint32_t node, const CodeSpace& space, std::uint64_t seed);

  [[nodiscard]] const std::vector<Step>& steps() const { return steps_; }
  [[nodiscard]] std::span<const std::uint32_t> inputs() const { return inputs_; }
  /// The row of step `number`; inputs without an edge to the node have random codes.
  void fill(std::uint64_t number, std::span<std::uint16_t> row) const;
  /// Entries of which an error of one, up and down, is seen in some setting.
  [[nodiscard]] std::uint64_t entries() const { return entries_; }
  [[nodiscard]] std::uint64_t entries_seen_exactly() const { return entries_exact_; }

 private:
  void make_backgrounds(std::uint32_t count);
  void steer(std::span<std::uint16_t> codes, std::int64_t target, std::uint64_t seed) const;
  void plan_entry(std::uint32_t edge, std::uint16_t code);
  [[nodiscard]] std::int32_t entry(std::uint32_t edge, std::uint16_t code) const;
  [[nodiscard]] std::int64_t sum_of(std::span<const std::uint16_t> codes) const;
  [[nodiscard]] std::span<const std::uint16_t> background(std::uint32_t index) const;

  const kan::Layer& layer_;
  const kan::Node& node_;
  const CodeSpace& space_;
  std::uint64_t seed_;
  std::vector<std::uint32_t> inputs_;       // of each edge
  std::vector<std::uint16_t> backgrounds_;  // a code for each edge, background by background
  std::vector<std::int64_t> sums_;          // of each background: bias + half + entries
  std::vector<Step> steps_;
  std::uint64_t entries_ = 0;
  std::uint64_t entries_exact_ = 0;
};

}  // namespace kantrig::compiler
