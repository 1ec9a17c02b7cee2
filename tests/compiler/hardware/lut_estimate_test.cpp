// The estimate of LUTs: what costs nothing, what one table costs, and how far it is from the compiler's
// count.
#include "compiler/hardware/lut_estimate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <random>

#include "compiler/hardware/fixed.hpp"
#include "kan/bundle.hpp"

namespace kantrig::compiler {
namespace {

using Entries = std::vector<std::int16_t>;

Entries random_entries(std::size_t codes, int below) {
  std::mt19937 random(7);
  Entries entries(codes);
  for (std::int16_t& entry : entries) {
    entry = static_cast<std::int16_t>(random() % static_cast<unsigned>(below));
  }
  // Both ends occur, so that the range is the whole.
  entries[3] = 0;
  entries[8] = static_cast<std::int16_t>(below - 1);
  return entries;
}

Entries bell(std::size_t codes, double height) {
  Entries entries(codes);
  for (std::size_t c = 0; c < codes; ++c) {
    const double x = (static_cast<double>(c) + 0.5) / static_cast<double>(codes) * 6 - 3;
    entries[c] = static_cast<std::int16_t>(std::lround(height / (1 + x * x)));
  }
  return entries;
}

TEST(LutEstimate, AConstantTableCostsNothing) {
  const EdgeLuts luts = edge_luts(Entries(64, std::int16_t{-17}));
  EXPECT_EQ(0.0, luts.table);
  EXPECT_EQ(0U, luts.width);
  EXPECT_EQ(0.0, adder_luts(std::vector{luts, luts}));
}

TEST(LutEstimate, ATableOfOneCodeBitIsAWire) {
  const EdgeLuts luts = edge_luts(Entries{5, 5, 5, 5, 9, 9, 9, 9});
  EXPECT_EQ(4U, luts.range);
  EXPECT_EQ(0.0, luts.table);
}

TEST(LutEstimate, EveryBitOfADisorderedTableCostsTheSame) {
  const double one = edge_luts(random_entries(64, 2)).table;
  EXPECT_GT(one, 0.0);
  EXPECT_NEAR(7 * one, edge_luts(random_entries(64, 128)).table, 1e-9);
}

TEST(LutEstimate, TwoMoreCodeBitsOfADisorderedTableTakeAboutFourTimesTheLuts) {
  const double six = edge_luts(random_entries(64, 64)).table;
  const double eight = edge_luts(random_entries(256, 64)).table;
  EXPECT_GT(eight, 3.5 * six);
  EXPECT_LT(eight, 4.5 * six);
}

TEST(LutEstimate, WhereATableLiesDoesNotMatter) {
  Entries entries = bell(64, 50);
  const double here = edge_luts(entries).table;
  for (std::int16_t& entry : entries) entry = static_cast<std::int16_t>(entry - 200);
  EXPECT_EQ(here, edge_luts(entries).table);
}

TEST(LutEstimate, ASmoothTableCostsLessThanADisorderedOneOfTheSameRange) {
  EXPECT_LT(edge_luts(bell(64, 20)).table, edge_luts(random_entries(64, 20)).table);
  EXPECT_LT(edge_luts(bell(256, 32)).table, 0.7 * edge_luts(random_entries(256, 32)).table);
}

TEST(LutEstimate, FewerCodesNeverCostMore) {
  double last = 0.0;
  for (std::size_t codes = 2; codes <= 4096; codes *= 2) {
    const double luts = edge_luts(bell(codes, 100)).table;
    EXPECT_GE(luts, last) << codes << " codes";
    last = luts;
  }
}

TEST(LutEstimate, OneTableAloneNeedsNoAdder) {
  const EdgeLuts edge = edge_luts(random_entries(32, 32));
  EXPECT_EQ(0.0, adder_luts(std::vector{edge}));
  EXPECT_GT(adder_luts(std::vector{edge, edge}), 0.0);
}

TEST(LutEstimate, TablesOfTwoBitCodesAreJoined) {
  const std::vector<EdgeLuts> two(2, edge_luts(Entries{0, 5, 9, 3}));
  EXPECT_LT(adder_luts(two), 0.0) << "one table of four code bits is cheaper than two and an adder";
}

TEST(LutEstimate, TheJetsModelIsWithinATenthOfTheCompilersCount) {
  const auto bundle =
      kan::load_bundle(std::filesystem::path(KANTRIG_SOURCE_DIR) / "firmware/models/jets/jets-1.1.0");
  ASSERT_TRUE(bundle) << bundle.error().message;
  const LutEstimate estimate = estimate_luts(bundle->model);
  const auto compiled = compile_fixed(*bundle, {});
  ASSERT_TRUE(compiled) << compiled.error().message;
  const double counted = compiled->design.passes.back().luts;
  EXPECT_NEAR(counted, estimate.total(), 0.1 * counted);

  ASSERT_EQ(bundle->model.layers.size(), estimate.layers.size());
  double sum = 0.0;
  for (std::size_t l = 0; l < estimate.layers.size(); ++l) {
    EXPECT_EQ(bundle->model.layers[l].edges.size(), estimate.layers[l].edges.size());
    EXPECT_EQ(bundle->model.layers[l].nodes.size(), estimate.layers[l].adders.size());
    for (const EdgeLuts& edge : estimate.layers[l].edges) sum += edge.table;
    for (const double adders : estimate.layers[l].adders) sum += adders;
  }
  EXPECT_NEAR(sum, estimate.total(), 1e-9 * sum);
}

}  // namespace
}  // namespace kantrig::compiler
