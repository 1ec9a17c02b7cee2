// The netlist's cells compute what firmware/rtl's cells are described to.
#include "compiler/hardware/netlist.hpp"

#include <gtest/gtest.h>

#include <random>

#include "compiler/hardware/lut_packing.hpp"

namespace kantrig::compiler {
namespace {

std::uint64_t value_of(const std::vector<std::uint64_t>& bits, std::size_t event) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bits.size(); ++i) value |= ((bits[i] >> event) & 1U) << i;
  return value;
}

/// 64 random events for the netlist's inputs.
std::vector<std::uint64_t> random_events(const Netlist& netlist, std::mt19937_64& random) {
  std::vector<std::uint64_t> words(netlist.inputs().size());
  for (std::uint64_t& word : words) word = random();
  return words;
}

std::uint64_t slice(const std::vector<std::uint64_t>& words, std::size_t first, std::size_t count,
                    std::size_t event) {
  return value_of({words.begin() + static_cast<std::ptrdiff_t>(first),
                   words.begin() + static_cast<std::ptrdiff_t>(first + count)},
                  event);
}

TEST(Netlist, AThreeOperandAdderAddsThemAndTwoCarries) {
  std::mt19937_64 random(3);
  Netlist netlist;
  const auto a = netlist.add_input("a", 5);
  const auto b = netlist.add_input("b", 5);
  const auto c = netlist.add_input("c", 5);
  const auto carries = netlist.add_input("carries", 2);
  const auto padded = [](std::vector<Net> nets) {
    nets.resize(6, kNetZero);
    return nets;
  };
  Cell cell;
  cell.kind = CellKind::kAdd3;
  cell.a = padded(a);
  cell.b = padded(b);
  cell.c = padded(c);
  cell.carries = carries;
  netlist.set_outputs(netlist.add_adder(cell, 7, "sum"), 0);
  for (int round = 0; round < 50; ++round) {
    const auto words = random_events(netlist, random);
    const auto sums = netlist.execute(words);
    for (std::size_t e = 0; e < 64; ++e) {
      const std::uint64_t expected = slice(words, 0, 5, e) + slice(words, 5, 5, e) + slice(words, 10, 5, e) +
                                     slice(words, 15, 1, e) + slice(words, 16, 1, e);
      ASSERT_EQ(value_of(sums, e), expected);
    }
  }
}

TEST(Netlist, ATableInsideAnAdderIsAdded) {
  std::mt19937_64 random(4);
  Netlist netlist;
  const auto a = netlist.add_input("a", 4);
  const auto code = netlist.add_input("code", 5);
  const auto carry = netlist.add_input("carry", 1);
  Cell cell;
  cell.kind = CellKind::kAddLookup;
  cell.a = a;
  cell.inputs = code;
  cell.tables = {0x12345678U, 0x9abcdef0U, 0x0f1e2d3cU, 0x00ff00ffU};
  cell.carries = carry;
  const std::vector<std::uint32_t> tables = cell.tables;
  netlist.set_outputs(netlist.add_adder(cell, 5, "sum"), 0);
  const auto words = random_events(netlist, random);
  const auto sums = netlist.execute(words);
  for (std::size_t e = 0; e < 64; ++e) {
    const std::uint64_t index = slice(words, 4, 5, e);
    std::uint64_t entry = 0;
    for (std::size_t i = 0; i < 4; ++i) entry |= std::uint64_t{(tables[i] >> index) & 1U} << i;
    ASSERT_EQ(value_of(sums, e), slice(words, 0, 4, e) + entry + slice(words, 9, 1, e));
  }
}

TEST(Netlist, CountsOneRegisterForEachStageThatANetCrosses) {
  Netlist netlist;
  const auto x = netlist.add_input("x", 2);
  const Net early = netlist.add_lut(0, x, 0x8, "and");
  const std::vector<Net> inputs{x[0], early};
  const Net late = netlist.add_lut(2, inputs, 0x6, "xor");
  netlist.set_outputs({late}, 3);
  EXPECT_EQ(netlist.register_count(), 2U /* x[0] */ + 2U /* and */ + 1U /* xor */);
}

TEST(Netlist, SeesLevelsAndChainsInSeries) {
  Netlist netlist;
  const auto x = netlist.add_input("x", 2);
  const Net first = netlist.add_lut(0, x, 0x8, "and");
  Cell cell;
  cell.kind = CellKind::kAdd2;
  cell.a = {first};
  cell.b = {x[1]};
  const auto sum = netlist.add_adder(cell, 2, "sum");
  EXPECT_EQ(netlist.levels_max(), 2U);
  EXPECT_FALSE(netlist.has_chains_in_series());
  cell.a = {sum[0]};
  (void)netlist.add_adder(cell, 2, "again");
  EXPECT_TRUE(netlist.has_chains_in_series());
}

TEST(LutPacking, PairsFunctionsOfTheSameFiveInputsOfOneStage) {
  Netlist netlist;
  const auto x = netlist.add_input("x", 6);
  const std::span<const Net> inputs(x);
  const Net a = netlist.add_lut(0, inputs.first(5), 0x1234, "a");
  const Net b = netlist.add_lut(0, inputs.first(3), 0x96, "b");
  const Net c = netlist.add_lut(0, inputs, 0x5555aaaa, "c");
  const Net d = netlist.add_lut(1, inputs.first(4), 0x8001, "d");
  netlist.set_outputs({a, b, c, d}, 1);
  const auto pairs = pack_luts(netlist);
  ASSERT_EQ(pairs.size(), 3U);
  EXPECT_EQ(pairs[0].second, 1U);
  EXPECT_FALSE(pairs[1].second);
  EXPECT_FALSE(pairs[2].second);
  EXPECT_EQ(lut_count(netlist), 3U);
}

TEST(Netlist, DropsWhatNoOutputNeeds) {
  Netlist netlist;
  const auto x = netlist.add_input("x", 2);
  const Net used = netlist.add_lut(0, x, 0x8, "used");
  (void)netlist.add_lut(0, x, 0x6, "unused");
  netlist.set_outputs({used}, 0);
  netlist.remove_dead_cells();
  EXPECT_EQ(netlist.cells().size(), 1U);
}

}  // namespace
}  // namespace kantrig::compiler
