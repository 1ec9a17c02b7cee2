// Models as ONNX files, for the runtimes of others.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "compiler/learned/learned_kan.hpp"
#include "kan/bundle.hpp"

namespace kantrig::exchange {

/// Where the lookup model begins.
enum class OnnxEntry : std::uint8_t {
  kFeatures,  // x: float32 in physical units; of a bundle that takes codes only, its codes
  kCodes,     // codes: behind the input stage
};

/// A bundle's model as lookups in integers, the same bits as services/kan/README.md defines:
///   x float32 [events, features], or codes int64
///   -> codes int64 [events, features], outputs int32 and scores float32 [events, outputs], class int64
///   [events]
[[nodiscard]] Result<std::string> lookup_onnx(const kan::Bundle& bundle, OnnxEntry entry);

/// The model as real functions in float32, nothing rounded, clamped where it is quantised
/// (learned::evaluate):
///   x float32 [events, features] -> outputs float32 [events, outputs]
[[nodiscard]] Result<std::string> float_onnx(const learned::LearnedKan& kan);

}  // namespace kantrig::exchange
