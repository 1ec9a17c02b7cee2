// A bundle small enough to check by hand: 2 features of 2 bits, 2 nodes, 3 outputs, one pruned edge in each
// layer.
#pragma once

#include "kan/bundle.hpp"
#include "kan/reference.hpp"

namespace kantrig::test {

inline kan::Model small_model() {
  kan::Model model;
  model.inputs = {{.bits = 2, .scale = 1.5F, .offset = 1.0F}, {.bits = 2, .scale = 0.25F, .offset = -1.0F}};
  kan::Layer first;
  first.input_codes = {4, 4};
  first.nodes = {{.bias = 1, .shift = 1, .low = -4, .high = 3, .edge_begin = 0, .edge_end = 2},
                 {.bias = 0, .shift = 0, .low = 0, .high = 2, .edge_begin = 2, .edge_end = 3}};
  first.edges = {{0, 0}, {1, 4}, {1, 8}};
  first.tables = {-9, -2, 3, 300, 5, 4, -4, -5, 0, 1, 2, 7};
  kan::Layer second;
  second.input_codes = {8, 3};
  second.nodes = {{.bias = 0, .shift = 0, .low = -100, .high = 100, .edge_begin = 0, .edge_end = 2},
                  {.bias = -7, .shift = 2, .low = -100, .high = 100, .edge_begin = 2, .edge_end = 3},
                  {.bias = 12, .shift = 0, .low = -100, .high = 100, .edge_begin = 3, .edge_end = 3}};
  second.edges = {{0, 0}, {1, 8}, {0, 11}};
  second.tables = {10, 8, 6, 4, 2, 0, -2, -4, 50, -1, -50, -90, -60, -30, -1, 1, 30, 60, 90};
  model.layers = {first, second};
  model.output_scales = {0.5, 0.5, 0.5};
  return model;
}

/// All 16 inputs there are, with the outputs that the reference evaluator gives.
inline kan::GoldenVectors every_vector(const kan::Model& model) {
  kan::GoldenVectors golden;
  for (std::uint16_t code = 0; code < 16; ++code) {
    const std::vector<std::uint16_t> codes{static_cast<std::uint16_t>(code % 4),
                                           static_cast<std::uint16_t>(code / 4)};
    const auto outputs = kan::reference_outputs(model, codes);
    golden.inputs.insert(golden.inputs.end(), codes.begin(), codes.end());
    golden.outputs.insert(golden.outputs.end(), outputs.begin(), outputs.end());
    ++golden.count;
  }
  return golden;
}

inline kan::Bundle small_bundle() {
  kan::Bundle bundle;
  bundle.name = "small";
  bundle.version = "1.2.0";
  bundle.description = "two features, three classes";
  bundle.features = {{"mass", "GeV"}, {"multiplicity", ""}};
  bundle.classes = {"g", "w", "z"};
  bundle.provenance = {.tool = "kanc",
                       .command = "test",
                       .source = "by hand",
                       .source_sha256 = "",
                       .specification_sha256 = "",
                       .seed = 7,
                       .license = "Apache-2.0"};
  bundle.metrics = {{"accuracy_validation", 0.75}};
  bundle.model = small_model();
  bundle.golden = every_vector(bundle.model);
  bundle.reference.features = {{"mass", 0, 1, {4, 3, 2, 1}}, {"multiplicity", 0, 2, {6, 4}}};
  bundle.reference.scores = {
      {"g", -100, 50, {1, 2, 3, 4}}, {"w", -100, 50, {0, 0, 5, 5}}, {"z", 12, 1, {10}}};
  bundle.report_json = "{\"epochs\": 3}\n";
  return bundle;
}

}  // namespace kantrig::test
