// Golden vectors: inputs with the outputs that the reference evaluator gives, to hold every other evaluator
// to.
#pragma once

#include <cstdint>
#include <span>

#include "kan/bundle.hpp"

namespace kantrig::compiler {

/// Adds the vector of `codes`, its outputs computed by the reference evaluator.
void add_vector(const kan::Model& model, std::span<const std::uint16_t> codes, kan::GoldenVectors& golden);

/// Adds the lowest and the highest code of every input at once, then `count` vectors of uniform codes from
/// `seed`.
void add_seeded_vectors(const kan::Model& model, std::uint32_t count, std::uint64_t seed,
                        kan::GoldenVectors& golden);

}  // namespace kantrig::compiler
