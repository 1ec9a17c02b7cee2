// Netlists written by hand, examined.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "synth/area.hpp"
#include "synth/figures.hpp"
#include "synth/netlist.hpp"

namespace kantrig::synth {
namespace {

using testing::HasSubstr;

/// Builds what `yosys json` writes. Nets are numbers from 2, or "0", "1", "x" in quotes.
class Module {
 public:
  Module& input(const std::string& name, const std::string& bits) { return port(name, "input", bits); }
  Module& output(const std::string& name, const std::string& bits) { return port(name, "output", bits); }
  /// `inputs` and `outputs` as "I0": [2], "I1": [3].
  Module& cell(const std::string& name, const std::string& type, const std::string& inputs,
               const std::string& outputs, const std::string& init = "") {
    std::string directions;
    for (const auto& [pins, direction] : {std::pair{inputs, "input"}, std::pair{outputs, "output"}}) {
      for (std::size_t at = pins.find('"'); at != std::string::npos;) {
        const std::size_t end = pins.find("\":", at + 1);
        directions += fmt::format(R"({}{}": "{}")", directions.empty() ? "" : ", ", pins.substr(at, end - at),
                                  direction);
        const std::size_t close = pins.find(']', end);
        at = pins.find('"', close);
      }
    }
    cells_ += fmt::format(
        R"({}"{}": {{"type": "{}", "parameters": {{{}}}, "port_directions": {{{}}}, "connections": {{{}, {}}}}})",
        cells_.empty() ? "" : ", ", name, type, init.empty() ? "" : fmt::format(R"("INIT": "{}")", init),
        directions, inputs, outputs);
    return *this;
  }
  Module& lut(const std::string& name, const std::string& inputs, int output) {
    std::string pins;
    int number = 0;
    for (std::size_t at = 0; at < inputs.size();) {
      const std::size_t end = std::min(inputs.find(' ', at), inputs.size());
      pins += fmt::format(R"({}"I{}": [{}])", number == 0 ? "" : ", ", number, inputs.substr(at, end - at));
      ++number;
      at = end + 1;
    }
    return cell(name, "LUT6", pins, fmt::format(R"("O": [{}])", output));
  }
  Module& ff(const std::string& name, int d, int q) {
    return cell(name, "FDRE", fmt::format(R"("C": [2], "CE": ["1"], "D": [{}], "R": ["0"])", d),
                fmt::format(R"("Q": [{}])", q));
  }
  Module& name(const std::string& name, const std::string& bits, bool hidden = false) {
    names_ += fmt::format(R"({}"{}": {{"hide_name": {}, "bits": [{}]}})", names_.empty() ? "" : ", ", name,
                          hidden ? 1 : 0, bits);
    return *this;
  }
  [[nodiscard]] Netlist netlist() const {
    auto netlist = netlist_from_json(
        fmt::format(R"({{"modules": {{"top": {{"ports": {{{}}}, "cells": {{{}}}, "netnames": {{{}}}}}}}}})",
                    ports_, cells_, names_),
        "top");
    EXPECT_TRUE(netlist) << netlist.error().message;
    return netlist.value_or(Netlist{});
  }
  [[nodiscard]] Figures figures() const {
    auto figures = figures_of(netlist());
    EXPECT_TRUE(figures) << figures.error().message;
    return figures.value_or(Figures{});
  }

 private:
  Module& port(const std::string& name, const char* direction, const std::string& bits) {
    ports_ += fmt::format(R"({}"{}": {{"direction": "{}", "bits": [{}]}})", ports_.empty() ? "" : ", ", name,
                          direction, bits);
    return *this;
  }
  std::string ports_;
  std::string cells_;
  std::string names_;
};

TEST(Figures, CountLevelsStageByStageWithoutF7) {
  const Figures figures = Module()
                              .input("clk_i", "2")
                              .input("codes_i", "3, 4, 5")
                              .output("scores_o", "20")
                              .lut("a", "3 4", 10)
                              .lut("b", "3 5", 11)
                              .cell("m", "MUXF7", R"("I0": [10], "I1": [11], "S": [5])", R"("O": [12])")
                              .lut("c", "12 4", 13)
                              .ff("r", 13, 14)
                              .cell("i", "INV", R"("I": [14])", R"("O": [15])")
                              .lut("d", "15", 20)
                              .figures();
  EXPECT_EQ(figures.luts, 4U);
  EXPECT_EQ(figures.ffs, 1U);
  EXPECT_EQ(figures.f7, 1U);
  EXPECT_EQ(figures.cycles, 1U);
  ASSERT_EQ(figures.stages.size(), 2U);
  EXPECT_EQ(figures.stages[0].levels, 2U);
  EXPECT_EQ(figures.stages[0].luts, 3U);
  EXPECT_EQ(figures.stages[0].ffs, 1U);
  EXPECT_EQ(figures.stages[1].levels, 1U);
  EXPECT_EQ(figures.levels_max(), 2U);
}

TEST(Figures, CountALutWithTwoOutputsOnce) {
  const Figures figures = Module()
                              .input("codes_i", "3, 4")
                              .output("scores_o", "10, 11")
                              .cell("l", "LUT6_2", R"("I0": [3], "I1": [4])", R"("O5": [10], "O6": [11])")
                              .figures();
  EXPECT_EQ(figures.luts, 1U);
  EXPECT_EQ(figures.dual_output_luts, 1U);
  EXPECT_EQ(figures.cycles, 0U);
}

/// Six bits added in two CARRY4: position 6 lets only the carry out.
Module six_bit_adder() {
  return Module()
      .input("a", "3, 4, 5, 6, 7, 8")
      .output("s", "30, 31, 32, 33, 34, 35, 36")
      .cell("low", "CARRY4", R"("CI": ["0"], "CYINIT": ["0"], "DI": [3, 4, 5, 6], "S": [3, 4, 5, 6])",
            R"("O": [30, 31, 32, 33], "CO": [40, 41, 42, 43])")
      .cell("high", "CARRY4", R"("CI": [43], "CYINIT": ["0"], "DI": [7, 8, "x", "x"], "S": [7, 8, "0", "0"])",
            R"("O": [34, 35, 36, 37], "CO": [44, 45, 46, 47])");
}

TEST(Figures, MeasureAChainByThePositionsThatAdd) {
  const Figures figures = six_bit_adder().figures();
  EXPECT_EQ(figures.carries, 1U) << "two CARRY4 fit one CARRY8";
  EXPECT_EQ(figures.carry_bits_max(), 6U);
  EXPECT_EQ(figures.carry_chains_in_series_max(), 1U);
  EXPECT_EQ(figures.levels_max(), 0U);
}

TEST(Figures, CountChainsInSeriesWhenASumFeedsAnother) {
  const Figures figures =
      six_bit_adder()
          .output("t", "60")
          .cell("next", "CARRY8", R"("CI": ["0"], "DI": [35], "S": [36])", R"("O": [60], "CO": [61])")
          .figures();
  EXPECT_EQ(figures.carry_chains_in_series_max(), 2U);
  EXPECT_EQ(figures.carries, 2U);
  EXPECT_EQ(figures.carry_bits_max(), 6U);
}

TEST(Figures, FollowOnlyTheInputsThatATruthTableUses) {
  // Two cells of a ternary adder: O5 is the majority of I0 to I2, and goes into I3 of the next one.
  const char* const majority = "0000000000000000000000000000000011101000111010001110100011101000";
  const Figures figures =
      Module()
          .input("a", "3, 4, 5")
          .output("y", "21, 31, 41")
          .cell("b0", "LUT6_2", R"("I0": [3], "I1": [4], "I2": [5], "I3": ["0"], "I5": ["1"])",
                R"("O5": [20], "O6": [21])", majority)
          .cell("b1", "LUT6_2", R"("I0": [3], "I1": [4], "I2": [5], "I3": [20], "I5": ["1"])",
                R"("O5": [30], "O6": [31])", majority)
          .cell("b2", "LUT6_2", R"("I0": [3], "I1": [4], "I2": [5], "I3": [30], "I5": ["1"])",
                R"("O5": [40], "O6": [50])", majority)
          .cell("after", "LUT1", R"("I0": [40])", R"("O": [41])", "10")
          .figures();
  EXPECT_EQ(figures.levels_max(), 2U) << "no chain of carries through the majorities";
}

TEST(Figures, RefuseACellThatMixesTwoEvents) {
  const Netlist netlist = Module()
                              .input("clk_i", "2")
                              .input("codes_i", "3, 4")
                              .output("scores_o", "20")
                              .ff("late", 3, 10)
                              .lut("mixer", "10 4", 11)
                              .ff("r", 11, 20)
                              .netlist();
  const auto figures = figures_of(netlist);
  ASSERT_FALSE(figures);
  EXPECT_THAT(figures.error().message, HasSubstr("top: mixer mixes two events"));
}

TEST(Figures, TakeTheWordsOfAnOverlayForConstants) {
  const Figures figures =
      Module()
          .input("clk_i", "2")
          .input("codes_i", "3, 4")
          .input("table_data_i", "5")
          .output("scores_o", "20")
          .ff("bias", 5, 10)
          .cell("m", "RAM64X1D", R"("D": [5], "WE": [5], "WCLK": [2], "A": [10], "DPRA": [3])",
                R"("DPO": [11], "SPO": [12])")
          .lut("sum", "11 10", 13)
          .ff("r", 13, 20)
          .figures();
  EXPECT_EQ(figures.cycles, 1U);
  EXPECT_EQ(figures.levels_max(), 2U) << "the memory and the sum";
  EXPECT_EQ(figures.memory_luts, 2U);
}

TEST(Figures, RefuseOutputsOfTwoLatencies) {
  const auto figures = figures_of(Module()
                                      .input("clk_i", "2")
                                      .input("codes_i", "3")
                                      .output("scores_o", "3, 20")
                                      .ff("r", 3, 20)
                                      .netlist());
  ASSERT_FALSE(figures);
  EXPECT_THAT(figures.error().message, HasSubstr("the outputs mixes two events"));
}

TEST(Figures, RefuseALoop) {
  const auto figures = figures_of(Module()
                                      .input("clk_i", "2")
                                      .input("codes_i", "3")
                                      .output("scores_o", "20")
                                      .lut("l", "3 20", 10)
                                      .ff("counter", 10, 20)
                                      .netlist());
  ASSERT_FALSE(figures);
  EXPECT_THAT(figures.error().message, HasSubstr("lies on a loop"));
}

TEST(Figures, CountAShiftRegisterAsLutAndByItsLength) {
  const Figures figures =
      Module()
          .input("clk_i", "2")
          .input("codes_i", "3")
          .output("scores_o", "20")
          .cell("s", "SRL16E",
                R"("CLK": [2], "CE": ["1"], "D": [3], "A0": ["1"], "A1": ["1"], "A2": ["0"], "A3": ["0"])",
                R"("Q": [10])")
          .ff("r", 10, 20)
          .figures();
  EXPECT_EQ(figures.cycles, 5U);
  EXPECT_EQ(figures.luts, 1U);
  EXPECT_EQ(figures.srls, 1U);
  EXPECT_EQ(figures.ffs, 1U);
}

TEST(Figures, ReadIce40Cells) {
  const Figures figures = Module()
                              .input("clk_i", "2")
                              .input("codes_i", "3, 4")
                              .output("scores_o", "20")
                              .cell("c0", "SB_CARRY", R"("CI": ["0"], "I0": [3], "I1": [4])", R"("CO": [10])")
                              .cell("c1", "SB_CARRY", R"("CI": [10], "I0": [4], "I1": [3])", R"("CO": [11])")
                              .cell("l", "SB_LUT4", R"("I0": [3], "I3": [11])", R"("O": [12])")
                              .cell("f", "SB_DFF", R"("C": [2], "D": [12])", R"("Q": [20])")
                              .figures();
  EXPECT_EQ(figures.luts, 1U);
  EXPECT_EQ(figures.ffs, 1U);
  EXPECT_EQ(figures.carries, 2U);
  EXPECT_EQ(figures.carry_bits_max(), 2U);
  EXPECT_EQ(figures.cycles, 1U);
}

TEST(Figures, NameCellsTheyDoNotKnow) {
  const Figures figures = Module()
                              .input("codes_i", "3")
                              .output("scores_o", "20")
                              .cell("d", "DSP48E2", R"("A": [3])", R"("P": [20])")
                              .figures();
  EXPECT_EQ(figures.others.at("DSP48E2"), 1U);
}

TEST(Netlist, NamesTheModuleItMisses) {
  const auto netlist = netlist_from_json(R"({"modules": {}})", "kan_datapath");
  ASSERT_FALSE(netlist);
  EXPECT_EQ(netlist.error().message, "netlist: has no module kan_datapath, expected it as the top");
  EXPECT_FALSE(netlist_from_json("{", "top"));
}

TEST(Place, IsReadFromHierarchicalNames) {
  EXPECT_EQ(place_of("u_layer1.n3_sum.u_lut"), (Place{1, Part::kNode, 3}));
  EXPECT_EQ(place_of("$flatten\\u_layer0.\\u_n12_add.$procdff$7"), (Place{0, Part::kNode, 12}));
  EXPECT_EQ(place_of("u_layer1.gen_node[3].u_node.u_span"), (Place{1, Part::kNode, 3}));
  EXPECT_EQ(place_of("u_layer0.in2_table"), (Place{0, Part::kInput, 2}));
  EXPECT_EQ(place_of("u_layer0.codes_q"), (Place{.layer = 0}));
  EXPECT_EQ(place_of("codes_i"), Place{});
}

TEST(Area, GoesToWhatReadsACellThatHasNoName) {
  const Area area = area_of(Module()
                                .input("clk_i", "2")
                                .input("codes_i", "3, 4")
                                .output("scores_o", "20, 21")
                                .lut("$abc$1", "3 4", 10)
                                .lut("$abc$2", "3", 11)
                                .lut("$abc$3", "10 11", 12)
                                .ff("$1", 12, 20)
                                .ff("$2", 11, 21)
                                .name("u_layer0.n0_s", "20")
                                .name("scores_o", "20, 21")
                                .name("u_layer0.n1_s", "21")
                                .name("$hidden_layer5_n2", "10", true)
                                .netlist());
  EXPECT_EQ(area.at({0, Part::kNode, 0}).luts, 2U);
  EXPECT_EQ(area.at({0, Part::kNode, 0}).ffs, 1U);
  EXPECT_EQ(area.at({0, Part::kNode, 1}).ffs, 1U);
  EXPECT_EQ(area.at({.layer = 0}).luts, 1U) << "read by both nodes";
  EXPECT_EQ(area.size(), 3U);
}

}  // namespace
}  // namespace kantrig::synth
