// read_dataset(): labelled events from .npy or .csv files.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"
#include "compiler/train/dataset.hpp"
#include "compiler/train/specification.hpp"

namespace kantrig::train {

struct DataFiles {
  std::filesystem::path x;   // .npy or .csv
  std::filesystem::path y;   // .npy or .csv; empty: the classes are a column of x, which is a .csv
  std::string class_column;  // of a .csv with classes; empty: its last column
};

/// Reads features and classes, and names the data for provenance: the file names, and the SHA-256 of their
/// bytes one after the other. Columns of a .csv must be the specified features, in their order.
[[nodiscard]] Result<Dataset> read_dataset(const Specification& specification, const DataFiles& files);

}  // namespace kantrig::train
