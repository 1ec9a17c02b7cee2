#include "settings/settings.hpp"

#include <algorithm>

#include "base/file.hpp"
#include "settings/document.hpp"
#include "settings/keys.hpp"

namespace kantrig::settings {
namespace {

constexpr std::size_t kFileBytesMax = 1U << 20U;

const Key* find_key(const std::vector<Key>& keys, std::string_view name) {
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const Key& key) { return key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

Result<void> unknown_key(std::string_view where, std::string_view name, const std::vector<Key>& keys) {
  return fail(ErrorCode::kInvalid, "{}: unknown key {}, the nearest known one is {}", where, name,
              nearest_key(name, keys));
}

Result<void> apply(Settings& settings, const Key& key, const Value& value, std::string_view where) {
  if (auto done = key.set(settings, value); !done) {
    return fail(ErrorCode::kInvalid, "{}: {} {}", where, key.name, done.error().message);
  }
  return {};
}

Result<void> apply_document(Settings& settings, const Document& document, std::string_view origin,
                            const std::vector<Key>& keys) {
  for (const Section& section : document.sections) {
    const bool known = std::any_of(keys.begin(), keys.end(),
                                   [&](const Key& k) { return section_of(k.name) == section.name; });
    const std::string where = fmt::format("{}:{}", origin, section.line);
    if (!known) {
      return fail(ErrorCode::kInvalid, "{}: unknown section [{}], the nearest known one is [{}]", where,
                  section.name, nearest_section(section.name, keys));
    }
  }
  for (const Entry& entry : document.entries) {
    const std::string where = fmt::format("{}:{}", origin, entry.line);
    const Key* key = find_key(keys, entry.key);
    if (key == nullptr) return unknown_key(where, entry.key, keys);
    if (auto done = apply(settings, *key, entry.value, where); !done) return done;
  }
  return {};
}

/// What follows the equals sign of an override.
Result<Value> override_value(const Key& key, std::string_view text) {
  const bool is_list = std::holds_alternative<List>(key.get(Settings{}).data);
  const bool is_toml = text.starts_with('"') || text.starts_with('\'') || (is_list && text.starts_with('['));
  if (!key.takes_bare_text || is_toml) return read_value(text);
  const Value bare{std::string(text)};
  return is_list ? Value{List{bare}} : bare;
}

Result<void> apply_override(Settings& settings, std::string_view text, const std::vector<Key>& keys) {
  const std::string where = fmt::format("--set {}", text);
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    return fail(ErrorCode::kInvalid, "{}: expected section.key=value, as events.shards=2", where);
  }
  const std::string_view name = text.substr(0, equals);
  const Key* key = find_key(keys, name);
  if (key == nullptr) return unknown_key(where, name, keys);
  const auto value = override_value(*key, text.substr(equals + 1));
  if (!value) {
    return fail(ErrorCode::kInvalid, "{}: cannot read the value ({}), expected {}", where,
                value.error().message, key->bounds);
  }
  return apply(settings, *key, *value, where);
}

}  // namespace

Result<Settings> parse(std::string_view text, std::string_view origin,
                       std::span<const std::string> overrides) {
  const auto keys = all_keys();
  const auto document = read_document(text, origin);
  if (!document) return tl::unexpected(document.error());
  Settings settings;
  if (auto done = apply_document(settings, *document, origin, keys); !done)
    return tl::unexpected(done.error());
  for (const std::string& one : overrides) {
    if (auto done = apply_override(settings, one, keys); !done) return tl::unexpected(done.error());
  }
  if (auto done = check(settings); !done) return tl::unexpected(done.error().within(origin));
  return settings;
}

Result<Settings> load(const std::optional<std::filesystem::path>& file,
                      std::span<const std::string> overrides) {
  if (!file) return parse("", "configuration", overrides);
  const auto text = base::read_file(*file, kFileBytesMax);
  if (!text) return tl::unexpected(text.error().within("configuration"));
  return parse(*text, file->string(), overrides);
}

std::string print(const Settings& settings) {
  std::string out =
      "# Configuration of kantrigd. Every key, its bounds and its default; a file needs only the keys that "
      "differ.\n"
      "# kantrigd --check-config tells what is wrong with a file, kantrigd --print-config what is in "
      "force.\n";
  const Settings defaults;
  std::string_view section;
  for (const Key& key : all_keys()) {
    if (section_of(key.name) != section) {
      section = section_of(key.name);
      out += fmt::format("\n[{}]", section);
    }
    out += fmt::format("\n# {}\n# {}; default {}.\n{} = {}\n", key.sentence, key.bounds,
                       to_toml(key.get(defaults)), key.name.substr(section.size() + 1),
                       to_toml(key.get(settings)));
  }
  return out;
}

std::vector<std::string> changed_keys(const Settings& before, const Settings& after) {
  std::vector<std::string> changed;
  for (const Key& key : all_keys()) {
    if (to_toml(key.get(before)) != to_toml(key.get(after))) changed.emplace_back(key.name);
  }
  return changed;
}

}  // namespace kantrig::settings
