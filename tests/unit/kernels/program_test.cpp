// Which width a node gets, from what its tables prove.
#include <gtest/gtest.h>

#include <vector>

#include "kernels/program.hpp"

namespace kantrig::kernels {
namespace {

using Table = std::vector<std::int16_t>;

/// A table of `entries` codes that reaches from low to high.
Table table(std::size_t entries, std::int16_t low, std::int16_t high) {
  Table all(entries, low);
  all.back() = high;
  return all;
}

/// One node over one input for each table.
Program program(const std::vector<Table>& tables, std::uint32_t bits, NodeSpec node, TableForm form) {
  ProgramSpec spec;
  LayerSpec& layer = spec.layers.emplace_back();
  for (std::uint32_t i = 0; i < tables.size(); ++i) {
    spec.inputs.push_back({.bits = bits, .scale = 1.0F, .offset = 0.0F});
    layer.edges.push_back({.input = i, .table = tables[i]});
  }
  node.edge_end = static_cast<std::uint32_t>(tables.size());
  layer.nodes.push_back(node);
  return Program(spec, form);
}

constexpr NodeSpec kSmall{.bias = 0, .shift = 0, .low = -32, .high = 31, .edge_begin = 0, .edge_end = 0};

TEST(Program, KeepsANodeInBytesWhenTwoGroupsHoldItsTables) {
  const Program lut =
      program({table(64, -50, 50), table(64, -60, 60), table(64, -40, 40)}, 6, kSmall, TableForm::kBytes);
  const LutNode& node = lut.lut().nodes[0];
  EXPECT_EQ(node.sum, SumWidth::kByte);
  EXPECT_EQ(node.group_end - node.group_begin, 2U);
}

TEST(Program, TakesSixteenBitsWhenThreeGroupsAreNeeded) {
  const std::vector<Table> tables(3, table(64, -100, 100));
  const Program lut = program(tables, 6, kSmall, TableForm::kBytes);
  EXPECT_EQ(lut.lut().nodes[0].sum, SumWidth::kHalf);
  EXPECT_EQ(lut.lut().nodes[0].group_end - lut.lut().nodes[0].group_begin, 3U);
}

TEST(Program, SplitsEntriesBeyondAByteIntoTwoTables) {
  const Program lut = program({table(64, -300, 300)}, 6, kSmall, TableForm::kBytes);
  const LutNode& node = lut.lut().nodes[0];
  ASSERT_EQ(node.group_end - node.group_begin, 2U);
  EXPECT_FALSE(lut.lut().groups[node.group_begin].high);
  EXPECT_TRUE(lut.lut().groups[node.group_begin + 1].high);
}

TEST(Program, TakesThirtyTwoBitsWhenSixteenAreNotProven) {
  const std::vector<Table> tables(3, table(64, -32768, 32767));
  const Program lut = program(tables, 6, kSmall, TableForm::kBytes);
  EXPECT_EQ(lut.lut().nodes[0].sum, SumWidth::kFull);
  EXPECT_EQ(lut.lut().row_layers, nullptr);
}

TEST(Program, ReadsCodesBeyondAByteByWords) {
  const Program lut = program({table(512, -3, 3)}, 9, kSmall, TableForm::kBytes);
  const LutNode& node = lut.lut().nodes[0];
  EXPECT_EQ(lut.input_stage().columns[0].width, 2U);
  EXPECT_EQ(node.word_end - node.word_begin, 1U);
  EXPECT_EQ(node.group_begin, node.group_end);
}

TEST(Program, DropsATableThatIsConstant) {
  const Program lut = program({table(64, 5, 5), table(64, 0, 9)}, 6, kSmall, TableForm::kBytes);
  const LutNode& node = lut.lut().nodes[0];
  ASSERT_EQ(node.group_end - node.group_begin, 1U);
  EXPECT_EQ(lut.lut().groups[node.group_begin].count_64, 1U);
}

TEST(Program, LeavesOutChunksThatAddNothing) {
  const Program lut = program({table(64, 0, 9)}, 6, kSmall, TableForm::kByteChunks);
  EXPECT_EQ(lut.lut().groups[0].count_64, 1U);  // of four chunks only the last has an entry above the least
  EXPECT_EQ(lut.lut().prepared[0].chunks, 4U);
}

TEST(Program, SortsTablesByTheirSize) {
  for (const auto& [bits, expected] : std::vector<std::pair<std::uint32_t, int>>{{6, 0}, {7, 1}, {8, 2}}) {
    const Program lut = program({table(std::size_t{1} << bits, 0, 9)}, bits, kSmall, TableForm::kBytes);
    const ByteGroup& group = lut.lut().groups[0];
    EXPECT_EQ(group.count_64, expected == 0 ? 1U : 0U);
    EXPECT_EQ(group.count_128, expected == 1 ? 1U : 0U);
    EXPECT_EQ(group.count_256, expected == 2 ? 1U : 0U);
  }
}

}  // namespace
}  // namespace kantrig::kernels
