// Formula: an edge as a closed expression, outer_scale f(inner_scale x + inner_offset) + outer_offset, and
// the functions f it may be made of (pykan, arXiv 2404.19756, section 2.5.1).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace kantrig::learned {

enum class Function : std::uint8_t {
  kZero,
  kIdentity,
  kSquare,
  kCube,
  kFourth,
  kReciprocal,        // 1/x
  kReciprocalSquare,  // 1/x^2
  kSquareRoot,        // of |x|
  kReciprocalRoot,    // 1/sqrt(|x|)
  kExp,
  kLog,  // of |x|
  kAbs,
  kSin,
  kCos,
  kTan,
  kTanh,
  kSigmoid,
  kGaussian,  // exp(-x^2)
  kArctan,
  kSilu,
};

struct FunctionFacts {
  Function function;
  std::string_view name;     // as pykan names it where it does: "x^2", "sqrt", "gaussian", ...
  std::uint32_t complexity;  // to weigh against the quality of a fit; 0 for zero, 1 for x, as pykan
};

/// Every function, the simplest first.
[[nodiscard]] std::span<const FunctionFacts> functions() noexcept;
[[nodiscard]] std::string_view name_of(Function function) noexcept;
[[nodiscard]] std::optional<Function> function_named(std::string_view name) noexcept;

/// f(x). Poles and overflow give large finite values, never NaN or infinity.
[[nodiscard]] double value_of(Function function, double x) noexcept;

struct Formula {
  Function function = Function::kZero;
  double inner_scale = 1.0;
  double inner_offset = 0.0;
  double outer_scale = 1.0;
  double outer_offset = 0.0;

  [[nodiscard]] double at(double x) const noexcept {
    return outer_scale * value_of(function, inner_scale * x + inner_offset) + outer_offset;
  }
};

}  // namespace kantrig::learned
