#include <algorithm>

#include "compiler/exchange/onnx_export.hpp"
#include "compiler/exchange/onnx_formula.hpp"
#include "compiler/exchange/onnx_graph.hpp"

namespace kantrig::exchange {
namespace {

using learned::EdgeKind;
using learned::Layer;

std::int64_t extent(std::size_t count) {
  return static_cast<std::int64_t>(count);
}

/// Knots of a spline layer: one row for all inputs, or one for each.
struct Knots {
  std::int64_t rows = 1;
  std::int64_t count = 0;
  std::vector<double> values;

  [[nodiscard]] double at(std::int64_t row, std::int64_t place) const {
    return values[static_cast<std::size_t>(row * count + place)];
  }
};

Knots knots_of(const Layer& layer) {
  Knots knots;
  knots.count = extent(layer.grid.size) + 2 * extent(layer.grid.order) + 1;
  if (layer.knots.empty()) {
    for (std::int64_t i = 0; i < knots.count; ++i)
      knots.values.push_back(layer.grid.low + static_cast<double>(i - layer.grid.order) * layer.grid.step());
    return knots;
  }
  knots.rows = extent(layer.knots.size());
  for (const std::vector<double>& row : layer.knots)
    knots.values.insert(knots.values.end(), row.begin(), row.end());
  return knots;
}

/// Constant [rows][count] of value(row, place).
template <typename Value>
std::string by_place(OnnxGraph& graph, const Knots& knots, std::int64_t count, const Value& value) {
  std::vector<double> values;
  for (std::int64_t row = 0; row < knots.rows; ++row) {
    for (std::int64_t place = 0; place < count; ++place) values.push_back(value(row, place));
  }
  return graph.floats({knots.rows, count}, values);
}

/// All B-splines at `x` [events, inputs, 1], by Cox and de Boor: [events, inputs, basis].
std::string add_basis(OnnxGraph& graph, const Layer& layer, const std::string& x) {
  const Knots knots = knots_of(layer);
  const auto from = [&](std::int64_t shift) {
    return [&knots, shift](std::int64_t row, std::int64_t place) { return knots.at(row, place + shift); };
  };
  std::int64_t count = knots.count - 1;
  const std::string after = graph.apply("GreaterOrEqual", {x, by_place(graph, knots, count, from(0))});
  const std::string before = graph.apply("Less", {x, by_place(graph, knots, count, from(1))});
  std::string basis = graph.cast(graph.apply("And", {after, before}), OnnxType::kFloat);
  for (std::int64_t order = 1; order <= extent(layer.grid.order); ++order) {
    // B_i = (x - t_i) / (t_(i+order) - t_i) B_i + (t_(i+order+1) - x) / (t_(i+order+1) - t_(i+1)) B_(i+1), 0
    // / 0 being 0.
    const auto inverse = [&](std::int64_t shift) {
      return [&knots, order, shift](std::int64_t row, std::int64_t place) {
        const double width = knots.at(row, place + shift + order) - knots.at(row, place + shift);
        return width > 0.0 ? 1.0 / width : 0.0;
      };
    };
    --count;
    const std::string rising = graph.apply("Sub", {x, by_place(graph, knots, count, from(0))});
    const std::string falling = graph.apply("Sub", {by_place(graph, knots, count, from(order + 1)), x});
    const std::string left = graph.apply("Mul", {rising, by_place(graph, knots, count, inverse(0))});
    const std::string right = graph.apply("Mul", {falling, by_place(graph, knots, count, inverse(1))});
    const std::string lower = graph.slice(basis, {.axis = 2, .begin = 0, .end = count});
    const std::string upper = graph.slice(basis, {.axis = 2, .begin = 1, .end = count + 1});
    basis = graph.apply("Add", {graph.apply("Mul", {left, lower}), graph.apply("Mul", {right, upper})});
  }
  return basis;
}

/// Whether the learned functions of an edge count: it is neither pruned nor a formula.
bool is_learned(const Layer& layer, std::uint32_t input, std::uint32_t node) {
  return layer.is_active(input, node) && !layer.formulas.contains(layer.edge_index(input, node));
}

std::string add_splines(OnnxGraph& graph, const Layer& layer, const std::string& x) {
  const std::int64_t axis = 2;
  const std::string column = graph.apply("Unsqueeze", {x, graph.integers({1}, {&axis, 1})});
  const std::string basis = add_basis(graph, layer, column);
  const std::int64_t rows = extent(layer.inputs) * extent(layer.basis_count());
  const std::vector<std::int64_t> shape{-1, rows};
  const std::string flat = graph.apply("Reshape", {basis, graph.integers({2}, shape)});
  std::vector<double> coefficients = layer.coefficients;
  for (std::uint32_t j = 0; j < layer.inputs; ++j) {
    for (std::uint32_t k = 0; k < layer.nodes; ++k) {
      if (is_learned(layer, j, k)) continue;
      for (std::uint32_t b = 0; b < layer.basis_count(); ++b)
        coefficients[(std::size_t{j} * layer.basis_count() + b) * layer.nodes + k] = 0.0;
    }
  }
  return graph.apply("MatMul", {flat, graph.floats({rows, layer.nodes}, coefficients)});
}

/// The function that the weights of a layer multiply; empty where they multiply nothing.
std::string add_weighted(OnnxGraph& graph, const Layer& layer, const std::string& x) {
  if (layer.kind == EdgeKind::kLinear) return x;
  if (layer.kind == EdgeKind::kRelu) return graph.apply("Relu", {x});
  switch (layer.base) {
    case learned::BaseFunction::kSilu:
      return graph.apply("Mul", {x, graph.apply("Sigmoid", {x})});
    case learned::BaseFunction::kGelu: {
      const std::string scaled = graph.apply("Mul", {x, graph.number(0.70710678118654752)});  // x / sqrt(2)
      const std::string twice = graph.apply("Add", {graph.apply("Erf", {scaled}), graph.number(1.0)});
      return graph.apply("Mul", {graph.apply("Mul", {x, graph.number(0.5)}), twice});
    }
    case learned::BaseFunction::kNone:
      break;
  }
  return {};
}

std::string add_weights(OnnxGraph& graph, const Layer& layer, const std::string& values) {
  std::vector<double> weights = layer.weights;
  for (std::uint32_t j = 0; j < layer.inputs; ++j) {
    for (std::uint32_t k = 0; k < layer.nodes; ++k) {
      if (!is_learned(layer, j, k)) weights[layer.edge_index(j, k)] = 0.0;
    }
  }
  return graph.apply("MatMul", {values, graph.floats({layer.inputs, layer.nodes}, weights)});
}

/// One edge that is a formula, as what it adds to every node: [events, nodes].
std::string add_formula_edge(OnnxGraph& graph, const Layer& layer, std::uint32_t edge, const std::string& x) {
  const std::int64_t input = edge / layer.nodes;
  const std::string column = graph.apply("Gather", {x, graph.integers({1}, {&input, 1})}, {{"axis", 1}});
  std::vector<double> row(layer.nodes, 0.0);
  row[edge % layer.nodes] = 1.0;
  const std::string value = add_formula(graph, layer.formulas.at(edge), column);
  return graph.apply("Mul", {value, graph.floats({1, layer.nodes}, row)});
}

std::string add_layer(OnnxGraph& graph, const Layer& layer, const std::string& x) {
  const OnnxDims width{layer.nodes};
  std::string sum;
  const auto add = [&](const std::string& part) {
    sum = sum.empty() ? part : graph.apply("Add", {sum, part});
  };
  if (layer.kind == EdgeKind::kSpline) add(add_splines(graph, layer, x));
  if (const std::string values = add_weighted(graph, layer, x); !values.empty())
    add(add_weights(graph, layer, values));
  for (const auto& [edge, formula] : layer.formulas) {
    if (layer.active[edge] != 0) add(add_formula_edge(graph, layer, edge, x));
  }
  add(graph.floats(width, layer.biases));
  if (layer.quantizers.empty()) return sum;
  OnnxBounds bounds;
  for (const learned::NodeQuantizer& quantizer : layer.quantizers) {
    bounds.low.push_back(quantizer.low() * quantizer.scale());
    bounds.high.push_back(quantizer.high() * quantizer.scale());
  }
  return clip_floats(graph, sum, bounds);
}

/// gain x + shift, clamped to what the codes of an input span where it has codes.
std::string add_inputs(OnnxGraph& graph, const learned::LearnedKan& kan, const std::string& x) {
  constexpr double kUnbounded = 3e38;
  const OnnxDims width{extent(kan.inputs.size())};
  std::vector<double> gains;
  std::vector<double> shifts;
  OnnxBounds bounds;
  bool clamps = false;
  for (const learned::Input& input : kan.inputs) {
    gains.push_back(input.gain);
    shifts.push_back(input.shift);
    clamps = clamps || input.bits > 0;
    bounds.low.push_back(input.bits > 0 ? input.first : -kUnbounded);
    bounds.high.push_back(input.bits > 0 ? input.point((1U << input.bits) - 1) : kUnbounded);
  }
  const std::string product = graph.apply("Mul", {x, graph.floats(width, gains)});
  const std::string values = graph.apply("Add", {product, graph.floats(width, shifts)});
  return clamps ? clip_floats(graph, values, bounds) : values;
}

}  // namespace

Result<std::string> float_onnx(const learned::LearnedKan& kan) {
  if (auto ok = learned::check(kan); !ok) return tl::unexpected(ok.error());
  OnnxGraph graph(kan.name.empty() ? "model" : kan.name);
  graph.describe(
      "A Kolmogorov-Arnold model as real functions in float32: nothing is rounded, values clamp where the "
      "model is quantised.");
  std::string values =
      add_inputs(graph, kan, graph.input("x", OnnxType::kFloat, {extent(kan.inputs.size())}));
  for (const Layer& layer : kan.layers) values = add_layer(graph, layer, values);
  graph.output("outputs", OnnxType::kFloat, {extent(kan.layers.back().nodes)}, values);
  return graph.serialise();
}

}  // namespace kantrig::exchange
