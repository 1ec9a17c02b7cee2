#include "compiler/golden.hpp"

#include <random>

#include "kan/reference.hpp"

namespace kantrig::compiler {

void add_vector(const kan::Model& model, std::span<const std::uint16_t> codes, kan::GoldenVectors& golden) {
  const auto outputs = kan::reference_outputs(model, codes);
  golden.inputs.insert(golden.inputs.end(), codes.begin(), codes.end());
  golden.outputs.insert(golden.outputs.end(), outputs.begin(), outputs.end());
  ++golden.count;
}

void add_seeded_vectors(const kan::Model& model, std::uint32_t count, std::uint64_t seed,
                        kan::GoldenVectors& golden) {
  std::vector<std::uint16_t> codes(model.input_count(), 0);
  add_vector(model, codes, golden);
  for (std::size_t i = 0; i < codes.size(); ++i)
    codes[i] = static_cast<std::uint16_t>((1U << model.inputs[i].bits) - 1);
  add_vector(model, codes, golden);
  std::mt19937_64 random(
      seed);  // its values are fixed by the C++ standard; codes are powers of two, so a mask is uniform
  for (std::uint32_t n = 0; n < count; ++n) {
    for (std::size_t i = 0; i < codes.size(); ++i) {
      codes[i] = static_cast<std::uint16_t>(random() & ((1U << model.inputs[i].bits) - 1));
    }
    add_vector(model, codes, golden);
  }
}

}  // namespace kantrig::compiler
