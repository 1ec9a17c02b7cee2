#include "compiler/train/spline_kan.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <cmath>

namespace kantrig::train {

using namespace learned;
namespace {

constexpr double kLogitThreshold = 6.0;  // where the output range ends before it is learned

/// How often each code of each input occurs: [input][code].
using Occupancy = std::vector<std::vector<double>>;

/// Mean and r.m.s. deviation of an edge's entries under the codes that occur, in output codes.
struct Spread {
  double mean = 0.0;
  double deviation = 0.0;
};

Spread spread_of(const SplineLayer& layer, std::uint32_t input, std::uint32_t node,
                 const std::vector<double>& counts) {
  double total = 0.0;
  double sum = 0.0;
  double squares = 0.0;
  for (std::uint32_t c = 0; c < counts.size(); ++c) {
    const double entry = layer.entry(input, c, node);
    total += counts[c];
    sum += counts[c] * entry;
    squares += counts[c] * entry * entry;
  }
  const double mean = sum / total;
  return {.mean = mean, .deviation = std::sqrt(std::max(squares / total - mean * mean, 0.0))};
}

void prune_layer(SplineLayer& layer, const Occupancy& occupancy, double threshold_codes) {
  for (std::uint32_t j = 0; j < layer.shape().inputs; ++j) {
    for (std::uint32_t k = 0; k < layer.shape().nodes; ++k) {
      if (!layer.active(j, k)) continue;
      const Spread spread = spread_of(layer, j, k, occupancy[j]);
      if (spread.deviation < threshold_codes) layer.prune(j, k, spread.mean * layer.scale());
    }
  }
}

bool is_read(const SplineLayer& reader, std::uint32_t input) {
  for (std::uint32_t k = 0; k < reader.shape().nodes; ++k) {
    if (reader.active(input, k)) return true;
  }
  return false;
}

}  // namespace

SplineKan::SplineKan(const Specification& specification, Random& random) : grid_(specification.grid) {
  const std::size_t count = specification.layer_count();
  for (std::size_t l = 0; l < count; ++l) {
    const double edge_of_grid = std::max(std::abs(grid_.low), std::abs(grid_.high));
    const LayerShape shape{.inputs = specification.layers[l],
                           .nodes = specification.layers[l + 1],
                           .input_codes = 1U << specification.bits[l],
                           .output_bits = specification.bits[l + 1],
                           .threshold = l + 1 == count ? kLogitThreshold : edge_of_grid};
    layers_.emplace_back(shape, grid_, specification.base, random);
    traces_.push_back({std::vector<std::uint16_t>(shape.inputs), std::vector<float>(shape.nodes),
                       std::vector<float>(shape.nodes)});
  }
  outputs_.resize(specification.layers.back());
  exponentials_.resize(specification.layers.back());
  rebuild();
}

std::vector<double> SplineKan::points(std::size_t index) const {
  const std::uint32_t codes = layers_[index].shape().input_codes;
  std::vector<double> values(codes);
  for (std::uint32_t c = 0; c < codes; ++c) {
    values[c] =
        index == 0
            ? grid_.low + (grid_.high - grid_.low) * c / (codes - 1)  // the feature's range over the grid
            : layers_[index - 1].scale() * (layers_[index - 1].low() + static_cast<std::int32_t>(c));
  }
  return values;
}

void SplineKan::rebuild() {
  for (std::size_t l = 0; l < layers_.size(); ++l) layers_[l].rebuild(points(l));
}

void SplineKan::run_forward(std::span<const std::uint16_t> codes) {
  std::copy(codes.begin(), codes.end(), traces_[0].codes.begin());
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const SplineLayer& layer = layers_[l];
    Trace& trace = traces_[l];
    layer.forward(trace.codes, trace.sums);
    const auto low = static_cast<float>(layer.low());
    const auto high = static_cast<float>(layer.high());
    for (std::size_t k = 0; k < trace.sums.size(); ++k) {
      const auto output = static_cast<std::int32_t>(std::clamp(trace.sums[k], low, high));
      if (l + 1 == layers_.size()) {
        outputs_[k] = output;
      } else {
        traces_[l + 1].codes[k] = static_cast<std::uint16_t>(output - layer.low());
      }
    }
  }
}

/// The loss of the event that ran forward last; its gradient, times `weight`, goes to the last trace.
double SplineKan::loss_of(std::uint32_t label, double weight) {
  const double scale = layers_.back().scale();
  std::vector<float>& gradient = traces_.back().by_outputs;
  if (outputs_.size() == 1) {  // logistic loss of one logit
    const double margin = scale * outputs_[0] * (label == 1 ? 1.0 : -1.0);
    const double wrong = 1.0 / (1.0 + exponential(margin));
    gradient[0] = static_cast<float>(weight * (label == 1 ? -wrong : wrong));
    return margin > 0.0 ? logarithm(1.0 + exponential(-margin))
                        : logarithm(1.0 + exponential(margin)) - margin;
  }
  const std::int32_t largest = *std::max_element(outputs_.begin(), outputs_.end());
  double sum = 0.0;
  for (std::size_t k = 0; k < outputs_.size(); ++k) {
    exponentials_[k] = exponential(scale * (outputs_[k] - largest));
    sum += exponentials_[k];
  }
  for (std::size_t k = 0; k < outputs_.size(); ++k) {
    gradient[k] = static_cast<float>(weight * (exponentials_[k] / sum - (k == label ? 1.0 : 0.0)));
  }
  return logarithm(sum) - scale * (outputs_[label] - largest);
}

void SplineKan::run_backward() {
  for (std::size_t l = layers_.size(); l-- > 0;) {
    std::span<float> by_inputs;
    if (l > 0) {
      by_inputs = traces_[l - 1].by_outputs;
      std::fill(by_inputs.begin(), by_inputs.end(), 0.0F);
    }
    layers_[l].backward(traces_[l].codes, traces_[l].sums, traces_[l].by_outputs, by_inputs);
  }
}

double SplineKan::learn(const CodedEvents& events, std::span<const std::uint32_t> batch) {
  KANTRIG_ASSERT(!batch.empty());
  const double weight = 1.0 / static_cast<double>(batch.size());
  double loss = 0.0;
  for (const std::uint32_t event : batch) {
    run_forward(events.row(event));
    loss += loss_of(events.classes[event], weight);
    run_backward();
  }
  for (SplineLayer& layer : layers_) layer.finish_gradients();
  return loss * weight;
}

std::span<const std::int32_t> SplineKan::outputs(std::span<const std::uint16_t> codes) {
  run_forward(codes);
  return outputs_;
}

Score SplineKan::score(const CodedEvents& events, std::span<const std::uint32_t> which) {
  Score total;
  for (const std::uint32_t event : which) {
    run_forward(events.row(event));
    const std::uint32_t label = events.classes[event];
    const auto largest = std::max_element(outputs_.begin(), outputs_.end()) - outputs_.begin();
    const bool right = outputs_.size() == 1 ? (outputs_[0] > 0) == (label == 1) : largest == label;
    total.accuracy += right ? 1.0 : 0.0;
    total.loss += loss_of(label, 0.0);
  }
  const double count = std::max<double>(static_cast<double>(which.size()), 1.0);
  return {.loss = total.loss / count, .accuracy = total.accuracy / count};
}

void SplineKan::prune(const CodedEvents& events, std::span<const std::uint32_t> which,
                      double threshold_codes) {
  std::vector<Occupancy> occupancy;
  for (const SplineLayer& layer : layers_) {
    occupancy.emplace_back(layer.shape().inputs, std::vector<double>(layer.shape().input_codes, 0.0));
  }
  for (const std::uint32_t event : which) {
    run_forward(events.row(event));
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      for (std::size_t j = 0; j < occupancy[l].size(); ++j) occupancy[l][j][traces_[l].codes[j]] += 1.0;
    }
  }
  for (std::size_t l = 0; l < layers_.size(); ++l) prune_layer(layers_[l], occupancy[l], threshold_codes);
  for (std::size_t l = layers_.size() - 1;
       l-- > 0;) {  // from the back: a node goes when its last reader went
    for (std::uint32_t k = 0; k < layers_[l].shape().nodes; ++k) {
      if (is_read(layers_[l + 1], k)) continue;
      for (std::uint32_t j = 0; j < layers_[l].shape().inputs; ++j) {
        if (layers_[l].active(j, k)) layers_[l].prune(j, k, 0.0);
      }
    }
  }
  rebuild();
}

std::uint32_t SplineKan::active_edges() const noexcept {
  std::uint32_t sum = 0;
  for (const SplineLayer& layer : layers_) sum += layer.active_edges();
  return sum;
}

}  // namespace kantrig::train
