// The integer KAN, golden vectors and reference histograms as protobuf bytes: model.pb, golden/vectors.pb,
// reference.pb. Decoders take bytes from anywhere: they bound the memory before they parse, and never throw.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "kan/bundle.hpp"
#include "kan/model.hpp"

namespace kantrig::kan {

inline constexpr std::size_t kModelBytesMax = std::size_t{128} << 20U;
inline constexpr std::size_t kGoldenBytesMax = std::size_t{64} << 20U;
inline constexpr std::size_t kReferenceBytesMax = std::size_t{64} << 20U;
inline constexpr std::uint32_t kGoldenVectorsMax = 65'536;
inline constexpr std::size_t kHistogramBinsMax = 65'536;

/// The same model gives the same bytes. Tables shared by edges are written once per edge. Precondition:
/// check(model).
[[nodiscard]] std::string encode_model(const Model& model);
/// A model that passes check(). `codes_only` is not part of the bytes: the manifest holds it.
[[nodiscard]] Result<Model> decode_model(std::string_view bytes, bool codes_only);

[[nodiscard]] std::string encode_golden(const GoldenVectors& golden, const Model& model);
/// Vectors that fit `model`: widths, code ranges, at least one vector.
[[nodiscard]] Result<GoldenVectors> decode_golden(std::string_view bytes, const Model& model);
/// What decode_golden() checks, for vectors in memory.
[[nodiscard]] Result<void> check_golden(const GoldenVectors& golden, const Model& model);

[[nodiscard]] std::string encode_reference(const Reference& reference);
[[nodiscard]] Result<Reference> decode_reference(std::string_view bytes);

}  // namespace kantrig::kan
