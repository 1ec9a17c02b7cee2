// The output stage of every kernel set gives what the reference evaluator gives, bit for bit, whether the
// nodes are computed here or elsewhere.
#include <gtest/gtest.h>

#include "contract/kernels/kernel_set_test.hpp"
#include "contract/kernels/random_autoencoder.hpp"
#include "kan/evaluator.hpp"
#include "kan/reference.hpp"

namespace kantrig::test {
namespace {

using kan::DistanceMeasure;
using kan::Evaluator;
using kan::Model;
using kan::Workspace;

constexpr std::uint32_t kBatches[] = {0, 1, 2, 3, 4, 8, 9, 12, 13, 63, 64, 65, 128, 131, 256, 257, 330};
constexpr std::uint32_t kEventsMax = 330;
constexpr std::size_t kStride = 384;  // whole tiles

/// What the reference says of a batch, node by node.
struct Expected {
  std::vector<std::int16_t> nodes;
  std::vector<std::int16_t> scores;
  std::vector<std::uint8_t> classes;
};

Expected expected_of(const Model& model, std::uint32_t events, std::span<const std::uint16_t> codes) {
  Expected expected;
  // Past the events too a node gives what it can give.
  for (const kan::Node& node : model.layers.back().nodes)
    expected.nodes.insert(expected.nodes.end(), kStride, static_cast<std::int16_t>(node.low));
  for (std::uint32_t e = 0; e < events; ++e) {
    const auto row = codes.subspan(std::size_t{e} * model.input_count(), model.input_count());
    const auto nodes = kan::reference_nodes(model, row);
    for (std::size_t k = 0; k < nodes.size(); ++k) expected.nodes[k * kStride + e] = nodes[k];
    const auto outputs = kan::reference_outputs(model, row);
    EXPECT_EQ(outputs.size(), 1U);
    expected.scores.push_back(outputs.front());
    expected.classes.push_back(kan::reference_class(model, outputs));
  }
  return expected;
}

void expect_scores(const Workspace& workspace, const Expected& expected, const char* how) {
  for (std::size_t e = 0; e < expected.scores.size(); ++e) {
    ASSERT_EQ(workspace.outputs(0)[e], expected.scores[e]) << how << ", event " << e;
    ASSERT_EQ(workspace.classes()[e], expected.classes[e]) << how << ", event " << e;
  }
}

void expect_equal(const Model& model, const Evaluator& evaluator, std::uint64_t seed) {
  Workspace workspace(evaluator, kEventsMax);
  Workspace other(evaluator, kEventsMax);
  for (const std::uint32_t events : kBatches) {
    SCOPED_TRACE("batch of " + std::to_string(events));
    const auto codes = random_codes(model, events, seed + events);
    const Expected expected = expected_of(model, events, codes);
    const auto bytes = std::as_bytes(std::span(codes));
    ASSERT_EQ(evaluator.load_code16(bytes, events, workspace), 0U);
    evaluator.evaluate(workspace);
    ASSERT_NO_FATAL_FAILURE(expect_scores(workspace, expected, "evaluated"));
    ASSERT_EQ(evaluator.load_code16(bytes, events, other), 0U);
    evaluator.score_nodes({expected.nodes.data(), kStride}, other);
    ASSERT_NO_FATAL_FAILURE(expect_scores(other, expected, "nodes from elsewhere"));
  }
}

std::vector<std::uint32_t> bits_of(std::size_t inputs, std::uint32_t bits) {
  return std::vector<std::uint32_t>(inputs, bits);
}

struct Case {
  ModelShape shape;
  StageShape stage;
};

std::vector<Case> cases() {
  const ModelShape toyadmos{.name = "64-16-8-16-64",
                            .input_bits = bits_of(64, 6),
                            .nodes = {16, 8, 16, 64},
                            .output_low = 0,
                            .output_high = 63};
  ModelShape bytes = toyadmos;
  bytes.name = "nodes of 8 bits";
  bytes.entry_max = 90;
  bytes.input_bits = {8, 8, 5, 7, 6, 1, 8, 2};
  bytes.output_low = -128;
  bytes.output_high = 127;
  const ModelShape wide{.name = "wide nodes and inputs",
                        .input_bits = {12, 3, 9, 6},
                        .nodes = {5, 9},
                        .entry_max = 900,
                        .output_low = -700,
                        .output_high = 900};
  const ModelShape one_layer{.name = "one layer", .input_bits = bits_of(5, 4), .nodes = {5}};
  const ModelShape one_node{.name = "one node", .input_bits = bits_of(2, 6), .nodes = {3, 1}};
  const ModelShape many{.name = "300 nodes", .input_bits = bits_of(40, 5), .nodes = {6, 300}};
  const ModelShape bytes_many{.name = "300 nodes of 8 bits",
                              .input_bits = bits_of(12, 8),
                              .nodes = {4, 300},
                              .entry_max = 90,
                              .output_low = 0,
                              .output_high = 255};
  const ModelShape flat{.name = "nodes of one value",
                        .input_bits = bits_of(4, 4),
                        .nodes = {3, 4},
                        .output_low = 5,
                        .output_high = 5};
  std::vector<Case> all;
  for (const DistanceMeasure measure : {DistanceMeasure::kAbsolute, DistanceMeasure::kSquared}) {
    for (const ModelShape& shape : {toyadmos, bytes, wide, one_layer, one_node, many, bytes_many, flat}) {
      for (const std::uint32_t shift : {0U, 1U, 4U, 9U, 17U, 30U})
        all.push_back({shape, {.measure = measure, .shift = shift, .targets_beyond = 0}});
      all.push_back({shape, {.measure = measure, .shift = 2, .targets_beyond = 40}});
    }
  }
  return all;
}

TEST_F(KernelSetTest, StagesOfEveryShapeGiveWhatTheReferenceGives) {
  std::uint64_t seed = 1;
  for (const Case& each : cases()) {
    SCOPED_TRACE(each.shape.name +
                 (each.stage.measure == DistanceMeasure::kSquared ? ", squared" : ", absolute") + ", shift " +
                 std::to_string(each.stage.shift) + ", seed " + std::to_string(seed));
    const Model model = with_random_stage(random_model(each.shape, seed), each.stage, seed);
    const auto checked = kan::check(model);
    ASSERT_TRUE(checked.has_value()) << checked.error().message;
    ASSERT_NO_FATAL_FAILURE(expect_equal(model, evaluator(model), seed));
    ++seed;
  }
}

TEST_F(KernelSetTest, RandomStagesGiveWhatTheReferenceGives) {
  std::uint32_t saturated = 0;
  for (std::uint64_t seed = 2000; seed < 2080; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    ModelShape shape{.name = "random", .input_bits = {}, .nodes = {}};
    for (std::int32_t i = draw(random, 1, 24); i > 0; --i)
      shape.input_bits.push_back(static_cast<std::uint32_t>(draw(random, 1, seed % 3 == 0 ? 12 : 8)));
    for (std::int32_t l = draw(random, 1, 4); l > 0; --l)
      shape.nodes.push_back(static_cast<std::uint32_t>(draw(random, 1, 30)));
    shape.codes_min = draw(random, 1, 100);
    shape.codes_max = shape.codes_min + draw(random, 0, 156);
    shape.entry_max = (1 << draw(random, 1, 12)) - 1;
    shape.edge_fraction = 0.25 * draw(random, 1, 4);
    shape.shift_max = static_cast<std::uint32_t>(draw(random, 0, 6));
    shape.output_low = draw(random, -300, 10);
    shape.output_high = shape.output_low + draw(random, 0, seed % 4 == 0 ? 3000 : 255);
    const StageShape stage{.measure = seed % 2 == 0 ? DistanceMeasure::kAbsolute : DistanceMeasure::kSquared,
                           .shift = static_cast<std::uint32_t>(draw(random, 0, 8)),
                           .targets_beyond = seed % 5 == 0 ? 100 : 0};
    const Model model = with_random_stage(random_model(shape, seed), stage, seed);
    ASSERT_TRUE(kan::check(model).has_value());
    saturated += kan::output_ranges(model).front().high == kan::kScoreMax ? 1 : 0;
    ASSERT_NO_FATAL_FAILURE(expect_equal(model, evaluator(model), seed));
  }
  EXPECT_GT(saturated, 3U) << "some scores can reach the limit";
}

}  // namespace
}  // namespace kantrig::test
