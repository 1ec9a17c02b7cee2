// Import of published KANELE models: a folder with config.json, truth_tables.json, vectors_in.txt and
// vectors_out.txt.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "kan/bundle.hpp"

namespace kantrig::exchange {

/// What truth_tables.json leaves out.
struct KaneleShape {
  std::vector<std::uint32_t> layers;  // widths, the inputs first
  std::vector<std::uint32_t> bits;    // of the codes of each
};

struct KaneleOptions {
  std::string name = {};  // of the bundle
  std::string version = {};
  std::string license = {};
  std::uint32_t random_vectors = 512;  // golden vectors beside the published ones
  std::uint64_t seed = 1;              // of the random vectors
};

struct KaneleImport {
  kan::Bundle bundle;  // takes codes only: the published files have no input stage
  std::uint64_t entries_out_of_range =
      0;  // of active edges, past the output bits of their layer; used as stored
  std::uint32_t published_vectors = 0;  // 0 when the folder has none
};

/// Reads the folder. Fails when a file is wrong, or when the tables do not give the published vectors.
[[nodiscard]] Result<KaneleImport> import_kanele(const std::filesystem::path& folder,
                                                 const KaneleOptions& options);

/// The tables of truth_tables.json alone, as a model that takes codes.
[[nodiscard]] Result<kan::Model> read_truth_tables(const std::filesystem::path& path,
                                                   const KaneleShape& shape);

}  // namespace kantrig::exchange
