// SplineLayer: one layer of a KAN while it is learned, quantised in every step.
//
// Inputs have few codes, so an edge is evaluated once per code and step, not once per event: the tables of
// integers are built first, and an event's forward pass is the lookup and the integer sum that the finished
// model does. Gradients are gathered per table entry and carried to the parameters once per step. Rounding is
// passed straight through.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compiler/learned/elementary.hpp"
#include "compiler/learned/random.hpp"
#include "compiler/learned/spline.hpp"

namespace kantrig::train {

using learned::BaseFunction;
using learned::BasisRow;
using learned::Random;
using learned::SplineGrid;
using learned::ValueAndSlope;

struct LayerShape {
  std::uint32_t inputs = 0;
  std::uint32_t nodes = 0;
  std::uint32_t input_codes = 0;  // how many codes each input has
  std::uint32_t output_bits = 0;  // node outputs clamp to [-2^(bits-1), 2^(bits-1) - 1]
  double threshold = 1.0;         // real value of the output range's edge, to start from
};

/// What one edge is at one point: base weight x base function + sum of coefficients x basis, in this order of
/// operations everywhere, so that two ways of computing it agree bit for bit.
struct EdgePoint {
  BasisRow basis;
  ValueAndSlope base;
};

/// Threading: owned by one thread. Allocation: in the constructor and rebuild().
class SplineLayer {
 public:
  SplineLayer(const LayerShape& shape, const SplineGrid& grid, BaseFunction base, Random& random);

  [[nodiscard]] const LayerShape& shape() const noexcept { return shape_; }
  [[nodiscard]] std::int32_t low() const noexcept { return -(std::int32_t{1} << (shape_.output_bits - 1)); }
  [[nodiscard]] std::int32_t high() const noexcept {
    return (std::int32_t{1} << (shape_.output_bits - 1)) - 1;
  }
  /// Real value of one output code, as of the last rebuild().
  [[nodiscard]] double scale() const noexcept { return scale_; }
  /// The integer table entry that stands for a real edge value.
  [[nodiscard]] double quantised(double value) const noexcept;

  /// Coefficients, base weights, biases, logarithm of the threshold; decayed() of them are subject to weight
  /// decay.
  [[nodiscard]] std::span<double> parameters() noexcept { return parameters_; }
  [[nodiscard]] std::span<const double> gradients() const noexcept { return gradients_; }
  [[nodiscard]] std::size_t decayed() const noexcept { return bias_offset_; }

  /// Builds tables and slopes from the parameters; points[c] is the real value of input code c.
  void rebuild(std::span<const double> points);

  /// Sums of the nodes, in output codes, before clamping. codes.size() == inputs, sums.size() == nodes.
  void forward(std::span<const std::uint16_t> codes, std::span<float> sums) const noexcept;

  /// Takes in one event's loss gradient by the real, clamped outputs; adds the gradient by the real inputs to
  /// `by_inputs`, unless that is empty.
  void backward(std::span<const std::uint16_t> codes, std::span<const float> sums,
                std::span<const float> by_outputs, std::span<float> by_inputs) noexcept;

  /// Carries what backward() gathered since the last rebuild() over to gradients().
  void finish_gradients() noexcept;

  // The quantised layer, as it goes into the model.
  [[nodiscard]] bool active(std::uint32_t input, std::uint32_t node) const noexcept;
  [[nodiscard]] std::int16_t entry(std::uint32_t input, std::uint32_t code,
                                   std::uint32_t node) const noexcept;
  [[nodiscard]] std::int32_t bias(std::uint32_t node) const noexcept;
  [[nodiscard]] std::uint32_t active_edges() const noexcept;

  /// Takes an edge out for good; `mean` (real) goes into the node's bias. Call rebuild() afterwards.
  void prune(std::uint32_t input, std::uint32_t node, double mean) noexcept;

  /// The edge's real value at any point, before quantisation.
  [[nodiscard]] double edge_value(std::uint32_t input, std::uint32_t node, double x) const noexcept;

 private:
  [[nodiscard]] std::size_t edge_index(std::size_t input, std::size_t node) const noexcept;
  void update_scale() noexcept;
  void build_rows(std::size_t input, std::size_t code);
  void finish_row(std::size_t input, std::size_t code, double& by_scale) noexcept;

  LayerShape shape_;
  SplineGrid grid_;
  BaseFunction base_;
  std::size_t base_offset_ = 0;  // into parameters_
  std::size_t bias_offset_ = 0;
  std::size_t threshold_offset_ = 0;
  double scale_ = 1.0;
  double inverse_scale_ = 1.0;
  double entry_max_ = 0.0;
  std::vector<double> parameters_;      // coefficients [input][basis][node], base weights [input][node], ...
  std::vector<double> gradients_;       // as parameters_
  std::vector<double> active_;          // [input][node], 1 or 0
  std::vector<EdgePoint> points_;       // [code]
  std::vector<double> values_;          // [input][code][node], real, before rounding
  std::vector<float> entries_;          // as values_; integers
  std::vector<float> slopes_;           // as values_; real output by real input
  std::vector<float> entry_gradients_;  // as values_; by the real value
  std::vector<double> biases_;          // [node], integers
  std::vector<double> bias_gradients_;
  std::vector<float> masked_;    // [node], scratch of backward()
  double clamp_gradient_ = 0.0;  // by the scale, from clamped outputs
};

}  // namespace kantrig::train
