#include "compiler/train/toml_reader.hpp"

#include <toml++/toml.h>

#include <cmath>

namespace kantrig::train {

struct TomlReader::Document {
  toml::table root;
};

namespace {
constexpr std::size_t kInnerListMax = 4096;

const toml::node* find(const void* table, std::string_view key) {
  return table == nullptr ? nullptr : static_cast<const toml::table*>(table)->get(key);
}
}  // namespace

TomlReader::TomlReader(std::shared_ptr<const Document> document, const void* table, std::string origin,
                       std::string prefix)
    : document_(std::move(document)), table_(table), origin_(std::move(origin)), prefix_(std::move(prefix)) {}
TomlReader::~TomlReader() = default;
TomlReader::TomlReader(TomlReader&&) noexcept = default;
TomlReader& TomlReader::operator=(TomlReader&&) noexcept = default;

Result<TomlReader> TomlReader::parse(std::string_view text, std::string_view origin) {
  try {
    auto document = std::make_shared<Document>(Document{toml::parse(text)});
    const void* const root = &document->root;
    return TomlReader(std::move(document), root, std::string(origin), "");
  } catch (const toml::parse_error& error) {
    return fail(ErrorCode::kInvalid, "{}: line {}: {}", origin, error.source().begin.line,
                error.description());
  }
}

void TomlReader::complain(std::string_view key, std::string_view what) {
  if (!error_) error_ = Error{ErrorCode::kInvalid, fmt::format("{}: {}{}: {}", origin_, prefix_, key, what)};
}

std::string TomlReader::text(std::string_view key) {
  if (find(table_, key) == nullptr) complain(key, "is missing");
  return text(key, "");
}

std::string TomlReader::text(std::string_view key, std::string_view fallback) {
  known_.emplace(key);
  const toml::node* const node = find(table_, key);
  if (node == nullptr) return std::string(fallback);
  if (const auto* const value = node->as_string()) return value->get();
  complain(key, "expected a text in quotes");
  return std::string(fallback);
}

std::int64_t TomlReader::integer(std::string_view key, Bounds<std::int64_t> bounds, std::int64_t fallback) {
  known_.emplace(key);
  const toml::node* const node = find(table_, key);
  if (node == nullptr) return fallback;
  const auto* const value = node->as_integer();
  if (value != nullptr && value->get() >= bounds.min && value->get() <= bounds.max) return value->get();
  complain(key, fmt::format("expected an integer from {} to {}", bounds.min, bounds.max));
  return fallback;
}

double TomlReader::number(std::string_view key, Bounds<double> bounds, double fallback) {
  known_.emplace(key);
  const toml::node* const node = find(table_, key);
  if (node == nullptr) return fallback;
  const std::optional<double> value = node->is_number() ? node->value<double>() : std::nullopt;
  if (value && *value >= bounds.min && *value <= bounds.max) return *value;
  complain(key, fmt::format("expected a number from {} to {}", bounds.min, bounds.max));
  return fallback;
}

std::vector<std::string> TomlReader::texts(std::string_view key, std::size_t count_max) {
  known_.emplace(key);
  const toml::node* const node = find(table_, key);
  const toml::array* const list = node == nullptr ? nullptr : node->as_array();
  std::vector<std::string> values;
  if (list == nullptr || list->empty() || list->size() > count_max) {
    complain(key, fmt::format("expected a list of 1 to {} texts", count_max));
    return values;
  }
  for (const toml::node& entry : *list) {
    if (const auto* const value = entry.as_string()) {
      values.push_back(value->get());
    } else {
      complain(key, "expected texts in quotes only");
    }
  }
  return values;
}

std::vector<std::int64_t> TomlReader::integers(std::string_view key, const ListBounds& bounds) {
  known_.emplace(key);
  const toml::node* const node = find(table_, key);
  const toml::array* const list = node == nullptr ? nullptr : node->as_array();
  std::vector<std::int64_t> values;
  if (list == nullptr || list->empty() || list->size() > bounds.count_max) {
    complain(key, fmt::format("expected a list of 1 to {} integers", bounds.count_max));
    return values;
  }
  for (const toml::node& entry : *list) {
    const auto* const value = entry.as_integer();
    if (value != nullptr && value->get() >= bounds.min && value->get() <= bounds.max) {
      values.push_back(value->get());
    } else {
      complain(key, fmt::format("expected integers from {} to {}", bounds.min, bounds.max));
    }
  }
  return values;
}

std::vector<double> TomlReader::numbers(std::string_view key, Bounds<double> bounds, std::size_t count_max) {
  known_.emplace(key);
  const toml::node* const node = find(table_, key);
  const toml::array* const list = node == nullptr ? nullptr : node->as_array();
  std::vector<double> values;
  if (list == nullptr || list->empty() || list->size() > count_max) {
    complain(key, fmt::format("expected a list of 1 to {} numbers", count_max));
    return values;
  }
  for (const toml::node& entry : *list) {
    const std::optional<double> value = entry.is_number() ? entry.value<double>() : std::nullopt;
    if (value && *value >= bounds.min && *value <= bounds.max) {
      values.push_back(*value);
    } else {
      complain(key, fmt::format("expected numbers from {} to {}", bounds.min, bounds.max));
    }
  }
  return values;
}

std::vector<std::vector<std::int64_t>> TomlReader::integer_lists(std::string_view key,
                                                                 const ListBounds& bounds) {
  known_.emplace(key);
  const toml::node* const node = find(table_, key);
  const toml::array* const lists = node == nullptr ? nullptr : node->as_array();
  std::vector<std::vector<std::int64_t>> all;
  if (lists == nullptr || lists->empty() || lists->size() > bounds.count_max) {
    complain(key, fmt::format("expected a list of 1 to {} lists of integers", bounds.count_max));
    return all;
  }
  for (const toml::node& entry : *lists) {
    const toml::array* const list = entry.as_array();
    all.emplace_back();
    if (list == nullptr || list->size() > kInnerListMax) {
      complain(key, fmt::format("expected lists of at most {} integers", kInnerListMax));
      continue;
    }
    for (const toml::node& one : *list) {
      const auto* const value = one.as_integer();
      const bool good = value != nullptr && value->get() >= bounds.min && value->get() <= bounds.max;
      if (good) all.back().push_back(value->get());
      if (!good) complain(key, fmt::format("expected integers from {} to {}", bounds.min, bounds.max));
    }
  }
  return all;
}

bool TomlReader::truth(std::string_view key, bool fallback) {
  known_.emplace(key);
  const toml::node* const node = find(table_, key);
  if (node == nullptr) return fallback;
  if (const auto* const value = node->as_boolean()) return value->get();
  complain(key, "expected true or false");
  return fallback;
}

bool TomlReader::has(std::string_view key) const {
  return find(table_, key) != nullptr;
}

TomlReader TomlReader::table(std::string_view key) {
  known_.emplace(key);
  const toml::node* const node = find(table_, key);
  const toml::table* const part = node == nullptr ? nullptr : node->as_table();
  if (node != nullptr && part == nullptr) complain(key, fmt::format("expected a table, written [{}]", key));
  return {document_, part, origin_, fmt::format("{}{}.", prefix_, key)};
}

std::vector<TomlReader> TomlReader::tables(std::string_view key, std::size_t count_max) {
  known_.emplace(key);
  const toml::node* const node = find(table_, key);
  const toml::array* const list = node == nullptr ? nullptr : node->as_array();
  std::vector<TomlReader> parts;
  if (list == nullptr || list->empty() || list->size() > count_max) {
    complain(key, fmt::format("expected 1 to {} tables, each written [[{}]]", count_max, key));
    return parts;
  }
  for (std::size_t i = 0; i < list->size(); ++i) {
    const toml::table* const part = (*list)[i].as_table();
    if (part == nullptr) complain(key, fmt::format("expected tables only, each written [[{}]]", key));
    parts.push_back(TomlReader(document_, part, origin_, fmt::format("{}{}[{}].", prefix_, key, i)));
  }
  return parts;
}

void TomlReader::adopt(const TomlReader& part) {
  const auto ok = part.finish();
  if (!ok && !error_) error_ = ok.error();
}

Result<void> TomlReader::finish() const {
  // An unknown key first: it is often a known one misspelt, which then shows as missing.
  if (table_ != nullptr) {
    for (const auto& [key, value] : *static_cast<const toml::table*>(table_)) {
      if (known_.contains(key.str())) continue;
      return fail(ErrorCode::kInvalid, "{}: {}{}: unknown key (line {})", origin_, prefix_, key.str(),
                  key.source().begin.line);
    }
  }
  if (error_) return tl::unexpected(*error_);
  return {};
}

}  // namespace kantrig::train
