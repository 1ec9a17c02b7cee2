#include "settings/value.hpp"

#include <fmt/format.h>

namespace kantrig::settings {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string joined(const List& list) {
  std::string out = "[";
  for (const Value& element : list) {
    if (out.size() > 1) out += ", ";
    out += to_toml(element);
  }
  return out + "]";
}

struct Printer {
  std::string operator()(bool flag) const { return flag ? "true" : "false"; }
  std::string operator()(std::int64_t number) const { return std::to_string(number); }
  std::string operator()(double number) const {
    std::string text = fmt::format("{}", number);
    if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";  // else it reads as whole
    return text;
  }
  std::string operator()(const std::string& text) const { return quoted(text); }
  std::string operator()(const List& list) const { return joined(list); }
};

struct Namer {
  std::string_view operator()(bool) const { return "true or false"; }
  std::string_view operator()(std::int64_t) const { return "a whole number"; }
  std::string_view operator()(double) const { return "a number with a fraction"; }
  std::string_view operator()(const std::string&) const { return "text"; }
  std::string_view operator()(const List&) const { return "a list"; }
};

}  // namespace

std::string to_toml(const Value& value) {
  return std::visit(Printer{}, value.data);
}

std::string_view kind_of(const Value& value) {
  return std::visit(Namer{}, value.data);
}

}  // namespace kantrig::settings
