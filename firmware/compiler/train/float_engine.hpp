// FloatEngine: a KAN of real functions, run with B-spline locality: of an edge's basis only the order + 1
// functions that are not 0 at the event's value are touched, forward and backward (as arXiv 2602.02056 does
// on FPGAs).
#pragma once

#include <vector>

#include "compiler/train/edge_points.hpp"
#include "compiler/train/engine.hpp"

namespace kantrig::train {

class FloatEngine final : public Engine {
 public:
  FloatEngine(const learned::LearnedKan& kan, const ParameterMap& map, std::size_t slots);

  void prepare(std::span<const double> parameters) override;
  [[nodiscard]] std::span<const float> forward(std::size_t slot, const Samples& samples,
                                               std::span<const std::uint32_t> rows) override;
  void backward(std::size_t slot, std::span<float> by_outputs) override;
  void finish(std::size_t slots, std::span<double> gradient) override;
  [[nodiscard]] std::size_t width() const noexcept override { return layers_.back().edges.width(); }

 private:
  struct LayerState {
    PaddedEdges edges;
    std::vector<float> biases;  // padded
  };
  /// What a chunk leaves in a layer on its way forward, and the gradients that gather on its way back.
  struct LayerTrace {
    std::vector<EdgePoints> points;  // [input]
    std::vector<float> inputs;       // [input][row]
    std::vector<float> outputs;      // [row][node]
    PaddedEdges gradients;
    std::vector<float> by_biases;
  };
  struct Slot {
    std::size_t rows = 0;
    std::vector<LayerTrace> layers;
    std::vector<float> by_outputs;  // [row][node] of the layer that is being gone back through
  };
  void run_layer(Slot& slot, std::size_t index);
  void pass_on(Slot& slot, std::size_t index);

  learned::LearnedKan kan_;  // structure only
  ParameterMap map_;
  std::vector<LayerState> layers_;
  std::vector<Slot> slots_;
};

}  // namespace kantrig::train
