#include "compiler/verify/edge_sweep.hpp"

#include <gtest/gtest.h>

#include <set>

#include "kan/reference.hpp"
#include "support/plain_design.hpp"

namespace kantrig::compiler {
namespace {

std::vector<HardwareField> fields_of(const kan::Layer& layer) {
  std::vector<HardwareField> fields;
  for (const std::uint32_t codes : layer.input_codes) {
    fields.emplace_back();
    fields.back().codes = codes;
  }
  return fields;
}

TEST(CodeSpace, DrawsOnlyReachableCodesAndAllOfThem) {
  HardwareField field;
  field.codes = 16;
  field.reachable = {{2, 3}, {9, 9}};
  const CodeSpace space({field});
  std::set<std::uint16_t> seen;
  std::vector<std::uint16_t> row(1);
  for (std::uint64_t i = 0; i < 200; ++i) {
    space.random_row(5, i, row);
    seen.insert(row[0]);
  }
  EXPECT_EQ(seen, (std::set<std::uint16_t>{2, 3, 9}));
}

TEST(CodeSpace, CountsCombinationsUpToABound) {
  std::vector<HardwareField> fields(2);
  fields[0].codes = 3;
  fields[1].codes = 4;
  const CodeSpace space(fields);
  const std::vector<std::uint32_t> both{0, 1};
  EXPECT_EQ(space.combinations(both, 12), 12U);
  EXPECT_EQ(space.combinations(both, 11), 12U);
  EXPECT_EQ(space.combinations(both, 5), 6U);
  std::set<std::vector<std::uint16_t>> rows;
  std::vector<std::uint16_t> row(2);
  for (std::uint64_t i = 0; i < 12; ++i) {
    space.combination(both, i, row);
    rows.insert(row);
  }
  EXPECT_EQ(rows.size(), 12U);
}

TEST(EdgeSweep, GoesThroughEveryCodeOfEveryEdge) {
  const kan::Model model = test::two_layer_bundle().model;
  const CodeSpace space(fields_of(model.layers[0]));
  const EdgeSweep sweep(model.layers[0], 3, space, 1);
  EXPECT_EQ(sweep.entries(), 16U + 8U + 32U);
  EXPECT_EQ(sweep.steps().size(), (16U + 8U + 32U) * EdgeSweep::kSettings);
  std::vector<std::uint16_t> row(3);
  for (std::uint64_t i = 0; i < sweep.steps().size(); ++i) {
    sweep.fill(i, row);
    EXPECT_EQ(row[sweep.inputs()[sweep.steps()[i].edge]], sweep.steps()[i].code);
  }
}

/// Whether some row of the sweep gives another output once `entry` of `layer` is changed by `by`.
bool is_seen(const kan::Model& model, std::size_t entry, int by, const EdgeSweep& sweep, std::uint32_t node) {
  kan::Model changed = model;
  changed.layers[0].tables[entry] = static_cast<std::int16_t>(changed.layers[0].tables[entry] + by);
  std::vector<std::uint16_t> row(model.inputs.size());
  for (std::uint64_t i = 0; i < sweep.steps().size(); ++i) {
    sweep.fill(i, row);
    if (kan::reference_outputs(model, row)[node] != kan::reference_outputs(changed, row)[node]) return true;
  }
  return false;
}

TEST(EdgeSweep, SeesEveryEntryThatIsOffByOneWhereItSaysSo) {
  kan::Model model = test::two_layer_bundle().model;
  model.layers.resize(1);
  const CodeSpace space(fields_of(model.layers[0]));
  for (const std::uint32_t node : {0U, 1U, 3U}) {  // shift 0, 2 and 3
    const EdgeSweep sweep(model.layers[0], node, space, 7);
    std::uint64_t seen = 0;
    const kan::Node& at = model.layers[0].nodes[node];
    for (std::uint32_t e = at.edge_begin; e < at.edge_end; ++e) {
      const kan::Edge& edge = model.layers[0].edges[e];
      for (std::uint32_t c = 0; c < model.layers[0].input_codes[edge.input]; ++c) {
        const std::size_t entry = edge.table_offset + c;
        seen += is_seen(model, entry, 1, sweep, node) && is_seen(model, entry, -1, sweep, node) ? 1 : 0;
      }
    }
    EXPECT_GE(seen, sweep.entries_seen_exactly()) << "node " << node;
    EXPECT_GE(sweep.entries_seen_exactly() * 10, sweep.entries() * 9) << "node " << node;
  }
}

}  // namespace
}  // namespace kantrig::compiler
