// Key: one key of the configuration, declared once: name, sentence, bounds, and where its value lies.
// Internal.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "settings/settings.hpp"
#include "settings/value.hpp"

namespace kantrig::settings {

struct Key {
  std::string_view name;         // "section.key"; keys of a section stand together
  std::string_view sentence;     // what it does, for a person
  std::string bounds;            // "1 to 64", "one of ...", ...
  bool takes_bare_text = false;  // an override may leave the quotes away
  std::function<Value(const Settings&)> get;
  /// Refuses what is not of the right kind or out of bounds; the error says what was expected, not the key.
  std::function<Result<void>(Settings&, const Value&)> set;
};

[[nodiscard]] std::vector<Key> all_keys();

/// "events" of "events.shards".
[[nodiscard]] std::string_view section_of(std::string_view name);

/// The name nearest to `name` by edits, by the part after the dot, or as its continuation. Precondition:
/// `keys` is not empty.
[[nodiscard]] std::string_view nearest_key(std::string_view name, const std::vector<Key>& keys);
[[nodiscard]] std::string_view nearest_section(std::string_view name, const std::vector<Key>& keys);

}  // namespace kantrig::settings
