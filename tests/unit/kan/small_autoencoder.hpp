// An autoencoder small enough to check by hand: two features of 2 bits, one node between, two
// reconstructions.
#pragma once

#include "unit/kan/small_bundle.hpp"

namespace kantrig::test {

/// Codes (a, b) meet in a node h = a + b; the nodes of the last layer say h and 2 h, and should say a and 2
/// b.
inline kan::Model small_autoencoder() {
  kan::Model model;
  model.inputs = {{.bits = 2, .scale = 1.0F, .offset = 0.0F}, {.bits = 2, .scale = 1.0F, .offset = 0.0F}};
  kan::Layer encoder;
  encoder.input_codes = {4, 4};
  encoder.nodes = {{.bias = 0, .shift = 0, .low = 0, .high = 6, .edge_begin = 0, .edge_end = 2}};
  encoder.edges = {{0, 0}, {1, 4}};
  encoder.tables = {0, 1, 2, 3, 0, 1, 2, 3};
  kan::Layer decoder;
  decoder.input_codes = {7};
  decoder.nodes = {{.bias = 0, .shift = 0, .low = -10, .high = 10, .edge_begin = 0, .edge_end = 1},
                   {.bias = 0, .shift = 0, .low = 0, .high = 12, .edge_begin = 1, .edge_end = 2}};
  decoder.edges = {{0, 0}, {0, 7}};
  decoder.tables = {0, 1, 2, 3, 4, 5, 6, 0, 2, 4, 6, 8, 10, 12};
  model.layers = {encoder, decoder};
  model.output_scales = {0.5};
  model.output_stage = kan::OutputStage{.measure = kan::DistanceMeasure::kAbsolute,
                                        .shift = 0,
                                        .class_above = 4,
                                        .inputs = {0, 1},
                                        .targets = {0, 1, 2, 3, 0, 2, 4, 6}};
  return model;
}

inline kan::Bundle small_autoencoder_bundle() {
  kan::Bundle bundle = small_bundle();
  bundle.name = "small-autoencoder";
  bundle.description = "two features and their reconstruction";
  bundle.classes = {"normal", "anomaly"};
  bundle.model = small_autoencoder();
  bundle.golden = every_vector(bundle.model);
  bundle.reference.scores = {{"anomaly", 0, 4, {9, 5, 2}}};
  return bundle;
}

}  // namespace kantrig::test
