// Whatever way a table is made, its words add up to it.
#include "compiler/hardware/realise.hpp"

#include <gtest/gtest.h>

#include <random>

#include "compiler/hardware/lut_builder.hpp"
#include "compiler/hardware/netlist.hpp"

namespace kantrig::compiler {
namespace {

/// A wandering table, as quantised learned functions are, with some codes that cannot occur.
Lookup wandering(std::uint32_t bits, std::int32_t step, std::mt19937& random) {
  Lookup lookup;
  lookup.inputs = {0};
  std::int32_t value = 40;
  for (std::size_t i = 0; i < (std::size_t{1} << bits); ++i) {
    value = std::max(
        0, value + static_cast<std::int32_t>(random() % static_cast<std::uint32_t>(2 * step + 1)) - step);
    lookup.entries.push_back(value);
    lookup.reachable.push_back(random() % 16 != 0);
  }
  return lookup;
}

/// The sum of all words for code `code`, through a netlist.
std::int64_t evaluate(const Realisation& realisation, Netlist& netlist, const std::vector<Net>& inputs,
                      std::uint32_t code) {
  LutBuilder builder(netlist, 0);
  std::vector<Net> outputs;
  std::vector<std::uint32_t> columns;
  for (const RealisedWord& word : realisation.words) {
    const std::vector<Net> nets = builder.build_word(word.bits, "w");
    for (std::size_t i = 0; i < nets.size(); ++i) {
      outputs.push_back(nets[i]);
      columns.push_back(word.column + static_cast<std::uint32_t>(i));
    }
  }
  netlist.set_outputs(outputs, 0);
  std::vector<std::uint64_t> bits;
  for (std::size_t i = 0; i < inputs.size(); ++i) bits.push_back((code >> i) & 1U);
  const auto values = netlist.execute(bits);
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i)
    sum += static_cast<std::int64_t>(values[i] & 1U) << columns[i];
  return sum;
}

TEST(Realise, EveryWayAddsUpToTheTable) {
  std::mt19937 random(7);
  for (const std::uint32_t bits : {3U, 5U, 6U, 7U}) {
    for (const std::int32_t step : {1, 4}) {
      const Lookup lookup = wandering(bits, step, random);
      Netlist names;
      const std::vector<Net> variables = names.add_input("code", bits);
      for (const Realisation& found : realisations(lookup, variables)) {
        for (const std::int32_t added : {0, found.slack / found.step * found.step}) {
          const Realisation made = realise(lookup, variables, {found.split, found.offset}, added);
          EXPECT_EQ(made.words[0].bits.size(), found.words[0].bits.size()) << "slack must not widen the word";
          Netlist netlist;
          const std::vector<Net> inputs = netlist.add_input("code", bits);
          for (std::uint32_t code = 0; code < lookup.entries.size(); ++code) {
            if (!lookup.reachable[code]) continue;
            ASSERT_EQ(evaluate(made, netlist, inputs, code), lookup.entries[code] + found.offset + added)
                << bits << " bits, step " << step << ", code " << code << ", dropped " << found.split.dropped;
          }
        }
      }
    }
  }
}

TEST(Realise, ASmoothTableOfManyCodesIsCheaperSplit) {
  Lookup lookup;
  lookup.inputs = {0};
  std::mt19937 random(5);
  std::int32_t value = 0;
  for (std::int32_t i = 0; i < 128; ++i) {
    lookup.entries.push_back(value += static_cast<std::int32_t>(random() % 2));
    lookup.reachable.push_back(true);
  }
  Netlist names;
  const std::vector<Net> variables = names.add_input("code", 7);
  const auto found = realisations(lookup, variables);
  EXPECT_NE(found.front().split.dropped, 0U);
  EXPECT_LT(found.front().half_luts, made_half_luts(realise(lookup, variables, {}, 0), variables));
}

TEST(Realise, WhatCannotOccurCostsNothing) {
  Lookup lookup;
  lookup.inputs = {0};
  for (std::uint32_t i = 0; i < 64; ++i) {
    lookup.entries.push_back(i == 5 ? 31 : 0);
    lookup.reachable.push_back(i != 5);
  }
  Netlist names;
  const std::vector<Net> variables = names.add_input("code", 6);
  EXPECT_EQ(realise(lookup, variables, {}, 0).half_luts, 0U);
}

}  // namespace
}  // namespace kantrig::compiler
