// What a model costs, against the compiled design.
#include "compiler/explore/model_cost.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "compiler/hardware/fixed.hpp"
#include "kan/bundle.hpp"

namespace kantrig::explore {
namespace {

TEST(ModelCost, OfTheJetsModelHasTheCyclesOfTheCompiledDesign) {
  const auto bundle =
      kan::load_bundle(std::filesystem::path(KANTRIG_SOURCE_DIR) / "firmware/models/jets/jets-1.1.0");
  ASSERT_TRUE(bundle) << bundle.error().message;
  const ModelCost cost = cost_of(bundle->model);
  const auto compiled = compiler::compile_fixed(*bundle, {});
  ASSERT_TRUE(compiled) << compiled.error().message;
  EXPECT_EQ(compiled->design.cycles, cost.cycles);
}

TEST(ModelCost, CountsWhatVaries) {
  kan::Model model;
  model.inputs.assign(2, {.bits = 2});
  model.output_scales = {1.0};
  kan::Layer layer;
  layer.input_codes = {4, 4};
  layer.nodes = {{.bias = 0, .shift = 0, .low = -100, .high = 100, .edge_begin = 0, .edge_end = 2}};
  layer.edges = {{.input = 0, .table_offset = 0}, {.input = 1, .table_offset = 4}};
  layer.tables = {-20, -20, -13, -20, 9, 9, 9, 9};
  model.layers.push_back(layer);
  const ModelCost cost = cost_of(model);
  EXPECT_EQ(1U, cost.edges);
  EXPECT_EQ(4U, cost.table_entries);
  EXPECT_EQ(12U, cost.parameter_bits) << "0 to 7 are three bits";
  EXPECT_EQ(2U, cost.cycles);
}

}  // namespace
}  // namespace kantrig::explore
