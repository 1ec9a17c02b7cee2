// The bundle of a checkpoint.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "compiler/learned/learned_kan.hpp"
#include "kan/bundle.hpp"

namespace kantrig::exchange {

struct PackageOptions {
  std::string name = {};  // of the bundle
  std::string version = {};
  std::string license = {};
  std::string command = {};  // for the manifest: "import torch"
  std::string source = {};   // name of the file that was imported
  std::string source_sha256 = {};
  std::uint32_t random_vectors = 512;  // golden vectors beside the corners
  std::uint64_t seed = 1;              // of these
  /// The model is an autoencoder: it answers with the distance of its outputs from its inputs.
  std::optional<kan::DistanceMeasure> score = {};
  double anomaly_above = 0.0;  // real score, in the units of what enters the first layer
};

/// Tables, golden vectors and names of a quantised model. Its error tells how to quantise one that is not.
[[nodiscard]] Result<kan::Bundle> package(const learned::LearnedKan& kan, const PackageOptions& options);

}  // namespace kantrig::exchange
