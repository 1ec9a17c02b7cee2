// A strict reader of the XML that our pictures are: elements in order, or what is not well-formed.
#pragma once

#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kantrig::test {

struct XmlElement {
  std::string name;
  std::map<std::string, std::string> attributes;
  std::string text;  // directly inside, entities as they stand

  [[nodiscard]] double number(const std::string& key) const {
    const auto found = attributes.find(key);
    return found == attributes.end() ? 0.0 : std::strtod(found->second.c_str(), nullptr);
  }
};

struct XmlReading {
  std::vector<XmlElement> elements;  // in the order of their beginnings
  std::string error;                 // empty: well-formed

  [[nodiscard]] std::vector<XmlElement> named(std::string_view name) const {
    std::vector<XmlElement> found;
    for (const XmlElement& element : elements) {
      if (element.name == name) found.push_back(element);
    }
    return found;
  }
};

/// Whether every & begins one of XML's five entities and no < stands alone.
inline bool plain_text(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '<' || (static_cast<unsigned char>(text[i]) < 0x20 && text[i] != '\n')) return false;
    if (text[i] != '&') continue;
    bool known = false;
    for (const std::string_view entity : {"&lt;", "&gt;", "&amp;", "&quot;", "&apos;"})
      known = known || text.substr(i, entity.size()) == entity;
    if (!known) return false;
  }
  return true;
}

/// The attributes of a tag, from behind its name on; false when they are garbled or doubled.
inline bool read_attributes(std::string_view rest, XmlElement& element) {
  while (true) {
    const std::size_t begin = rest.find_first_not_of(" \n");
    if (begin == std::string_view::npos) return true;
    rest.remove_prefix(begin);
    const std::size_t equals = rest.find("=\"");
    if (equals == std::string_view::npos) return false;
    const std::size_t end = rest.find('"', equals + 2);
    if (end == std::string_view::npos) return false;
    const std::string_view value = rest.substr(equals + 2, end - equals - 2);
    if (!plain_text(value)) return false;
    if (!element.attributes.emplace(rest.substr(0, equals), value).second) return false;
    rest.remove_prefix(end + 1);
  }
}

inline XmlReading read_xml(std::string_view xml) {
  XmlReading reading;
  std::vector<std::size_t> open;
  bool root_done = false;
  while (!xml.empty()) {
    const std::size_t tag = std::min(xml.find('<'), xml.size());
    const std::string_view text = xml.substr(0, tag);
    if (!plain_text(text)) reading.error = "bad text '" + std::string(text) + "'";
    if (open.empty() && text.find_first_not_of(" \n") != std::string_view::npos)
      reading.error = "text outside the root";
    if (!open.empty()) reading.elements[open.back()].text += text;
    xml.remove_prefix(tag);
    if (xml.empty() || !reading.error.empty()) break;
    const std::size_t end = xml.find('>');
    if (end == std::string_view::npos) reading.error = "a tag has no end";
    std::string_view inner = xml.substr(1, end == std::string_view::npos ? 0 : end - 1);
    xml.remove_prefix(std::min(end, xml.size() - 1) + 1);
    if (inner.starts_with('/')) {
      if (open.empty() || reading.elements[open.back()].name != inner.substr(1))
        reading.error = "</" + std::string(inner.substr(1)) + "> closes nothing";
      if (!open.empty()) open.pop_back();
    } else {
      const bool closed = inner.ends_with('/');
      if (closed) inner.remove_suffix(1);
      XmlElement element;
      const std::size_t name_end = std::min(inner.find_first_of(" \n"), inner.size());
      element.name = inner.substr(0, name_end);
      if (element.name.empty() || !read_attributes(inner.substr(name_end), element))
        reading.error = "bad tag <" + std::string(inner) + ">";
      if (open.empty() && root_done) reading.error = "two roots";
      root_done = true;
      reading.elements.push_back(std::move(element));
      if (!closed) open.push_back(reading.elements.size() - 1);
    }
    if (!reading.error.empty()) return reading;
  }
  if (reading.error.empty() && (!open.empty() || !root_done)) reading.error = "ends inside an element";
  return reading;
}

/// Corners of everything drawn whose place is plain numbers: empty where all of it is inside the picture,
/// else the first element that is not. Turned text is measured at its anchor only.
inline std::string outside_of_picture(const XmlReading& reading) {
  if (reading.elements.empty()) return "nothing was drawn";
  const double width = reading.elements.front().number("width");
  const double height = reading.elements.front().number("height");
  const auto good = [&](double x, double y) { return x >= 0.0 && y >= 0.0 && x <= width && y <= height; };
  for (const XmlElement& one : reading.elements) {
    bool all = true;
    if (one.name == "rect") {
      all = good(one.number("x"), one.number("y")) &&
            good(one.number("x") + one.number("width") - 0.02, one.number("y") + one.number("height") - 0.02);
    } else if (one.name == "circle") {
      all = good(one.number("cx"), one.number("cy"));
    } else if (one.name == "line") {
      all = good(one.number("x1"), one.number("y1")) && good(one.number("x2"), one.number("y2"));
    } else if (one.name == "text") {
      all = good(one.number("x"), one.number("y"));
    } else if (one.name == "polyline" || one.name == "polygon") {
      const char* at = one.attributes.at("points").c_str();
      for (char* end = nullptr; *at != '\0'; at = *end == ' ' ? end + 1 : end) {
        const double x = std::strtod(at, &end);
        const double y = std::strtod(end + 1, &end);
        all = all && good(x, y);
      }
    }
    if (!all) return one.name + " lies outside the picture: '" + one.text + "'";
  }
  return {};
}

}  // namespace kantrig::test
