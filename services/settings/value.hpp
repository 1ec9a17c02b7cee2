// Value: what a key can be given, apart from where it was written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace kantrig::settings {

struct Value;
using List = std::vector<Value>;

struct Value {
  std::variant<bool, std::int64_t, double, std::string, List> data;
};

/// As TOML; Document reads it back to the same value.
[[nodiscard]] std::string to_toml(const Value& value);

/// "text", "a whole number", ...: for errors.
[[nodiscard]] std::string_view kind_of(const Value& value);

}  // namespace kantrig::settings
