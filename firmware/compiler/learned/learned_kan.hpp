// LearnedKan: a KAN as real functions, before its edges become tables: what training changes, importers read,
// and plots and formulas look into. Plain data; README.md tells the conventions.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "compiler/learned/elementary.hpp"
#include "compiler/learned/formula.hpp"
#include "compiler/learned/spline.hpp"
#include "kan/bundle.hpp"
#include "kan/model.hpp"

namespace kantrig::learned {

inline constexpr std::uint32_t kCodeBitsMax = 12;  // of inputs and nodes
inline constexpr std::uint32_t kGuardBitsMax = 8;

/// One feature's way from physical units to what the edges of the first layer see: gain x + shift. With bits
/// > 0 it is quantised: code c stands for first + step c, c in [0, 2^bits - 1], values outside clamp to the
/// ends.
struct Input {
  kan::Feature feature;
  double gain = 1.0;
  double shift = 0.0;
  std::uint32_t bits = 0;  // 0..kCodeBitsMax; 0: not quantised
  double first = 0.0;
  double step = 1.0;

  /// The real value at code `code`. Precondition: bits > 0.
  [[nodiscard]] double point(std::uint32_t code) const noexcept { return first + step * code; }
};

/// How a node's real output becomes an integer: y in [-2^(bits-1), 2^(bits-1) - 1], worth scale() each.
struct NodeQuantizer {
  std::uint32_t bits = 8;  // 1..kCodeBitsMax
  double threshold = 1.0;  // > 0: where the range ends

  [[nodiscard]] std::int32_t low() const noexcept { return -(std::int32_t{1} << (bits - 1)); }
  [[nodiscard]] std::int32_t high() const noexcept { return -low() - 1; }
  [[nodiscard]] double scale() const noexcept { return threshold / -low(); }
};

/// What every edge of a layer is.
enum class EdgeKind : std::uint8_t {
  kSpline,  // weight x base(x) + sum of coefficients x B-splines
  kLinear,  // weight x
  kRelu,    // weight x max(x, 0)
};

/// Where table entries end.
enum class EntryRange : std::uint8_t {
  kWide,    // as far as int16 and the node's sum allow
  kOutput,  // in the range of the node's output, as KANELE has it
};

/// output = sum over active edges + bias, in real units.
struct Layer {
  EdgeKind kind = EdgeKind::kSpline;
  std::uint32_t inputs = 0;
  std::uint32_t nodes = 0;
  SplineGrid grid;  // of kSpline, as `base`
  BaseFunction base = BaseFunction::kSilu;
  std::vector<std::vector<double>>
      knots;                         // [input] rising knots where they are not uniform; empty: the grid's
  std::vector<double> coefficients;  // [input][basis][node]; only of kSpline
  std::vector<double> weights;       // [input][node]
  std::vector<double> biases;        // [node]
  std::vector<std::uint8_t> active;  // [input][node], 1 or 0 (pruned)
  std::map<std::uint32_t, Formula> formulas;  // by edge_index(): edges that are a closed formula instead

  std::uint32_t basis_bits = 0;        // values of basis functions are rounded to 1 / (2^bits - 1); 0: exact
  std::uint32_t coefficient_bits = 0;  // what coefficients and weights were rounded to; 0: exact

  // Quantisation.
  std::vector<NodeQuantizer> quantizers;   // [node]; empty: not quantised yet
  std::vector<std::uint8_t> dropped_bits;  // [input][node]: entries are multiples of 2^dropped; empty: none
  std::uint32_t guard_bits = 0;  // entries count in scale / 2^guard_bits, rounded off once after the sum
  EntryRange entry_range = EntryRange::kWide;

  [[nodiscard]] std::uint32_t edge_index(std::uint32_t input, std::uint32_t node) const noexcept {
    return input * nodes + node;
  }
  [[nodiscard]] bool is_active(std::uint32_t input, std::uint32_t node) const noexcept {
    return active[edge_index(input, node)] != 0;
  }
  /// B-splines of an edge.
  [[nodiscard]] std::uint32_t basis_count() const noexcept {
    return kind == EdgeKind::kSpline ? grid.basis_count() : 0;
  }
  [[nodiscard]] std::uint32_t active_edges() const noexcept;
};

struct LearnedKan {
  std::string name;
  std::vector<std::string> classes;  // may be empty: a regression
  std::vector<Input> inputs;
  std::vector<Layer> layers;

  /// Inputs and every node have a quantiser.
  [[nodiscard]] bool quantized() const noexcept;
  [[nodiscard]] std::uint32_t active_edges() const noexcept;
};

/// A layer with all its vectors of the right size, all coefficients 0 and all edges active.
[[nodiscard]] Layer make_layer(EdgeKind kind, std::uint32_t inputs, std::uint32_t nodes,
                               const SplineGrid& grid, BaseFunction base);

/// Sizes, bounds, finiteness. The error names layer and key.
[[nodiscard]] Result<void> check(const LearnedKan& kan);

/// Real value of one edge at `x`, 0 when it is pruned; in this order of operations everywhere.
[[nodiscard]] double edge_value(const Layer& layer, std::uint32_t input, std::uint32_t node,
                                double x) noexcept;

/// Real outputs of the model at one event in physical units, in double precision: inputs clamp to their range
/// and nodes to theirs where they are quantised, but nothing is rounded. Slow; the definition that engines
/// are held to.
[[nodiscard]] std::vector<double> evaluate(const LearnedKan& kan, std::span<const float> event);

/// The values that enter layer `layer` (0: after the input stage) at one event; as evaluate().
[[nodiscard]] std::vector<double> layer_inputs(const LearnedKan& kan, std::size_t layer,
                                               std::span<const float> event);

/// Real values of the codes that enter input `input` of layer `layer`. Precondition: kan.quantized().
[[nodiscard]] std::vector<double> input_points(const LearnedKan& kan, std::size_t layer, std::uint32_t input);

}  // namespace kantrig::learned
