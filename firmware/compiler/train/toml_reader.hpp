// TomlReader: a TOML table read key by key, with types and bounds; whatever nobody asked for is refused.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace kantrig::train {

template <typename Value>
struct Choice {
  std::string_view name;
  Value value;
};

template <typename Number>
struct Bounds {
  Number min;
  Number max;
};

struct ListBounds {
  std::int64_t min;  // of every entry
  std::int64_t max;
  std::size_t count_max;
};

/// The first thing that is wrong is remembered and told by finish(); reading goes on with defaults until
/// then.
///
/// Lifecycle: parse(), read every known key, finish(). Sub-tables are readers of their own, handed back by
/// adopt().
class TomlReader {
 public:
  [[nodiscard]] static Result<TomlReader> parse(std::string_view text, std::string_view origin);
  ~TomlReader();
  TomlReader(TomlReader&&) noexcept;
  TomlReader& operator=(TomlReader&&) noexcept;

  /// A key that must be there.
  [[nodiscard]] std::string text(std::string_view key);
  [[nodiscard]] std::string text(std::string_view key, std::string_view fallback);
  [[nodiscard]] std::int64_t integer(std::string_view key, Bounds<std::int64_t> bounds,
                                     std::int64_t fallback);
  [[nodiscard]] double number(std::string_view key, Bounds<double> bounds, double fallback);
  /// Lists that must be there and hold something.
  [[nodiscard]] std::vector<std::string> texts(std::string_view key, std::size_t count_max);
  [[nodiscard]] std::vector<std::int64_t> integers(std::string_view key, const ListBounds& bounds);

  [[nodiscard]] std::vector<double> numbers(std::string_view key, Bounds<double> bounds,
                                            std::size_t count_max);
  /// A list of lists.
  [[nodiscard]] std::vector<std::vector<std::int64_t>> integer_lists(std::string_view key,
                                                                     const ListBounds& bounds);
  [[nodiscard]] bool truth(std::string_view key, bool fallback);
  /// That the key is there; asks for nothing.
  [[nodiscard]] bool has(std::string_view key) const;

  /// One of the choices by its name, at every place of a list.
  template <typename Value>
  [[nodiscard]] std::vector<Value> choices(std::string_view key, std::span<const Choice<Value>> known,
                                           std::size_t count_max) {
    std::vector<Value> values;
    for (const std::string& text : texts(key, count_max)) {
      const auto found = std::find_if(known.begin(), known.end(),
                                      [&](const Choice<Value>& one) { return one.name == text; });
      if (found == known.end()) {
        complain(key, "'" + text + "' is not known");
      } else {
        values.push_back(found->value);
      }
    }
    return values;
  }

  template <typename Value>
  [[nodiscard]] Value choice(std::string_view key, std::span<const Choice<Value>> choices, Value fallback) {
    std::string names;
    std::string_view standard;
    for (const Choice<Value>& one : choices) {
      names += (names.empty() ? "'" : ", '") + std::string(one.name) + "'";
      if (one.value == fallback) standard = one.name;
    }
    const std::string chosen = text(key, standard);
    for (const Choice<Value>& one : choices) {
      if (one.name == chosen) return one.value;
    }
    complain(key, "is '" + chosen + "', expected one of " + names);
    return fallback;
  }

  /// A sub-table; empty when it is not there.
  [[nodiscard]] TomlReader table(std::string_view key);
  /// A list of tables that must be there and hold something.
  [[nodiscard]] std::vector<TomlReader> tables(std::string_view key, std::size_t count_max);
  /// Ends a sub-reader: what is wrong there is wrong here.
  void adopt(const TomlReader& part);

  /// Fails with what was wrong first, or with a key that nobody asked for.
  [[nodiscard]] Result<void> finish() const;

 private:
  struct Document;
  TomlReader(std::shared_ptr<const Document> document, const void* table, std::string origin,
             std::string prefix);
  void complain(std::string_view key, std::string_view what);

  std::shared_ptr<const Document> document_;  // keeps table_ alive
  const void* table_;                         // toml::table, or nullptr for an empty one
  std::string origin_;
  std::string prefix_;  // "training." in front of keys in errors
  std::set<std::string, std::less<>> known_;
  std::optional<Error> error_;
};

}  // namespace kantrig::train
