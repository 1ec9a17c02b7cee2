#include "compiler/train/float_engine.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace kantrig::train {

FloatEngine::FloatEngine(const learned::LearnedKan& kan, const ParameterMap& map, std::size_t slots)
    : kan_(kan), map_(map) {
  for (const learned::Layer& layer : kan_.layers)
    layers_.push_back(
        {.edges = PaddedEdges(layer), .biases = std::vector<float>(loops::padded(layer.nodes), 0.0F)});
  slots_.resize(slots);
  for (Slot& slot : slots_) {
    std::size_t widest = 0;
    for (std::size_t l = 0; l < kan_.layers.size(); ++l) {
      const learned::Layer& layer = kan_.layers[l];
      const std::size_t width = layers_[l].edges.width();
      widest = std::max(widest, width);
      slot.layers.push_back({.points = {},
                             .inputs = std::vector<float>(layer.inputs * kChunkRows, 0.0F),
                             .outputs = std::vector<float>(kChunkRows * width, 0.0F),
                             .gradients = PaddedEdges(layer),
                             .by_biases = std::vector<float>(width, 0.0F)});
      for (std::uint32_t j = 0; j < layer.inputs; ++j)
        slot.layers.back().points.emplace_back(layer, kChunkRows, l == 0 ? Slopes::kNone : Slopes::kWanted);
    }
    slot.by_outputs.assign(kChunkRows * widest, 0.0F);
  }
}

void FloatEngine::prepare(std::span<const double> parameters) {
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const LayerParameters& where = map_.layer(l);
    layers_[l].edges.load(parameters, where, kan_.layers[l]);
    for (std::size_t k = 0; k < kan_.layers[l].nodes; ++k)
      layers_[l].biases[k] = static_cast<float>(parameters[where.biases + k]);
  }
  for (Slot& slot : slots_) {
    for (LayerTrace& trace : slot.layers) {
      trace.gradients.clear();
      std::fill(trace.by_biases.begin(), trace.by_biases.end(), 0.0F);
    }
  }
}

void FloatEngine::run_layer(Slot& slot, std::size_t index) {
  const LayerState& layer = layers_[index];
  LayerTrace& trace = slot.layers[index];
  const std::size_t width = layer.edges.width();
  for (std::size_t r = 0; r < slot.rows; ++r)
    std::copy(layer.biases.begin(), layer.biases.end(), &trace.outputs[r * width]);
  for (std::size_t j = 0; j < trace.points.size(); ++j) {
    trace.points[j].set(&trace.inputs[j * kChunkRows], slot.rows);
    loops::add_edges(trace.points[j].view(), layer.edges.edges(j), trace.outputs.data(), width);
  }
}

/// Outputs of layer `index`, row by row, become the inputs of the next, input by input.
void FloatEngine::pass_on(Slot& slot, std::size_t index) {
  const std::vector<float>& from = slot.layers[index].outputs;
  std::vector<float>& to = slot.layers[index + 1].inputs;
  const std::size_t width = layers_[index].edges.width();
  for (std::size_t k = 0; k < kan_.layers[index].nodes; ++k) {
    for (std::size_t r = 0; r < slot.rows; ++r) to[k * kChunkRows + r] = from[r * width + k];
  }
}

std::span<const float> FloatEngine::forward(std::size_t slot_index, const Samples& samples,
                                            std::span<const std::uint32_t> rows) {
  KANTRIG_ASSERT(rows.size() <= kChunkRows);
  Slot& slot = slots_[slot_index];
  slot.rows = rows.size();
  std::vector<float>& inputs = slot.layers[0].inputs;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const float* const from = &samples.values[std::size_t{rows[r]} * samples.inputs];
    for (std::size_t j = 0; j < samples.inputs; ++j) inputs[j * kChunkRows + r] = from[j];
  }
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    run_layer(slot, l);
    if (l + 1 < layers_.size()) pass_on(slot, l);
  }
  return std::span(slot.layers.back().outputs).first(slot.rows * width());
}

void FloatEngine::backward(std::size_t slot_index, std::span<float> by_outputs) {
  Slot& slot = slots_[slot_index];
  std::copy(by_outputs.begin(), by_outputs.end(), slot.by_outputs.begin());
  std::vector<float>& gradient = slot.by_outputs;
  for (std::size_t l = layers_.size(); l-- > 0;) {
    LayerTrace& trace = slot.layers[l];
    const std::size_t width = layers_[l].edges.width();
    for (std::size_t r = 0; r < slot.rows; ++r) {
      for (std::size_t k = 0; k < width; ++k) trace.by_biases[k] += gradient[r * width + k];
    }
    for (std::size_t j = 0; j < trace.points.size(); ++j)
      loops::gather_gradients(trace.points[j].view(), layers_[l].edges.edges(j), gradient.data(), width,
                              trace.gradients.coefficients(j), trace.gradients.weights(j));
    if (l == 0) break;
    // trace.inputs is not needed any more: it takes the gradients by the inputs, which then lie row by row
    // for the layer before.
    for (std::size_t j = 0; j < trace.points.size(); ++j)
      loops::input_gradients(trace.points[j].view(), layers_[l].edges.edges(j), gradient.data(), width,
                             &trace.inputs[j * kChunkRows]);
    const std::size_t before = layers_[l - 1].edges.width();
    std::fill_n(gradient.begin(), slot.rows * before, 0.0F);
    for (std::size_t j = 0; j < trace.points.size(); ++j) {
      for (std::size_t r = 0; r < slot.rows; ++r) gradient[r * before + j] = trace.inputs[j * kChunkRows + r];
    }
  }
}

void FloatEngine::finish(std::size_t slots, std::span<double> gradient) {
  for (std::size_t s = 0; s < slots; ++s) {
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      const LayerTrace& trace = slots_[s].layers[l];
      trace.gradients.add_to(gradient, map_.layer(l), kan_.layers[l]);
      for (std::size_t k = 0; k < kan_.layers[l].nodes; ++k)
        gradient[map_.layer(l).biases + k] += static_cast<double>(trace.by_biases[k]);
    }
  }
}

}  // namespace kantrig::train
