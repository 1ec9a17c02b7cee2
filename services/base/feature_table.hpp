// FeatureTable: events as rows of float32, as read from .npy and .csv files.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace kantrig::base {

/// What one file may hold, so that a wrong path cannot fill the memory.
inline constexpr std::size_t kTableBytesMax = std::size_t{1} << 30U;
inline constexpr std::size_t kTableColumnsMax = 65'536;
inline constexpr std::size_t kTableRowsMax = std::size_t{1} << 26U;
inline constexpr std::size_t kTableValuesMax = std::size_t{1} << 28U;

/// Values row by row.
struct FeatureTable {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<float> values;              // rows x columns
  std::vector<std::string> column_names;  // empty where the file names none (.npy)

  [[nodiscard]] std::span<const float> row(std::size_t index) const {
    return std::span(values).subspan(index * columns, columns);
  }
};

}  // namespace kantrig::base
