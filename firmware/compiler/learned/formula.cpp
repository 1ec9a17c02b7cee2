#include "compiler/learned/formula.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "compiler/learned/elementary.hpp"

namespace kantrig::learned {
namespace {

constexpr std::array<FunctionFacts, 20> kFunctions{{
    {Function::kZero, "0", 0},
    {Function::kIdentity, "x", 1},
    {Function::kSquare, "x^2", 2},
    {Function::kExp, "exp", 2},
    {Function::kLog, "log", 2},
    {Function::kSin, "sin", 2},
    {Function::kCos, "cos", 2},
    {Function::kReciprocal, "1/x", 2},
    {Function::kSquareRoot, "sqrt", 2},
    {Function::kReciprocalRoot, "1/sqrt(x)", 2},
    {Function::kReciprocalSquare, "1/x^2", 2},
    {Function::kCube, "x^3", 3},
    {Function::kFourth, "x^4", 3},
    {Function::kAbs, "abs", 3},
    {Function::kTan, "tan", 3},
    {Function::kTanh, "tanh", 3},
    {Function::kSigmoid, "sigmoid", 3},
    {Function::kGaussian, "gaussian", 3},
    {Function::kArctan, "arctan", 4},
    {Function::kSilu, "silu", 4},
}};

constexpr double kLargest = 1e12;  // what a pole gives
constexpr double kSmallest = 1e-12;

double sigmoid(double x) noexcept {
  return 1.0 / (1.0 + exponential(-x));
}

double tangent_hyperbolic(double x) noexcept {
  if (std::abs(x) < 1e-3) return x * (1.0 - x * x / 3.0);
  return 2.0 * sigmoid(2.0 * x) - 1.0;
}

double away_from_zero(double x) noexcept {
  return std::abs(x) >= kSmallest ? x : std::copysign(kSmallest, x);
}

double raw_value(Function function, double x) noexcept {
  switch (function) {
    case Function::kZero:
      return 0.0;
    case Function::kIdentity:
      return x;
    case Function::kSquare:
      return x * x;
    case Function::kCube:
      return x * x * x;
    case Function::kFourth:
      return x * x * x * x;
    case Function::kReciprocal:
      return 1.0 / away_from_zero(x);
    case Function::kReciprocalSquare:
      return 1.0 / (away_from_zero(x) * away_from_zero(x));
    case Function::kSquareRoot:
      return std::sqrt(std::abs(x));
    case Function::kReciprocalRoot:
      return 1.0 / std::sqrt(std::abs(away_from_zero(x)));
    case Function::kExp:
      return exponential(std::min(x, 300.0));
    case Function::kLog:
      return logarithm(std::abs(away_from_zero(x)));
    case Function::kAbs:
      return std::abs(x);
    case Function::kSin:
      return sine(x);
    case Function::kCos:
      return cosine(x);
    case Function::kTan:
      return sine(x) / away_from_zero(cosine(x));
    case Function::kTanh:
      return tangent_hyperbolic(x);
    case Function::kSigmoid:
      return sigmoid(x);
    case Function::kGaussian:
      return exponential(-std::min(x * x, 700.0));
    case Function::kArctan:
      return arctangent(x);
    case Function::kSilu:
      return x * sigmoid(x);
  }
  return 0.0;
}

}  // namespace

std::span<const FunctionFacts> functions() noexcept {
  return kFunctions;
}

std::string_view name_of(Function function) noexcept {
  const auto found = std::find_if(kFunctions.begin(), kFunctions.end(),
                                  [&](const FunctionFacts& facts) { return facts.function == function; });
  return found == kFunctions.end() ? "?" : found->name;
}

std::optional<Function> function_named(std::string_view name) noexcept {
  const auto found = std::find_if(kFunctions.begin(), kFunctions.end(),
                                  [&](const FunctionFacts& facts) { return facts.name == name; });
  if (found == kFunctions.end()) return std::nullopt;
  return found->function;
}

double value_of(Function function, double x) noexcept {
  return std::clamp(raw_value(function, std::clamp(x, -kLargest, kLargest)), -kLargest, kLargest);
}

}  // namespace kantrig::learned
