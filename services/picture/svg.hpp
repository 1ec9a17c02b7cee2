// Svg: a small writer of SVG text. Shapes are drawn in the order of the calls; words are escaped.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kantrig::picture {

struct Point {
  double x = 0.0;
  double y = 0.0;
};

struct Rectangle {
  double x = 0.0;
  double y = 0.0;
  double width = 0.0;
  double height = 0.0;
};

enum class Anchor : std::uint8_t { kStart, kMiddle, kEnd };

struct TextStyle {
  double size = 12.0;
  std::string_view fill = "#222222";
  Anchor anchor = Anchor::kStart;
  bool bold = false;
  double turn = 0.0;  // degrees, clockwise about the anchor
};

/// Of an area: rectangle, circle, polygon. "none" is no colour.
struct Shape {
  std::string_view fill = "#cccccc";
  std::string_view stroke = "#ffffff";
  std::string_view tip = {};  // shown under the pointer
  double opacity = 1.0;       // 0..1, of fill and stroke
  double stroke_width = 1.0;
};

/// Of a line.
struct Stroke {
  std::string_view colour = "#999999";
  double width = 1.0;
  double opacity = 1.0;
  std::string_view dashes = {};  // lengths as SVG's stroke-dasharray; empty: solid
};

/// Coordinates grow rightward and downward from the upper left corner, in pixels.
class Svg {
 public:
  Svg(double width, double height, std::string_view title);

  void rectangle(const Rectangle& area, const Shape& shape);
  void circle(Point centre, double radius, const Shape& shape);
  void polygon(std::span<const Point> corners, const Shape& shape);
  void line(double x1, double y1, double x2, double y2, const Stroke& stroke = {});
  void polyline(std::span<const Point> points, const Stroke& stroke);
  /// A cubic Bezier curve.
  void bezier(Point from, Point control_from, Point control_to, Point to, const Stroke& stroke);
  /// `y` is the line the words stand on. Without words it draws nothing.
  void text(double x, double y, std::string_view words, const TextStyle& style);

  [[nodiscard]] std::string done() const { return body_ + "</svg>\n"; }

 private:
  std::string body_;
};

/// How wide `words` are at `size`, about: fonts differ, so leave room.
[[nodiscard]] double text_width(std::string_view words, double size) noexcept;

/// `words` in lines no wider than `room`, broken at blanks; a word too wide stands alone.
[[nodiscard]] std::vector<std::string> wrapped(std::string_view words, double size, double room);

/// `words`, cut with an ellipsis where they would be wider than `room`.
[[nodiscard]] std::string fitted(std::string_view words, double size, double room);

}  // namespace kantrig::picture
