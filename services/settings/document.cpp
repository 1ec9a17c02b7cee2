#include "settings/document.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <optional>

namespace kantrig::settings {
namespace {

/// Empty for what no key takes: dates, times, tables inside lists.
std::optional<Value> to_value(const toml::node& node) {
  if (const auto* flag = node.as_boolean()) return Value{flag->get()};
  if (const auto* number = node.as_integer()) return Value{number->get()};
  if (const auto* number = node.as_floating_point()) return Value{number->get()};
  if (const auto* text = node.as_string()) return Value{text->get()};
  const auto* array = node.as_array();
  if (array == nullptr) return std::nullopt;
  List list;
  for (const toml::node& element : *array) {
    auto value = to_value(element);
    if (!value) return std::nullopt;
    list.push_back(std::move(*value));
  }
  return Value{std::move(list)};
}

Result<void> flatten(const toml::table& table, const std::string& prefix, std::string_view origin,
                     Document& out) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    const std::uint32_t line = node.source().begin.line;
    if (const toml::table* inner = node.as_table()) {
      out.sections.push_back({name, line});
      if (auto done = flatten(*inner, name + ".", origin, out); !done) return done;
      continue;
    }
    auto value = to_value(node);
    if (!value) {
      return fail(ErrorCode::kInvalid,
                  "{}:{}: {} holds a date, a time or a table: expected true or false, a number, "
                  "text or a list of these",
                  origin, line, name);
    }
    out.entries.push_back({name, std::move(*value), line});
  }
  return {};
}

Result<toml::table> parse_text(std::string_view text, std::string_view origin) {
  try {
    return toml::parse(text, origin);
  } catch (const toml::parse_error& error) {
    return fail(ErrorCode::kInvalid, "{}:{}:{}: not TOML: {}", origin, error.source().begin.line,
                error.source().begin.column, error.description());
  }
}

}  // namespace

Result<Document> read_document(std::string_view text, std::string_view origin) {
  auto table = parse_text(text, origin);
  if (!table) return tl::unexpected(table.error());
  Document document;
  if (auto done = flatten(*table, "", origin, document); !done) return tl::unexpected(done.error());
  const auto earlier = [](const auto& a, const auto& b) { return a.line < b.line; };
  std::stable_sort(document.entries.begin(), document.entries.end(),
                   earlier);  // so that the first mistake is told
  std::stable_sort(document.sections.begin(), document.sections.end(), earlier);
  return document;
}

Result<Value> read_value(std::string_view text) {
  const bool one_line = std::none_of(text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; });
  if (!one_line) return fail(ErrorCode::kInvalid, "expected one line");
  auto table = parse_text(std::string("value = ") + std::string(text), "value");
  if (!table) return tl::unexpected(table.error());
  auto value = to_value(*table->get("value"));
  if (!value) return fail(ErrorCode::kInvalid, "expected true or false, a number, text or a list of these");
  return std::move(*value);
}

}  // namespace kantrig::settings
