// Every kernel set gives what the reference evaluator gives, bit for bit.
#include <gtest/gtest.h>

#include "contract/kernels/kernel_set_test.hpp"
#include "contract/kernels/random_model.hpp"
#include "kan/evaluator.hpp"
#include "kan/reference.hpp"

namespace kantrig::test {
namespace {

using kan::Evaluator;
using kan::Model;
using kan::Workspace;

std::vector<std::uint32_t> bits_of(std::size_t inputs, std::uint32_t bits) {
  return std::vector<std::uint32_t>(inputs, bits);
}

std::span<const std::byte> bytes_of(const std::vector<std::uint16_t>& codes) {
  return std::as_bytes(std::span(codes));
}

void expect_event(const Model& model, const Workspace& workspace, std::uint32_t event,
                  std::span<const std::uint16_t> codes) {
  const std::vector<std::int16_t> expected = kan::reference_outputs(model, codes);
  for (std::uint32_t k = 0; k < expected.size(); ++k) {
    ASSERT_EQ(workspace.outputs(k)[event], expected[k]) << "event " << event << " output " << k;
  }
  ASSERT_EQ(workspace.classes()[event], kan::reference_class(model, expected)) << "event " << event;
}

void expect_equal(const Model& model, const Evaluator& evaluator, Workspace& workspace, std::uint32_t events,
                  const std::vector<std::uint16_t>& codes) {
  ASSERT_EQ(evaluator.load_code16(bytes_of(codes), events, workspace), 0U);
  evaluator.evaluate(workspace);
  const std::size_t inputs = model.input_count();
  for (std::uint32_t e = 0; e < events; ++e) {
    ASSERT_NO_FATAL_FAILURE(expect_event(model, workspace, e, std::span(codes).subspan(e * inputs, inputs)));
  }
}

constexpr std::uint32_t kBatches[] = {0,  1,  2,   3,   4,   5,   8,   9,   31, 63,
                                      64, 65, 127, 128, 129, 255, 256, 257, 330};

void check_shape(const ModelShape& shape, const Evaluator& evaluator, const Model& model,
                 std::uint64_t seed) {
  SCOPED_TRACE(shape.name + ", seed " + std::to_string(seed));
  Workspace workspace(evaluator, 330);
  for (const std::uint32_t events : kBatches) {
    SCOPED_TRACE("batch of " + std::to_string(events));
    const auto codes = random_codes(model, events, seed + events);
    ASSERT_NO_FATAL_FAILURE(expect_equal(model, evaluator, workspace, events, codes));
  }
}

std::vector<ModelShape> shapes() {
  std::vector<ModelShape> all;
  all.push_back({.name = "jets",
                 .input_bits = bits_of(16, 6),
                 .nodes = {8, 5},
                 .codes_max = 128,
                 .codes_min = 128,
                 .edge_fraction = 0.5});
  for (std::uint32_t bits = 1; bits <= kan::kInputBitsMax; ++bits) {
    all.push_back({.name = "inputs of " + std::to_string(bits) + " bits",
                   .input_bits = bits_of(5, bits),
                   .nodes = {4, 3},
                   .codes_max = 256,
                   .codes_min = 2,
                   .entry_max = 90});
  }
  all.push_back({.name = "inputs of mixed width",
                 .input_bits = {1, 12, 3, 8, 9, 4, 5, 6, 7, 10, 11, 2, 8, 8, 1, 6, 12, 7, 3},
                 .nodes = {9, 7, 4},
                 .codes_max = 700,
                 .codes_min = 1,
                 .entry_max = 300,
                 .edge_fraction = 0.7,
                 .shift_max = 3});
  all.push_back({.name = "odd code counts",
                 .input_bits = bits_of(7, 5),
                 .nodes = {13, 11, 6},
                 .codes_max = 200,
                 .codes_min = 1,
                 .entry_max = 70});
  all.push_back({.name = "everything fits a byte",
                 .input_bits = bits_of(3, 6),
                 .nodes = {6, 4},
                 .codes_max = 60,
                 .codes_min = 3,
                 .entry_max = 25,
                 .shift_max = 3});
  all.push_back({.name = "shifts",
                 .input_bits = bits_of(6, 7),
                 .nodes = {9, 8, 3},
                 .codes_max = 256,
                 .codes_min = 5,
                 .entry_max = 2000,
                 .shift_max = 9,
                 .bias_max = 3000});
  all.push_back({.name = "shifts beyond every sum",
                 .input_bits = bits_of(6, 7),
                 .nodes = {9, 8, 3},
                 .codes_max = 90,
                 .codes_min = 5,
                 .entry_max = 3000,
                 .shift_max = 29,
                 .bias_max = 300000});
  all.push_back({.name = "extreme entries and biases",
                 .input_bits = bits_of(9, 8),
                 .nodes = {6, 5, 4},
                 .codes_max = 4096,
                 .codes_min = 4000,
                 .entry_max = 32767,
                 .shift_max = 5,
                 .bias_max = 1'000'000'000,
                 .output_low = -32768,
                 .output_high = 32767});
  all.push_back({.name = "sums near 16 bits",
                 .input_bits = bits_of(9, 6),
                 .nodes = {12, 10, 6},
                 .codes_max = 256,
                 .codes_min = 250,
                 .entry_max = 4000,
                 .shift_max = 7,
                 .bias_max = 20000,
                 .output_low = -32768,
                 .output_high = 32767});
  all.push_back({.name = "outputs of one value",
                 .input_bits = bits_of(4, 4),
                 .nodes = {3, 3},
                 .output_low = 5,
                 .output_high = 5});
  all.push_back({.name = "outputs of 300 values",
                 .input_bits = bits_of(4, 6),
                 .nodes = {3, 6},
                 .entry_max = 90,
                 .output_low = -150,
                 .output_high = 149});
  all.push_back(
      {.name = "one output", .input_bits = bits_of(2, 6), .nodes = {2, 1}, .codes_max = 32, .codes_min = 32});
  all.push_back({.name = "one wide output",
                 .input_bits = bits_of(2, 6),
                 .nodes = {2, 1},
                 .entry_max = 3000,
                 .output_low = -4000,
                 .output_high = 4000});
  all.push_back({.name = "one output that is never positive",
                 .input_bits = bits_of(2, 3),
                 .nodes = {2, 1},
                 .output_low = -9,
                 .output_high = -1});
  all.push_back({.name = "one layer",
                 .input_bits = bits_of(17, 6),
                 .nodes = {6},
                 .output_low = -128,
                 .output_high = 127});
  all.push_back(
      {.name = "62 nodes", .input_bits = bits_of(20, 6), .nodes = {62, 62, 10}, .edge_fraction = 0.4});
  all.push_back({.name = "784 inputs of one bit",
                 .input_bits = bits_of(784, 1),
                 .nodes = {62, 10},
                 .edge_fraction = 0.02});
  all.push_back(
      {.name = "256 outputs", .input_bits = bits_of(3, 4), .nodes = {4, 256}, .edge_fraction = 0.8});
  all.push_back({.name = "8 layers",
                 .input_bits = bits_of(8, 6),
                 .nodes = {7, 9, 6, 8, 5, 9, 4, 3},
                 .codes_max = 100,
                 .codes_min = 20,
                 .entry_max = 15});
  all.push_back(
      {.name = "no edges at all", .input_bits = bits_of(3, 6), .nodes = {4, 3}, .edge_fraction = 0.0});
  all.push_back({.name = "hundreds of nodes",
                 .input_bits = bits_of(40, 8),
                 .nodes = {200, 20},
                 .codes_max = 256,
                 .codes_min = 256,
                 .entry_max = 120,
                 .edge_fraction = 0.3});
  return all;
}

TEST_F(KernelSetTest, TheForcedSetIsTheOneThatRuns) {
  const Model model = random_model(shapes().front(), 1);
  EXPECT_EQ(evaluator(model).kernel_set(), kernel_set_option());
  const kernels::KernelSet* set = kernels::select_set(kernel_set_option());
  ASSERT_NE(set, nullptr);
  EXPECT_EQ(set->name, kernel_set_option());
  for (const kernels::KernelSet& other : kernels::sets()) {
    if (other.name != set->name) {
      EXPECT_NE(other.eval_tiles, set->eval_tiles) << other.name;
      EXPECT_NE(other.load_float32, set->load_float32) << other.name;
    }
  }
}

TEST_F(KernelSetTest, RandomModelsOfEveryShapeGiveWhatTheReferenceGives) {
  for (const ModelShape& shape : shapes()) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      const Model model = random_model(shape, seed);
      const auto checked = kan::check(model);
      ASSERT_TRUE(checked.has_value()) << shape.name << ": " << checked.error().message;
      ASSERT_NO_FATAL_FAILURE(check_shape(shape, evaluator(model), model, seed));
    }
  }
}

TEST_F(KernelSetTest, RandomShapesGiveWhatTheReferenceGives) {
  for (std::uint64_t seed = 1000; seed < 1120; ++seed) {
    Random random(seed);
    ModelShape shape{.name = "random shape", .input_bits = {}, .nodes = {}};
    for (std::int32_t i = draw(random, 1, 24); i > 0; --i) {
      shape.input_bits.push_back(static_cast<std::uint32_t>(draw(random, 1, seed % 3 == 0 ? 12 : 8)));
    }
    for (std::int32_t l = draw(random, 1, 4); l > 0; --l)
      shape.nodes.push_back(static_cast<std::uint32_t>(draw(random, 1, 20)));
    shape.codes_min = draw(random, 1, 100);
    shape.codes_max = shape.codes_min + draw(random, 0, seed % 3 == 1 ? 500 : 156);
    shape.entry_max = (1 << draw(random, 1, 14)) - 1;
    shape.edge_fraction = 0.25 * draw(random, 1, 4);
    shape.shift_max = static_cast<std::uint32_t>(draw(random, 0, 12));
    shape.bias_max = draw(random, 0, 4 * shape.entry_max);
    shape.output_low = draw(random, -300, 10);
    shape.output_high = shape.output_low + draw(random, 0, 400);
    const Model model = random_model(shape, seed);
    ASSERT_TRUE(kan::check(model).has_value()) << "seed " << seed;
    ASSERT_NO_FATAL_FAILURE(check_shape(shape, evaluator(model), model, seed));
  }
}

TEST_F(KernelSetTest, ABatchOf4096EventsGivesWhatTheReferenceGives) {
  const Model model = random_model(shapes().front(), 7);
  const Evaluator under_test = evaluator(model);
  Workspace workspace(under_test, 4096);
  expect_equal(model, under_test, workspace, 4096, random_codes(model, 4096, 8));
}

TEST_F(KernelSetTest, EveryCombinationOfCodesOfASmallModelGivesWhatTheReferenceGives) {
  const Model model =
      random_model({.name = "", .input_bits = {6, 6}, .nodes = {5, 4}, .codes_max = 130, .codes_min = 2}, 11);
  const Evaluator under_test = evaluator(model);
  Workspace workspace(under_test, 4096);
  std::vector<std::uint16_t> codes;
  for (std::uint16_t a = 0; a < 64; ++a) {
    for (std::uint16_t b = 0; b < 64; ++b) codes.insert(codes.end(), {a, b});
  }
  expect_equal(model, under_test, workspace, 4096, codes);
}

TEST_F(KernelSetTest, OneBitChangedInOneTableChangesAnOutput) {
  const ModelShape shape{.name = "",
                         .input_bits = {6, 6},
                         .nodes = {3},
                         .entry_max = 60,
                         .output_low = -1000,
                         .output_high = 1000};
  const Model model = random_model(shape, 13);
  const auto codes = random_codes(model, 128, 14);
  for (const std::uint32_t edge : {0U, 3U, 5U}) {
    for (const std::uint32_t event : {0U, 1U, 40U, 63U, 64U, 127U}) {
      Model changed = model;
      kan::Layer& layer = changed.layers.front();
      std::int16_t& entry =
          layer.tables[layer.edges[edge].table_offset + codes[event * 2 + layer.edges[edge].input]];
      entry = static_cast<std::int16_t>(entry ^ 1);
      const Evaluator whole = evaluator(model);
      const Evaluator broken = evaluator(changed);
      Workspace expected(whole, 128);
      Workspace actual(broken, 128);
      ASSERT_EQ(whole.load_code16(bytes_of(codes), 128, expected), 0U);
      ASSERT_EQ(broken.load_code16(bytes_of(codes), 128, actual), 0U);
      whole.evaluate(expected);
      broken.evaluate(actual);
      const std::uint32_t node = edge / 2;
      EXPECT_EQ(std::abs(expected.outputs(node)[event] - actual.outputs(node)[event]), 1)
          << "edge " << edge << " event " << event;
    }
  }
}

TEST_F(KernelSetTest, ATieGoesToTheLowestClass) {
  Model model = random_model({.name = "", .input_bits = {3}, .nodes = {5}, .edge_fraction = 0.0}, 1);
  for (const auto& [biases, expected] :
       std::vector<std::pair<std::vector<std::int32_t>, int>>{{{3, 3, 3, 3, 3}, 0},
                                                              {{-40, -40, -50, -40, -60}, 0},
                                                              {{1, 2, 7, 7, 2}, 2},
                                                              {{-9, -8, -7, 31, 90}, 3}}) {
    for (std::size_t k = 0; k < biases.size(); ++k) model.layers[0].nodes[k].bias = biases[k];
    const Evaluator under_test = evaluator(model);
    Workspace workspace(under_test, 100);
    const std::vector<std::uint16_t> codes(100, 2);
    ASSERT_EQ(under_test.load_code16(bytes_of(codes), 100, workspace), 0U);
    under_test.evaluate(workspace);
    for (int e = 0; e < 100; ++e) ASSERT_EQ(workspace.classes()[e], expected) << "event " << e;
  }
}

TEST_F(KernelSetTest, AModelThatFailsItsCheckIsRefused) {
  Model model = random_model(shapes().front(), 1);
  model.layers[0].edges[0].table_offset = 1U << 30;
  const auto made = Evaluator::create(model, kernel_set_option());
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace kantrig::test
