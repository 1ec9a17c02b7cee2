#include "compiler/train/calibrate.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "compiler/learned/elementary.hpp"

namespace kantrig::train {
namespace {

constexpr int kRangesTried = 40;
constexpr double kRangeFactor = 0.92;  // from one to the next

/// What rounding and clamping to the quantiser loses, summed over the values.
double squares_lost(const learned::NodeQuantizer& quantizer, std::span<const double> values) {
  const double scale = quantizer.scale();
  double sum = 0.0;
  for (const double value : values) {
    const double code =
        learned::round_half_even(std::clamp<double>(value / scale, quantizer.low(), quantizer.high()));
    sum += (code * scale - value) * (code * scale - value);
  }
  return sum;
}

double best_threshold(std::uint32_t bits, std::span<const double> values) {
  double largest = 0.0;
  for (const double value : values) largest = std::max(largest, std::abs(value));
  if (largest == 0.0) return 1.0;
  double best = largest;
  double least = std::numeric_limits<double>::infinity();
  double threshold = largest * 1.05;
  for (int n = 0; n < kRangesTried; ++n, threshold *= kRangeFactor) {
    const double lost = squares_lost({.bits = bits, .threshold = threshold}, values);
    if (lost >= least) continue;
    least = lost;
    best = threshold;
  }
  return best;
}

/// A layer's outputs before their quantisers: [node][event].
std::vector<std::vector<double>> node_values(const learned::LearnedKan& kan, std::size_t layer,
                                             const Dataset& data, std::span<const std::uint32_t> rows) {
  std::vector<std::vector<double>> values(kan.layers[layer].nodes);
  for (const std::uint32_t row : rows) {
    const auto event = std::span(data.values).subspan(std::size_t{row} * data.columns, data.columns);
    const std::vector<double> outputs = learned::layer_inputs(kan, layer + 1, event);
    for (std::size_t k = 0; k < outputs.size(); ++k) values[k].push_back(outputs[k]);
  }
  return values;
}

void quantise_layer(learned::LearnedKan& kan, std::size_t index, std::uint32_t bits, bool shared,
                    const Dataset& data, std::span<const std::uint32_t> rows) {
  learned::Layer& layer = kan.layers[index];
  layer.quantizers.clear();
  const auto values = node_values(kan, index, data, rows);
  std::vector<double> all;
  for (const auto& node : values) all.insert(all.end(), node.begin(), node.end());
  const double common = shared ? best_threshold(bits, all) : 0.0;
  for (std::uint32_t k = 0; k < layer.nodes; ++k)
    layer.quantizers.push_back(
        {.bits = bits, .threshold = shared ? common : best_threshold(bits, values[k])});
}

void give_range(learned::Input& input, std::size_t index, const Dataset& data,
                std::span<const std::uint32_t> rows) {
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const std::uint32_t row : rows) {
    const double value =
        static_cast<double>(data.values[std::size_t{row} * data.columns + index]) * input.gain + input.shift;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  if (!(high > low)) high = low + 1.0;
  input.bits = 1;
  input.first = low;
  input.step = high - low;
}

}  // namespace

void set_bits(learned::Input& input, std::uint32_t bits) noexcept {
  const double span = input.step * ((1U << input.bits) - 1);
  input.bits = bits;
  input.step = span / ((1U << bits) - 1);
}

Result<learned::LearnedKan> quantise(const learned::LearnedKan& kan, const QuantisationPlan& plan,
                                     const Dataset& data, std::span<const std::uint32_t> rows) {
  if (plan.bits.size() != kan.layers.size() + 1) {
    return fail(ErrorCode::kInvalid, "has {} code widths, expected {}: of the inputs and of each layer",
                plan.bits.size(), kan.layers.size() + 1);
  }
  if (data.columns != kan.inputs.size())
    return fail(ErrorCode::kInvalid, "{}: has {} columns, expected {}", data.name, data.columns,
                kan.inputs.size());
  std::vector<std::uint32_t> taken;
  const std::size_t count = std::min(rows.size(), kCalibrationRows);
  for (std::size_t n = 0; n < count; ++n) taken.push_back(rows[n * rows.size() / count]);
  learned::LearnedKan result = kan;
  for (learned::Layer& layer : result.layers) layer.quantizers.clear();
  for (std::size_t j = 0; j < result.inputs.size(); ++j) {
    if (result.inputs[j].bits == 0) give_range(result.inputs[j], j, data, taken);
    set_bits(result.inputs[j], plan.bits.front());
  }
  for (std::size_t l = 0; l < result.layers.size(); ++l) {
    const bool shared = plan.thresholds == ThresholdSharing::kLayer || l + 1 == result.layers.size();
    if (kan.layers[l].quantizers.empty()) {
      quantise_layer(result, l, plan.bits[l + 1], shared, data, taken);
    } else {  // where it saturates belongs to what was learned
      for (const learned::NodeQuantizer& old : kan.layers[l].quantizers)
        result.layers[l].quantizers.push_back({.bits = plan.bits[l + 1], .threshold = old.threshold});
    }
    result.layers[l].guard_bits = plan.guard_bits;
  }
  return result;
}

Result<learned::LearnedKan> prepare_start(const Specification& specification,
                                          const learned::LearnedKan& start, const Dataset& data,
                                          std::span<const std::uint32_t> rows) {
  bool agree = start.layers.size() == specification.layer_count() &&
               start.inputs.size() == specification.layers.front();
  for (std::size_t l = 0; agree && l < start.layers.size(); ++l)
    agree = start.layers[l].nodes == specification.layers[l + 1];
  if (!agree) {
    std::string found = std::to_string(start.inputs.size());
    for (const learned::Layer& layer : start.layers) found += fmt::format("-{}", layer.nodes);
    return fail(ErrorCode::kInvalid,
                "the checkpoint to start from has the shape {}, which model.layers does not ask for", found);
  }
  if (specification.quantized && !start.quantized()) {
    return quantise(start,
                    {.bits = specification.bits,
                     .thresholds = specification.thresholds,
                     .guard_bits = specification.guard_bits},
                    data, rows);
  }
  learned::LearnedKan kan = start;
  if (!specification.quantized) {
    for (learned::Layer& layer : kan.layers) {
      layer.quantizers.clear();
      layer.dropped_bits.clear();
    }
  }
  return kan;
}

}  // namespace kantrig::train
