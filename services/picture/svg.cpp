#include "picture/svg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace kantrig::picture {
namespace {

constexpr double kFarthest = 1e6;  // no coordinate lies beyond: viewers count in float
constexpr double kGlyph = 0.6;     // width of a character over its size, about
constexpr std::string_view kEllipsis = "\u2026";

/// How many bytes the UTF-8 character at the front of `words` has; 0 when there is none that XML takes.
std::size_t character_bytes(std::string_view words) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(words[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t count = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || words.size() < count) return 0;
  for (std::size_t i = 1; i < count; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const bool overlong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90);
  const bool surrogate = lead == 0xED && byte(1) > 0x9F;
  const bool beyond = lead == 0xF4 && byte(1) > 0x8F;
  const bool not_a_character = lead == 0xEF && byte(1) == 0xBF && byte(2) >= 0xBE;
  return overlong || surrogate || beyond || not_a_character ? 0 : count;
}

void append_escaped(std::string& text, char c) {
  switch (c) {
    case '<':
      text += "&lt;";
      return;
    case '>':
      text += "&gt;";
      return;
    case '&':
      text += "&amp;";
      return;
    case '"':
      text += "&quot;";
      return;
    default:
      text += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
}

/// Text that XML takes: bytes that are no UTF-8 become '?'.
std::string escaped(std::string_view words) {
  std::string text;
  while (!words.empty()) {
    const std::size_t bytes = character_bytes(words);
    if (bytes == 1) {
      append_escaped(text, words.front());
    } else if (bytes == 0) {
      text += '?';
    } else {
      text += words.substr(0, bytes);
    }
    words.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  return text;
}

std::string_view anchor_name(Anchor anchor) {
  switch (anchor) {
    case Anchor::kMiddle:
      return "middle";
    case Anchor::kEnd:
      return "end";
    case Anchor::kStart:
      break;
  }
  return "start";
}

/// A coordinate: two decimals, no trailing zeros, never "-0", always finite.
std::string number(double value) {
  const double bounded = std::isnan(value) ? 0.0 : std::clamp(value, -kFarthest, kFarthest);
  std::string text = fmt::format("{:.2f}", bounded);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

std::string place(Point point) {
  return number(point.x) + "," + number(point.y);
}

std::string points_text(std::span<const Point> points) {
  std::string text;
  for (const Point& point : points) {
    if (!text.empty()) text += ' ';
    text += place(point);
  }
  return text;
}

/// `what` is fill or stroke; "opacity" alone would make viewers draw each element on a picture of its own.
std::string opacity_text(std::string_view what, double opacity) {
  if (opacity >= 1.0) return {};
  return fmt::format(" {}-opacity=\"{}\"", what, number(std::max(opacity, 0.0)));
}

std::string stroke_text(const Stroke& stroke) {
  std::string text = fmt::format(" stroke=\"{}\"", escaped(stroke.colour));
  if (stroke.width != 1.0) text += fmt::format(" stroke-width=\"{}\"", number(stroke.width));
  if (!stroke.dashes.empty()) text += fmt::format(" stroke-dasharray=\"{}\"", escaped(stroke.dashes));
  return text + opacity_text("stroke", stroke.opacity);
}

/// Attributes and end of an area's element called `name`.
std::string shape_text(const Shape& shape, std::string_view name) {
  std::string text = fmt::format(" fill=\"{}\" stroke=\"{}\"", escaped(shape.fill), escaped(shape.stroke));
  if (shape.stroke_width != 1.0) text += fmt::format(" stroke-width=\"{}\"", number(shape.stroke_width));
  if (shape.fill != "none") text += opacity_text("fill", shape.opacity);
  if (shape.stroke != "none") text += opacity_text("stroke", shape.opacity);
  if (shape.tip.empty()) return text + "/>\n";
  return fmt::format("{}><title>{}</title></{}>\n", text, escaped(shape.tip), name);
}

}  // namespace

double text_width(std::string_view words, double size) noexcept {
  const auto characters = std::count_if(
      words.begin(), words.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
  return kGlyph * size * static_cast<double>(characters);
}

std::string fitted(std::string_view words, double size, double room) {
  if (text_width(words, size) <= room) return std::string(words);
  std::string text;
  while (!words.empty()) {
    const std::size_t bytes = std::max<std::size_t>(character_bytes(words), 1);
    if (text_width(text, size) + 2.0 * kGlyph * size > room) break;
    text += words.substr(0, bytes);
    words.remove_prefix(bytes);
  }
  return text + std::string(kEllipsis);
}

std::vector<std::string> wrapped(std::string_view words, double size, double room) {
  std::vector<std::string> lines;
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    const std::string_view word = words.substr(0, end);
    words.remove_prefix(std::min(end + 1, words.size()));
    if (word.empty()) continue;
    const double width = lines.empty() ? 0.0 : text_width(lines.back(), size) + text_width(word, size);
    if (lines.empty() || width + kGlyph * size > room) {
      lines.emplace_back(word);
    } else {
      lines.back().append(" ").append(word);
    }
  }
  return lines;
}

Svg::Svg(double width, double height, std::string_view title) {
  body_ = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} "
      "{1:.0f}\" font-family=\"DejaVu Sans, Verdana, sans-serif\">\n<title>{2}</title>\n"
      "<rect width=\"{0:.0f}\" height=\"{1:.0f}\" fill=\"#ffffff\"/>\n",
      width, height, escaped(title));
}

void Svg::rectangle(const Rectangle& area, const Shape& shape) {
  fmt::format_to(std::back_inserter(body_), "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"{}",
                 number(area.x), number(area.y), number(std::max(area.width, 0.0)),
                 number(std::max(area.height, 0.0)), shape_text(shape, "rect"));
}

void Svg::circle(Point centre, double radius, const Shape& shape) {
  fmt::format_to(std::back_inserter(body_), "<circle cx=\"{}\" cy=\"{}\" r=\"{}\"{}", number(centre.x),
                 number(centre.y), number(std::max(radius, 0.0)), shape_text(shape, "circle"));
}

void Svg::polygon(std::span<const Point> corners, const Shape& shape) {
  fmt::format_to(std::back_inserter(body_), "<polygon points=\"{}\"{}", points_text(corners),
                 shape_text(shape, "polygon"));
}

void Svg::line(double x1, double y1, double x2, double y2, const Stroke& stroke) {
  fmt::format_to(std::back_inserter(body_), "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"{}/>\n", number(x1),
                 number(y1), number(x2), number(y2), stroke_text(stroke));
}

void Svg::polyline(std::span<const Point> points, const Stroke& stroke) {
  fmt::format_to(std::back_inserter(body_),
                 "<polyline points=\"{}\" fill=\"none\" stroke-linejoin=\"round\"{}/>\n", points_text(points),
                 stroke_text(stroke));
}

void Svg::bezier(Point from, Point control_from, Point control_to, Point to, const Stroke& stroke) {
  fmt::format_to(std::back_inserter(body_), "<path d=\"M{} C{} {} {}\" fill=\"none\"{}/>\n", place(from),
                 place(control_from), place(control_to), place(to), stroke_text(stroke));
}

void Svg::text(double x, double y, std::string_view words, const TextStyle& style) {
  if (words.empty()) return;
  const std::string turned =
      style.turn == 0.0 ? std::string()
                        : fmt::format(" transform=\"rotate({} {})\"", number(style.turn), place({x, y}));
  fmt::format_to(std::back_inserter(body_),
                 "<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{}\" text-anchor=\"{}\"{}{}>{}</text>\n",
                 number(x), number(y), number(style.size), escaped(style.fill), anchor_name(style.anchor),
                 style.bold ? " font-weight=\"bold\"" : "", turned, escaped(words));
}

}  // namespace kantrig::picture
