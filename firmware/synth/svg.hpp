// A small SVG writer: rectangles and text, escaped.
#pragma once

#include <string>
#include <string_view>

namespace kantrig::synth {

struct Rectangle {
  double x = 0.0;
  double y = 0.0;
  double width = 0.0;
  double height = 0.0;
};

enum class Anchor { kStart, kMiddle, kEnd };

struct TextStyle {
  double size = 12.0;
  std::string_view fill = "#222222";
  Anchor anchor = Anchor::kStart;
  bool bold = false;
};

struct Shape {
  std::string_view fill = "#cccccc";
  std::string_view stroke = "#ffffff";
  std::string_view tip = {};  // shown under the pointer
};

class Svg {
 public:
  Svg(double width, double height, std::string_view title);

  void rectangle(const Rectangle& area, const Shape& shape);
  void line(double x1, double y1, double x2, double y2);
  void text(double x, double y, std::string_view words, const TextStyle& style);
  [[nodiscard]] std::string done() const { return body_ + "</svg>\n"; }

 private:
  std::string body_;
};

/// How wide `words` are at `size`, about: fonts differ, so leave room.
[[nodiscard]] double text_width(std::string_view words, double size) noexcept;

}  // namespace kantrig::synth
