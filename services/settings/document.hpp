// Document: a TOML file as a flat list of keys. The only place of this folder that knows toml++.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "settings/value.hpp"

namespace kantrig::settings {

struct Entry {
  std::string key;  // "section.key"
  Value value;
  std::uint32_t line = 0;
};

struct Section {
  std::string name;
  std::uint32_t line = 0;
};

struct Document {
  std::vector<Entry> entries;
  std::vector<Section> sections;  // every table, so that an empty unknown one is seen too
};

/// The error names `origin`, line and column.
[[nodiscard]] Result<Document> read_document(std::string_view text, std::string_view origin);

/// One value alone, as on the right of an equals sign.
[[nodiscard]] Result<Value> read_value(std::string_view text);

}  // namespace kantrig::settings
