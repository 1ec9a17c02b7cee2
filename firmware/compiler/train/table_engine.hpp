// TableEngine: a quantised KAN, run in table space. A code has few values, so an edge is evaluated once per
// code and step: events only look up integers, as the finished model does; their gradients gather per entry
// and are carried to the coefficients once a step. What an epoch costs depends neither on the grid nor on the
// order. Rounding is passed straight through, a clamped node passes nothing, and a layer's scale is learned
// by what rounding and clamping lose (LSQ, arXiv 1902.08153).
#pragma once

#include <vector>

#include "compiler/train/edge_points.hpp"
#include "compiler/train/engine.hpp"

namespace kantrig::train {

class TableEngine final : public Engine {
 public:
  /// Precondition: kan.quantized().
  TableEngine(const learned::LearnedKan& kan, const ParameterMap& map, std::size_t slots);

  void prepare(std::span<const double> parameters) override;
  [[nodiscard]] std::span<const float> forward(std::size_t slot, const Samples& samples,
                                               std::span<const std::uint32_t> rows) override;
  void backward(std::size_t slot, std::span<float> by_outputs) override;
  void finish(std::size_t slots, std::span<double> gradient) override;
  [[nodiscard]] std::size_t width() const noexcept override { return layers_.back().edges.width(); }

  /// Tables as of the last prepare(), for what is charged for them (area.hpp): rows of layer `layer`, one for
  /// each code of each input, input by input.
  struct Tables {
    std::span<const float> entries;          // [row][node], padded to width
    std::span<const std::uint32_t> offsets;  // [input] and one past: first row
    std::span<const float> inverse_units;    // [node], entries per real unit
    std::size_t width = 0;
  };
  [[nodiscard]] Tables tables(std::size_t layer) const noexcept;
  /// Adds to what is gathered for entries, in real units, before finish(): [row][node] as tables().
  [[nodiscard]] std::span<float> charges(std::size_t layer) noexcept { return layers_[layer].charges; }

 private:
  struct LayerState {
    explicit LayerState(const learned::Layer& layer) : edges(layer), gradients(layer) {}

    PaddedEdges edges;
    PaddedEdges gradients;               // of finish()
    std::vector<EdgePoints> points;      // [input]
    std::vector<std::uint32_t> offsets;  // [input] and one past: first row
    std::vector<float> point_values;     // [row], each input padded; where edges are evaluated
    std::vector<float> values;           // [row][node], real
    std::vector<float> entries;          // as values: integers
    std::vector<float> slopes;           // as values: real output by real input
    std::vector<float> passes;           // as values: 1 where the entry hangs on the value
    std::vector<float> charges;          // as values
    std::vector<float> biases;           // [node], integers
    std::vector<float> raw_biases;       // [node], in units of sums, before rounding
    std::vector<float> scales;           // [node], real value of an output code
    std::vector<float> inverse_units;    // [node], sum units per real unit
    std::vector<float> low;              // [node]
    std::vector<float> high;
    float inverse_unit = 1.0F;     // 2^-guard_bits
    std::vector<float> multiples;  // [input][node], 2^dropped, as the next four
    std::vector<float> inverse_multiples;
    std::vector<float> entry_low;
    std::vector<float> entry_high;
    std::vector<float> active;
  };
  struct LayerTrace {
    std::vector<std::uint16_t> codes;  // [row][input]
    std::vector<float> sums;           // [row][node]
    std::vector<float> gathered;       // [table row][node], by the real value
    std::vector<float> by_biases;      // [node]
    std::vector<float> by_range;       // [node]
  };
  struct Slot {
    std::size_t rows = 0;
    std::vector<LayerTrace> layers;
    std::vector<float> outputs;     // [row][node], integers, then real for the last layer
    std::vector<float> by_outputs;  // [row][node]
    std::vector<float> by_inputs;   // [row][input]
  };
  void add_layer(std::size_t index);
  void set_points(std::size_t index);
  void build_tables(std::size_t index);
  void finish_layer(std::size_t index, std::size_t slots, std::span<double> gradient);

  learned::LearnedKan kan_;  // structure only
  ParameterMap map_;
  std::vector<LayerState> layers_;
  std::vector<Slot> slots_;
};

}  // namespace kantrig::train
