// Codebook: the edges of a KAN as few functions that they share. Each edge is factor x shape(x) + a constant;
// the sign is in the factor, and the constant goes into the node's bias.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.hpp"
#include "compiler/learned/learned_kan.hpp"
#include "compiler/train/pruning.hpp"

namespace kantrig::explore {

inline constexpr std::uint32_t kShapesMax = 1'024;

/// Which shape an edge uses.
struct ShapeUse {
  std::uint32_t layer = 0;
  std::uint32_t input = 0;
  std::uint32_t node = 0;
  std::uint32_t shape = 0;
  double factor = 1.0;
};

struct Codebook {
  /// Coefficients of the B-splines, then the weight of the base function.
  std::vector<std::vector<double>> shapes;
  std::vector<ShapeUse> uses;  // of every active edge
  double unexplained = 0.0;    // part of the edges' weighted variance that is lost
};

/// The active edges of a model as curves that can be compared: over the codes of their inputs, weighted by
/// how often those occur, in units of their node's range, their mean taken off.
class EdgeCurves {
 public:
  /// Fails where edges have no common basis: layers that are no splines or have other grids or base
  /// functions, knots of their own, formulas. Precondition: kan.quantized().
  [[nodiscard]] static Result<EdgeCurves> make(const learned::LearnedKan& kan,
                                               const train::Occupancy& occupancy);

  EdgeCurves(EdgeCurves&&) noexcept;
  EdgeCurves& operator=(EdgeCurves&&) noexcept;
  ~EdgeCurves();

  [[nodiscard]] std::size_t count() const noexcept;

  /// `shapes` shapes by alternation of least squares (k lines; Bradley and Mangasarian 2000), from those of
  /// `smaller` and what it explains worst. The same curves give the same bits. Precondition:
  /// smaller.shapes.size() <= shapes.
  [[nodiscard]] Codebook cluster(std::uint32_t shapes, const Codebook& smaller) const;

  /// Every edge its own shape.
  [[nodiscard]] Codebook own_shapes() const;

  /// The model with its edges replaced by the codebook's, constants in the biases.
  [[nodiscard]] learned::LearnedKan apply(const learned::LearnedKan& kan, const Codebook& codebook) const;

 private:
  struct Curves;
  explicit EdgeCurves(std::unique_ptr<Curves> curves);
  std::unique_ptr<Curves> curves_;
};

/// The edge's shape times its factor, in place of its coefficients and weight.
void set_edge(learned::Layer& layer, const ShapeUse& use, const std::vector<double>& shape);

}  // namespace kantrig::explore
