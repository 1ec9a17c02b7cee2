// What a search for few shapes found: as text, CSV, JSON and pictures.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/explore/shared_training.hpp"

namespace kantrig::explore {

/// One number of shapes.
struct ShapesRow {
  std::uint32_t shapes = 0;
  std::uint64_t parameters = 0;  // of edges: shapes, and a factor and a constant each
  double unexplained = 0.0;
  train::Score refitted;
  train::Score tuned;
};

struct ShapesReport {
  std::string model;
  std::uint64_t edges = 0;
  std::uint64_t rows_validation = 0;
  bool classes = true;          // else only losses count
  ShapesRow own;                // every edge its own shape, trained on as long as the others
  std::vector<ShapesRow> rows;  // by rising number of shapes
};

/// Index into rows: the fewest shapes that are no worse than own ones by more than one standard error of
/// their accuracy. rows.size(): none is.
[[nodiscard]] std::size_t few_enough(const ShapesReport& report);

[[nodiscard]] std::string to_text(const ShapesReport& report);
[[nodiscard]] std::string to_csv(const ShapesReport& report);
[[nodiscard]] std::string to_json(const ShapesReport& report);
/// Quality by number of shapes, as SVG.
[[nodiscard]] std::string draw(const ShapesReport& report);
/// The shapes themselves over the grid, as SVG; at most 16, those that most edges use first.
[[nodiscard]] std::string draw_shapes(const SharedModel& model);

}  // namespace kantrig::explore
