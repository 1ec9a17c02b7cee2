// Charts as SVG text: lines, points and heat maps with axes, for training logs, sweeps and fits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kantrig::picture {

enum class Mark : std::uint8_t { kLine, kPoints, kSteps };

struct Series {
  std::string name{};  // in the legend; empty: not there
  std::vector<double> x{};
  std::vector<double> y{};
  Mark mark = Mark::kLine;
  std::vector<std::string> labels{};  // of the points, shown beside them; may be empty
};

enum class Scale : std::uint8_t { kLinear, kLogarithmic };

struct Axis {
  std::string label{};
  Scale scale = Scale::kLinear;
};

struct Chart {
  std::string title{};
  Axis x{};
  Axis y{};
  std::vector<Series> series{};
};

struct HeatMap {
  std::string title{};
  std::string x_label{};
  std::string y_label{};
  std::vector<std::string> columns{};
  std::vector<std::string> rows{};
  std::vector<double> values{};           // rows x columns; NaN: empty cell
  std::optional<std::uint32_t> marked{};  // cell drawn with a frame
  std::uint32_t decimals = 3;             // of the numbers in the cells
};

/// SVG text. Points that are not finite (or beyond 1e300), or not positive on a logarithmic axis, are left
/// out, and lines are broken there. The same chart gives the same bytes.
[[nodiscard]] std::string draw(const Chart& chart);
[[nodiscard]] std::string draw(const HeatMap& map);

}  // namespace kantrig::picture
