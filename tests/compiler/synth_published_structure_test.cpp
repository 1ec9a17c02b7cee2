// The baseline generator: its Verilog, simulated by Verilator, against the reference evaluator.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "compiler/exchange/kanele.hpp"
#include "kan/reference.hpp"
#include "support/command.hpp"
#include "support/temporary_folder.hpp"
#include "synth/published_structure.hpp"
#include "unit/kan/small_bundle.hpp"

namespace kantrig::synth {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

/// A vector of fields, the first one lowest, as a hexadecimal number.
class HexVector {
 public:
  void add(std::int64_t value, std::uint32_t width) {
    for (std::uint32_t bit = 0; bit < width; ++bit) bits_.push_back(((value >> bit) & 1) != 0);
  }
  [[nodiscard]] std::string hex() const {
    std::string text;
    for (std::size_t digit = 0; digit * 4 < bits_.size(); ++digit) {
      unsigned value = 0;
      for (std::size_t bit = 0; bit < 4 && digit * 4 + bit < bits_.size(); ++bit)
        value |= bits_[digit * 4 + bit] ? 1U << bit : 0U;
      text.insert(text.begin(), "0123456789abcdef"[value]);
    }
    return text;
  }

 private:
  std::vector<bool> bits_;
};

/// Gives a vector each clock and compares what comes out `cycles` clocks later.
std::string bench_of(const PublishedStructure& structure, std::uint32_t vectors) {
  return fmt::format(R"(module bench;
  reg clk = 0;
  reg [{0}:0] codes;
  wire [{1}:0] scores;
  reg [{0}:0] inputs [0:{2}];
  reg [{1}:0] expected [0:{2}];
  integer t, wrong = 0;
  published_structure u_structure (.clk_i(clk), .codes_i(codes), .scores_o(scores));
  initial begin
    $readmemh("inputs.hex", inputs);
    $readmemh("expected.hex", expected);
    for (t = 0; t < {3} + {4} - 1; t = t + 1) begin
      codes = inputs[t < {3} ? t : 0];
      #1 clk = 1;
      #1 clk = 0;
      if (t + 1 >= {4} && scores !== expected[t + 1 - {4}]) begin
        wrong = wrong + 1;
        if (wrong < 4) $display("vector %0d: got %h, expected %h", t + 1 - {4}, scores, expected[t + 1 - {4}]);
      end
    end
    $display("vectors %0d wrong %0d", {3}, wrong);
    $finish;
  end
endmodule
)",
                     structure.input_width - 1, structure.output_width - 1, vectors - 1, vectors,
                     structure.cycles);
}

/// Simulates `codes`, event by event, and returns what the bench printed.
std::string simulate(const kan::Model& model, const PublishedStructure& structure,
                     const std::vector<std::uint16_t>& codes) {
  const test::TemporaryFolder folder;
  const std::size_t features = model.inputs.size();
  const std::size_t vectors = codes.size() / features;
  std::string inputs;
  std::string expected;
  for (std::size_t v = 0; v < vectors; ++v) {
    const std::vector<std::uint16_t> event(codes.begin() + static_cast<std::ptrdiff_t>(v * features),
                                           codes.begin() + static_cast<std::ptrdiff_t>((v + 1) * features));
    HexVector in;
    for (std::size_t i = 0; i < features; ++i) in.add(event[i], model.inputs[i].bits);
    inputs += in.hex() + "\n";
    HexVector out;
    const auto outputs = kan::reference_outputs(model, event);
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      const kan::Node& node = model.layers.back().nodes[k];
      out.add(outputs[k], signed_width(node.low, node.high));
    }
    expected += out.hex() + "\n";
  }
  const auto write = [&](const char* name, const std::string& text) {
    EXPECT_TRUE(base::write_file_atomic(folder.path() / name, text));
  };
  write("inputs.hex", inputs);
  write("expected.hex", expected);
  write("baseline.v", structure.verilog);
  write("bench.v", bench_of(structure, static_cast<std::uint32_t>(vectors)));
  return test::run_command("cd " + folder.path().string() +
                           " && verilator --binary -O1 -CFLAGS -O0 --top-module bench -Wno-fatal -Wno-lint "
                           "--Mdir obj bench.v baseline.v > log 2>&1 && obj/Vbench || tail -20 log")
      .output;
}

PublishedStructure structure_of(const kan::Model& model, std::uint32_t add_operands) {
  auto structure = published_structure(model, add_operands);
  EXPECT_TRUE(structure) << structure.error().message;
  return structure.value_or(PublishedStructure{});
}

#define KANTRIG_NEEDS_VERILATOR() \
  if (!test::has_program("verilator")) GTEST_SKIP() << "verilator is not installed"

TEST(PublishedStructure, GivesTheReferencesOutputsForAllInputsOfASmallModel) {
  KANTRIG_NEEDS_VERILATOR();
  const kan::Model model = test::small_model();  // biases, shifts, ranges that no power of two bounds
  const PublishedStructure structure = structure_of(model, 2);
  EXPECT_THAT(simulate(model, structure, test::every_vector(model).inputs), HasSubstr("vectors 16 wrong 0"));
}

/// Five one-bit features, one node of five edges with an entry past its range, one output.
kan::Model one_bit_model() {
  kan::Model model;
  model.inputs.assign(5, {.bits = 1});
  kan::Layer first;
  first.input_codes.assign(5, 2);
  first.nodes = {{.low = -8, .high = 7, .edge_begin = 0, .edge_end = 5},
                 {.low = -8, .high = 7, .edge_begin = 5, .edge_end = 6}};
  first.edges = {{0, 0}, {1, 2}, {2, 4}, {3, 6}, {4, 8}, {2, 10}};
  first.tables = {-3, 4, 20, -20, 1, 1, -2, 5, 0, 3, 7, -8};
  kan::Layer second;
  second.input_codes.assign(2, 16);
  second.nodes = {{.low = -32, .high = 31, .edge_begin = 0, .edge_end = 2}};
  second.edges = {{0, 0}, {1, 16}};
  for (int i = 0; i < 16; ++i) second.tables.push_back(static_cast<std::int16_t>(3 * i - 20));
  for (int i = 0; i < 16; ++i) second.tables.push_back(static_cast<std::int16_t>(i * i - 31));
  model.layers = {first, second};
  model.output_scales = {1.0};
  model.codes_only = true;
  return model;
}

TEST(PublishedStructure, AddsDeltasInsteadOfTablesForOneBitInputs) {
  KANTRIG_NEEDS_VERILATOR();
  const kan::Model model = one_bit_model();
  const PublishedStructure structure = structure_of(model, 4);
  EXPECT_EQ(structure.cycles, 2U + 1U + 2U);  // six terms in two stages, a register, a table and one stage
  EXPECT_THAT(structure.verilog, HasSubstr("// Layer 0: one-bit inputs, 2 stages of adders, a register"));
  std::vector<std::uint16_t> codes;
  for (unsigned event = 0; event < 32; ++event) {
    for (unsigned i = 0; i < 5; ++i) codes.push_back(static_cast<std::uint16_t>((event >> i) & 1U));
  }
  EXPECT_THAT(simulate(model, structure, codes), HasSubstr("vectors 32 wrong 0"));
}

TEST(PublishedStructure, AWrongTableShowsInTheSimulation) {
  KANTRIG_NEEDS_VERILATOR();
  const kan::Model model = one_bit_model();
  kan::Model other = model;
  std::vector<std::uint16_t> codes;
  for (unsigned event = 0; event < 32; ++event) {
    for (unsigned i = 0; i < 5; ++i) codes.push_back(static_cast<std::uint16_t>((event >> i) & 1U));
  }
  for (std::size_t entry = 16; entry < 32; ++entry) other.layers[1].tables[entry] += 1;
  EXPECT_THAT(simulate(model, structure_of(other, 4), codes), Not(HasSubstr("wrong 0")));
}

struct Published {
  const char* name;
  std::uint32_t cycles;
  bool simulated;  // the larger ones would take Verilator too long for a test
};

class PublishedModels : public testing::TestWithParam<Published> {};

TEST_P(PublishedModels, TakeThePublishedCyclesAndGiveThePublishedOutputs) {
  const char* const shared = std::getenv("KANTRIG_SHARED_DATA");
  if (shared == nullptr) GTEST_SKIP() << "KANTRIG_SHARED_DATA is not set";
  const auto imported = exchange::import_kanele(fs::path(shared) / "kanele" / GetParam().name,
                                                {.name = "m", .version = "1.0.0"});
  ASSERT_TRUE(imported) << imported.error().message;
  const kan::Model& model = imported->bundle.model;
  const PublishedStructure structure = structure_of(model, 4);
  EXPECT_EQ(structure.cycles, GetParam().cycles);
  if (!GetParam().simulated) return;
  KANTRIG_NEEDS_VERILATOR();
  const kan::GoldenVectors& golden = imported->bundle.golden;
  EXPECT_THAT(simulate(model, structure, golden.inputs),
              HasSubstr(fmt::format("vectors {} wrong 0", golden.count)));
}

INSTANTIATE_TEST_SUITE_P(, PublishedModels,
                         testing::Values(Published{"jsc_openml", 7, false},
                                         Published{"jsc_openml_outofrange", 7, true},
                                         Published{"mnist", 8, false}, Published{"wine", 6, false},
                                         Published{"moons", 5, true}),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST(PublishedStructure, RefusesTreesOfOneOperand) {
  const auto structure = published_structure(test::small_model(), 1);
  ASSERT_FALSE(structure);
  EXPECT_EQ(structure.error().message, "adder trees of 1 operands: expected 2 to 8");
}

TEST(SignedWidth, HoldsBothEnds) {
  EXPECT_EQ(signed_width(0, 0), 1U);
  EXPECT_EQ(signed_width(-1, 0), 1U);
  EXPECT_EQ(signed_width(0, 1), 2U);
  EXPECT_EQ(signed_width(-64, 63), 7U);
  EXPECT_EQ(signed_width(-65, 63), 8U);
  EXPECT_EQ(signed_width(-1, 64), 8U);
}

}  // namespace
}  // namespace kantrig::synth
