#include "compiler/exchange/onnx_formula.hpp"

namespace kantrig::exchange {
namespace {

using learned::Function;

// Bounds of learned::value_of().
constexpr double kLargest = 1e12;
constexpr double kSmallest = 1e-12;
constexpr double kExponentMax = 30.0;  // its exponential is past kLargest

std::string clamp(OnnxGraph& graph, const std::string& x, double low, double high) {
  return graph.apply("Clip", {x, graph.number(low), graph.number(high)});
}

/// x, pushed away from 0 on its own side.
std::string away_from_zero(OnnxGraph& graph, const std::string& x) {
  const std::string far = graph.apply("GreaterOrEqual", {graph.apply("Abs", {x}), graph.number(kSmallest)});
  const std::string negative = graph.apply("Less", {x, graph.number(0.0)});
  const std::string near =
      graph.apply("Where", {negative, graph.number(-kSmallest), graph.number(kSmallest)});
  return graph.apply("Where", {far, x, near});
}

std::string inverse(OnnxGraph& graph, const std::string& x) {
  return graph.apply("Div", {graph.number(1.0), x});
}

std::string square(OnnxGraph& graph, const std::string& x) {
  return graph.apply("Mul", {x, x});
}

/// f(x) where x lies in [-kLargest, kLargest]; may be infinite.
std::string add_function(OnnxGraph& graph, Function function, const std::string& x) {
  switch (function) {
    case Function::kZero:
      return graph.apply("Mul", {x, graph.number(0.0)});
    case Function::kIdentity:
      return x;
    case Function::kSquare:
      return square(graph, x);
    case Function::kCube:
      return graph.apply("Mul", {square(graph, x), x});
    case Function::kFourth:
      return square(graph, square(graph, x));
    case Function::kReciprocal:
      return inverse(graph, away_from_zero(graph, x));
    case Function::kReciprocalSquare:
      return square(graph, inverse(graph, away_from_zero(graph, x)));
    case Function::kSquareRoot:
      return graph.apply("Sqrt", {graph.apply("Abs", {x})});
    case Function::kReciprocalRoot:
      return inverse(graph, graph.apply("Sqrt", {graph.apply("Abs", {away_from_zero(graph, x)})}));
    case Function::kExp:
      return graph.apply("Exp", {clamp(graph, x, -kLargest, kExponentMax)});
    case Function::kLog:
      return graph.apply("Log", {graph.apply("Abs", {away_from_zero(graph, x)})});
    case Function::kAbs:
      return graph.apply("Abs", {x});
    case Function::kSin:
      return graph.apply("Sin", {x});
    case Function::kCos:
      return graph.apply("Cos", {x});
    case Function::kTan:
      return graph.apply("Div", {graph.apply("Sin", {x}), away_from_zero(graph, graph.apply("Cos", {x}))});
    case Function::kTanh:
      return graph.apply("Tanh", {x});
    case Function::kSigmoid:
      return graph.apply("Sigmoid", {x});
    case Function::kGaussian:
      return graph.apply("Exp", {graph.apply("Neg", {square(graph, x)})});
    case Function::kArctan:
      return graph.apply("Atan", {x});
    case Function::kSilu:
      return graph.apply("Mul", {x, graph.apply("Sigmoid", {x})});
  }
  return x;
}

}  // namespace

std::string add_formula(OnnxGraph& graph, const learned::Formula& formula, const std::string& x) {
  const auto affine = [&](const std::string& values, double scale, double offset) {
    return graph.apply("Add", {graph.apply("Mul", {values, graph.number(scale)}), graph.number(offset)});
  };
  const std::string inner =
      clamp(graph, affine(x, formula.inner_scale, formula.inner_offset), -kLargest, kLargest);
  const std::string value = clamp(graph, add_function(graph, formula.function, inner), -kLargest, kLargest);
  return affine(value, formula.outer_scale, formula.outer_offset);
}

}  // namespace kantrig::exchange
