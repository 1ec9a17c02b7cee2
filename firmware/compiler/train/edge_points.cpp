#include "compiler/train/edge_points.hpp"

#include <algorithm>

#include "compiler/learned/elementary.hpp"

namespace kantrig::train {
namespace {

void gelu_points(const float* x, std::size_t count, float* value, float* slope) {
  for (std::size_t p = 0; p < count; ++p) {
    const learned::ValueAndSlope at =
        learned::base_function_at(learned::BaseFunction::kGelu, static_cast<double>(x[p]));
    value[p] = static_cast<float>(at.value);
    if (slope != nullptr) slope[p] = static_cast<float>(at.slope);
  }
}

}  // namespace

EdgePoints::EdgePoints(const learned::Layer& layer, std::size_t points_max, Slopes slopes)
    : kind_(layer.kind),
      grid_(layer.grid),
      base_function_(layer.base),
      stride_(loops::padded(points_max)),
      with_slopes_(slopes == Slopes::kWanted),
      base_(stride_, 0.0F),
      base_slope_(with_slopes_ ? stride_ : 0, 0.0F) {
  if (kind_ != learned::EdgeKind::kSpline) return;
  rows_.assign(stride_, 0);
  basis_.assign((grid_.order + std::size_t{1}) * stride_, 0.0F);
  if (with_slopes_) slopes_.assign(basis_.size(), 0.0F);
}

void EdgePoints::set(const float* x, std::size_t count) noexcept {
  count_ = count;
  float* const slope = with_slopes_ ? base_slope_.data() : nullptr;
  if (kind_ == learned::EdgeKind::kSpline) {
    loops::spline_points(grid_, x, count, stride_, rows_.data(), basis_.data(),
                         with_slopes_ ? slopes_.data() : nullptr);
    if (base_function_ == learned::BaseFunction::kSilu) loops::silu_points(x, count, base_.data(), slope);
    if (base_function_ == learned::BaseFunction::kGelu) gelu_points(x, count, base_.data(), slope);
    return;
  }
  const bool linear = kind_ == learned::EdgeKind::kLinear;
  for (std::size_t p = 0; p < count; ++p) {
    const bool on = linear || x[p] > 0.0F;
    base_[p] = on ? x[p] : 0.0F;
    if (slope != nullptr) slope[p] = on ? 1.0F : 0.0F;
  }
}

loops::PointsView EdgePoints::view() const noexcept {
  return {.count = count_,
          .stride = stride_,
          .rows = rows_.data(),
          .basis = basis_.data(),
          .slopes = slopes_.data(),
          .base = base_.data(),
          .base_slope = base_slope_.data()};
}

PaddedEdges::PaddedEdges(const learned::Layer& layer)
    : width_(loops::padded(layer.nodes)),
      rows_(layer.kind == learned::EdgeKind::kSpline ? loops::coefficient_rows(layer.grid) : 0),
      pad_(layer.grid.order),
      terms_(rows_ == 0 ? 0 : layer.grid.order + 1),
      coefficients_(layer.inputs * rows_ * width_, 0.0F),
      weights_(layer.inputs * width_, 0.0F) {}

void PaddedEdges::load(std::span<const double> parameters, const LayerParameters& where,
                       const learned::Layer& layer) {
  const std::size_t nodes = layer.nodes;
  for (std::size_t j = 0; j < layer.inputs; ++j) {
    const std::uint8_t* const active = &layer.active[j * nodes];
    for (std::size_t m = 0; m < layer.basis_count(); ++m) {
      const double* const from = &parameters[where.coefficients + (j * layer.basis_count() + m) * nodes];
      float* const to = coefficients(j) + (pad_ + m) * width_;
      for (std::size_t k = 0; k < nodes; ++k) to[k] = active[k] != 0 ? static_cast<float>(from[k]) : 0.0F;
    }
    const double* const from = &parameters[where.weights + j * nodes];
    for (std::size_t k = 0; k < nodes; ++k)
      weights(j)[k] = active[k] != 0 ? static_cast<float>(from[k]) : 0.0F;
  }
}

void PaddedEdges::clear() noexcept {
  std::fill(coefficients_.begin(), coefficients_.end(), 0.0F);
  std::fill(weights_.begin(), weights_.end(), 0.0F);
}

void PaddedEdges::add_to(std::span<double> gradient, const LayerParameters& where,
                         const learned::Layer& layer) const {
  const std::size_t nodes = layer.nodes;
  const bool weighed = layer.kind != learned::EdgeKind::kSpline || layer.base != learned::BaseFunction::kNone;
  for (std::size_t j = 0; j < layer.inputs; ++j) {
    const std::uint8_t* const active = &layer.active[j * nodes];
    for (std::size_t m = 0; m < layer.basis_count(); ++m) {
      const float* const from = &coefficients_[(j * rows_ + pad_ + m) * width_];
      double* const to = &gradient[where.coefficients + (j * layer.basis_count() + m) * nodes];
      for (std::size_t k = 0; k < nodes; ++k) to[k] += active[k] != 0 ? static_cast<double>(from[k]) : 0.0;
    }
    if (!weighed) continue;
    const float* const from = &weights_[j * width_];
    double* const to = &gradient[where.weights + j * nodes];
    for (std::size_t k = 0; k < nodes; ++k) to[k] += active[k] != 0 ? static_cast<double>(from[k]) : 0.0;
  }
}

loops::EdgesView PaddedEdges::edges(std::size_t input) const noexcept {
  return {.coefficients = coefficients_.data() + input * rows_ * width_,
          .weights = weights_.data() + input * width_,
          .width = width_,
          .terms = terms_};
}

}  // namespace kantrig::train
