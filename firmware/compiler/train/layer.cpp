#include "compiler/train/layer.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace kantrig::train {

using namespace learned;
namespace {

constexpr double kSplineNoise = 0.1;   // of the first coefficients, by fan-in
constexpr double kEntryMax = 32767.0;  // a table entry is an int16
constexpr double kSumMax = 0x1.0p23;   // of all entries of a node, so that float sums of integers stay exact
constexpr double kBiasMax = 0x1.0p22;
constexpr std::size_t kBlock = 16;  // nodes worked on together

EdgePoint point_at(const SplineGrid& grid, BaseFunction base, double x) {
  return {.basis = basis_at(grid, x), .base = base_function_at(base, x)};
}

}  // namespace

SplineLayer::SplineLayer(const LayerShape& shape, const SplineGrid& grid, BaseFunction base, Random& random)
    : shape_(shape), grid_(grid), base_(base) {
  const std::size_t edges = std::size_t{shape.inputs} * shape.nodes;
  base_offset_ = edges * grid.basis_count();
  bias_offset_ = base_offset_ + edges;
  threshold_offset_ = bias_offset_ + shape.nodes;
  parameters_.assign(threshold_offset_ + 1, 0.0);
  gradients_.assign(parameters_.size(), 0.0);
  const double width = 1.0 / std::sqrt(static_cast<double>(shape.inputs));
  for (std::size_t i = 0; i < base_offset_; ++i)
    parameters_[i] = random.uniform(-width, width) * kSplineNoise;
  const double base_width = base == BaseFunction::kNone ? 0.0 : width;
  for (std::size_t i = base_offset_; i < bias_offset_; ++i)
    parameters_[i] = random.uniform(-base_width, base_width);
  parameters_[threshold_offset_] = logarithm(shape.threshold);
  update_scale();
  entry_max_ = std::min(kEntryMax, std::floor(kSumMax / shape.inputs));

  const std::size_t entries = edges * shape.input_codes;
  active_.assign(edges, 1.0);
  values_.assign(entries, 0.0);
  entries_.assign(entries, 0.0F);
  slopes_.assign(entries, 0.0F);
  entry_gradients_.assign(entries, 0.0F);
  biases_.assign(shape.nodes, 0.0);
  bias_gradients_.assign(shape.nodes, 0.0);
  masked_.assign(shape.nodes, 0.0F);
}

void SplineLayer::update_scale() noexcept {
  scale_ = exponential(parameters_[threshold_offset_]) /
           static_cast<double>(std::int32_t{1} << (shape_.output_bits - 1));
  inverse_scale_ = 1.0 / scale_;
}

std::size_t SplineLayer::edge_index(std::size_t input, std::size_t node) const noexcept {
  return input * shape_.nodes + node;
}

void SplineLayer::rebuild(std::span<const double> points) {
  KANTRIG_ASSERT(points.size() == shape_.input_codes);
  update_scale();
  points_.resize(points.size());
  for (std::size_t c = 0; c < points.size(); ++c) points_[c] = point_at(grid_, base_, points[c]);
  for (std::size_t j = 0; j < shape_.inputs; ++j) {
    for (std::size_t c = 0; c < points.size(); ++c) build_rows(j, c);
  }
  for (std::size_t k = 0; k < shape_.nodes; ++k) {
    biases_[k] =
        round_half_even(std::clamp(parameters_[bias_offset_ + k] * inverse_scale_, -kBiasMax, kBiasMax));
  }
  std::fill(entry_gradients_.begin(), entry_gradients_.end(), 0.0F);
  std::fill(bias_gradients_.begin(), bias_gradients_.end(), 0.0);
  clamp_gradient_ = 0.0;
}

double SplineLayer::quantised(double value) const noexcept {
  return round_half_even(std::min(std::max(value * inverse_scale_, -entry_max_), entry_max_));
}

void SplineLayer::build_rows(std::size_t input, std::size_t code) {
  const std::size_t nodes = shape_.nodes;
  const EdgePoint& point = points_[code];
  const double* const base_weights = &parameters_[base_offset_ + input * nodes];
  const double* coefficients = &parameters_[(input * grid_.basis_count() + point.basis.first) * nodes];
  const double* const active = &active_[input * nodes];
  const std::size_t row = (input * shape_.input_codes + code) * nodes;
  double* const values = &values_[row];
  float* const slopes = &slopes_[row];
  std::array<double, kBlock> slope_sums{};
  for (std::size_t begin = 0; begin < nodes; begin += kBlock) {
    const std::size_t width = std::min<std::size_t>(nodes - begin, kBlock);
    for (std::size_t k = 0; k < width; ++k) {
      values[begin + k] = base_weights[begin + k] * point.base.value;
      slope_sums[k] = base_weights[begin + k] * point.base.slope;
    }
    for (std::size_t m = 0; m < point.basis.count; ++m) {
      const double* const coefficient = coefficients + m * nodes + begin;
      for (std::size_t k = 0; k < width; ++k) {
        values[begin + k] += coefficient[k] * point.basis.values[m];
        slope_sums[k] += coefficient[k] * point.basis.slopes[m];
      }
    }
    for (std::size_t k = 0; k < width; ++k)
      slopes[begin + k] = static_cast<float>(slope_sums[k] * active[begin + k]);
  }
  float* const entries = &entries_[row];
  for (std::size_t k = 0; k < nodes; ++k) {
    values[k] *= active[k];
    entries[k] = static_cast<float>(quantised(values[k]));
  }
}

void SplineLayer::forward(std::span<const std::uint16_t> codes, std::span<float> sums) const noexcept {
  const std::size_t nodes = shape_.nodes;
  float* const out = sums.data();
  for (std::size_t k = 0; k < nodes; ++k) out[k] = static_cast<float>(biases_[k]);
  for (std::size_t j = 0; j < codes.size(); ++j) {
    const float* const row = &entries_[(j * shape_.input_codes + codes[j]) * nodes];
    for (std::size_t k = 0; k < nodes; ++k) out[k] += row[k];  // integers below 2^24: exact
  }
}

void SplineLayer::backward(std::span<const std::uint16_t> codes, std::span<const float> sums,
                           std::span<const float> by_outputs, std::span<float> by_inputs) noexcept {
  const std::size_t nodes = shape_.nodes;
  const auto lowest = static_cast<float>(low());
  const auto highest = static_cast<float>(high());
  for (std::size_t k = 0; k < nodes; ++k) {
    const bool inside = sums[k] >= lowest && sums[k] <= highest;
    masked_[k] = inside ? by_outputs[k] : 0.0F;
    if (!inside)
      clamp_gradient_ += static_cast<double>(by_outputs[k]) * (sums[k] < lowest ? lowest : highest);
    bias_gradients_[k] += static_cast<double>(masked_[k]);
  }
  const float* const masked = masked_.data();
  for (std::size_t j = 0; j < codes.size(); ++j) {
    const std::size_t row = (j * shape_.input_codes + codes[j]) * nodes;
    float* const gathered = &entry_gradients_[row];
    for (std::size_t k = 0; k < nodes; ++k) gathered[k] += masked[k];
    if (by_inputs.empty()) continue;
    const float* const slope = &slopes_[row];
    float sum = 0.0F;
    for (std::size_t k = 0; k < nodes; ++k) sum += slope[k] * masked[k];
    by_inputs[j] += sum;
  }
}

void SplineLayer::finish_gradients() noexcept {
  std::fill(gradients_.begin(), gradients_.end(), 0.0);
  double by_scale = clamp_gradient_;
  for (std::size_t j = 0; j < shape_.inputs; ++j) {
    for (std::size_t c = 0; c < shape_.input_codes; ++c) finish_row(j, c, by_scale);
  }
  for (std::size_t k = 0; k < shape_.nodes; ++k) {
    const double bias = parameters_[bias_offset_ + k];
    gradients_[bias_offset_ + k] = bias_gradients_[k];
    by_scale += bias_gradients_[k] * (biases_[k] - bias * inverse_scale_);
  }
  gradients_[threshold_offset_] = by_scale * scale_;  // by the logarithm of the threshold
}

/// One table entry of every node: output = scale x round(value / scale), so by the value 1 (straight
/// through), and by the scale round(value / scale) - value / scale.
void SplineLayer::finish_row(std::size_t input, std::size_t code, double& by_scale) noexcept {
  const std::size_t nodes = shape_.nodes;
  const EdgePoint& point = points_[code];
  const std::size_t row = (input * shape_.input_codes + code) * nodes;
  const float* const gathered = &entry_gradients_[row];
  const double* const active = &active_[input * nodes];
  double* const by_base = &gradients_[base_offset_ + input * nodes];
  double* const by_coefficients = &gradients_[(input * grid_.basis_count() + point.basis.first) * nodes];
  double sum = 0.0;
  for (std::size_t k = 0; k < nodes; ++k) {
    const double gradient = static_cast<double>(gathered[k]) * active[k];
    sum += gradient * (static_cast<double>(entries_[row + k]) - values_[row + k] * inverse_scale_);
    by_base[k] += gradient * point.base.value;
  }
  by_scale += sum;
  for (std::size_t m = 0; m < point.basis.count; ++m) {
    for (std::size_t k = 0; k < nodes; ++k) {
      by_coefficients[m * nodes + k] += static_cast<double>(gathered[k]) * active[k] * point.basis.values[m];
    }
  }
}

bool SplineLayer::active(std::uint32_t input, std::uint32_t node) const noexcept {
  return active_[edge_index(input, node)] != 0.0;
}

std::int16_t SplineLayer::entry(std::uint32_t input, std::uint32_t code, std::uint32_t node) const noexcept {
  return static_cast<std::int16_t>(
      entries_[(std::size_t{input} * shape_.input_codes + code) * shape_.nodes + node]);
}

std::int32_t SplineLayer::bias(std::uint32_t node) const noexcept {
  return static_cast<std::int32_t>(biases_[node]);
}

std::uint32_t SplineLayer::active_edges() const noexcept {
  return static_cast<std::uint32_t>(std::count(active_.begin(), active_.end(), 1.0));
}

void SplineLayer::prune(std::uint32_t input, std::uint32_t node, double mean) noexcept {
  active_[edge_index(input, node)] = 0.0;
  parameters_[bias_offset_ + node] += mean;
}

double SplineLayer::edge_value(std::uint32_t input, std::uint32_t node, double x) const noexcept {
  if (!active(input, node)) return 0.0;
  const EdgePoint point = point_at(grid_, base_, x);
  double value = parameters_[base_offset_ + edge_index(input, node)] * point.base.value;
  for (std::size_t m = 0; m < point.basis.count; ++m) {
    const std::size_t basis = std::size_t{input} * grid_.basis_count() + point.basis.first + m;
    value += parameters_[basis * shape_.nodes + node] * point.basis.values[m];
  }
  return value;
}

}  // namespace kantrig::train
