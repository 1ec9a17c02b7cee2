// EdgePoints: what the edges of one input are made of at some points, and the padded coefficients of a layer:
// the storage behind the views of loops.hpp.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compiler/learned/learned_kan.hpp"
#include "compiler/train/loops.hpp"
#include "compiler/train/parameters.hpp"

namespace kantrig::train {

enum class Slopes : std::uint8_t { kNone, kWanted };

/// Allocation: in the constructor.
class EdgePoints {
 public:
  EdgePoints(const learned::Layer& layer, std::size_t points_max, Slopes slopes);

  /// Evaluates basis and base function at `count` points; x holds padded(count) values.
  void set(const float* x, std::size_t count) noexcept;
  [[nodiscard]] loops::PointsView view() const noexcept;

 private:
  learned::EdgeKind kind_;
  learned::SplineGrid grid_;
  learned::BaseFunction base_function_;
  std::size_t stride_;
  std::size_t count_ = 0;
  bool with_slopes_;
  std::vector<std::int32_t> rows_;
  std::vector<float> basis_;
  std::vector<float> slopes_;
  std::vector<float> base_;
  std::vector<float> base_slope_;
};

/// Coefficients and weights of a layer as floats, nodes padded, rows of zeros around each input's
/// coefficients; or gradients in that shape.
class PaddedEdges {
 public:
  explicit PaddedEdges(const learned::Layer& layer);

  void load(std::span<const double> parameters, const LayerParameters& where, const learned::Layer& layer);
  void clear() noexcept;
  /// Adds what belongs to parameters to `gradient`; pruned edges get none.
  void add_to(std::span<double> gradient, const LayerParameters& where, const learned::Layer& layer) const;

  [[nodiscard]] std::size_t width() const noexcept { return width_; }
  [[nodiscard]] loops::EdgesView edges(std::size_t input) const noexcept;
  [[nodiscard]] float* coefficients(std::size_t input) noexcept {
    return coefficients_.data() + input * rows_ * width_;
  }
  [[nodiscard]] float* weights(std::size_t input) noexcept { return weights_.data() + input * width_; }

 private:
  std::size_t width_;
  std::size_t rows_;  // of coefficients for an input
  std::size_t pad_;   // rows of zeros before the basis functions
  std::size_t terms_;
  std::vector<float> coefficients_;  // [input][row][node]
  std::vector<float> weights_;       // [input][node]
};

}  // namespace kantrig::train
