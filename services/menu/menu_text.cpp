#include "menu/menu_text.hpp"

#include "menu/listing.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

namespace kantrig::menu {
namespace {

constexpr std::int64_t kFormatVersion = 1;
constexpr std::size_t kDescriptionBytesMax = 4096;
constexpr std::array<std::string_view, 7> kMenuKeys = {"version", "name",           "description", "seed",
                                                       "columns", "default_column", "line"};
constexpr std::array<std::string_view, 6> kLineKeys = {"name",     "description", "when",
                                                       "prescale", "kind",        "ignores_veto"};

bool is_name(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  return !text.empty() && text.size() <= kNameBytesMax && std::all_of(text.begin(), text.end(), fits);
}

/// Reads one table of the file and says where and of which line an error is.
class TableReader {
 public:
  TableReader(const toml::table& table, std::string_view origin, std::string context)
      : table_(table), origin_(origin), context_(std::move(context)) {}

  [[nodiscard]] tl::unexpected<Error> error(std::uint32_t row, std::string_view message) const {
    return fail(ErrorCode::kInvalid, "{}:{}: {}{}", origin_, row, context_, message);
  }
  [[nodiscard]] std::uint32_t row() const { return table_.source().begin.line; }
  [[nodiscard]] std::uint32_t row_of(std::string_view key) const {
    const toml::node* node = table_.get(key);
    return node != nullptr ? node->source().begin.line : row();
  }
  [[nodiscard]] const toml::node* get(std::string_view key) const { return table_.get(key); }

  [[nodiscard]] Result<void> check_keys(std::span<const std::string_view> known) const {
    for (const auto& [key, value] : table_) {
      if (std::find(known.begin(), known.end(), key.str()) != known.end()) continue;
      return error(key.source().begin.line,
                   fmt::format("unknown key \"{}\", expected one of {}", key.str(), listed(known)));
    }
    return {};
  }

  /// The text under `key`, or `otherwise` when there is none.
  [[nodiscard]] Result<std::string> text(std::string_view key, std::size_t bytes_max,
                                         std::optional<std::string> otherwise) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) {
      if (otherwise) return *otherwise;
      return error(row(), fmt::format("\"{}\" is missing", key));
    }
    const auto* value = node->as_string();
    if (value == nullptr) return error(row_of(key), fmt::format("\"{}\" must be a string", key));
    if (value->get().size() > bytes_max) {
      return error(row_of(key), fmt::format("\"{}\" is longer than {} bytes", key, bytes_max));
    }
    return value->get();
  }

  [[nodiscard]] Result<std::string> name(std::string_view key, std::optional<std::string> otherwise) const {
    auto value = text(key, kTextBytesMax, std::move(otherwise));
    if (value && !is_name(*value)) return bad_name(row_of(key), key);
    return value;
  }
  [[nodiscard]] tl::unexpected<Error> bad_name(std::uint32_t row, std::string_view key) const {
    return error(
        row, fmt::format("\"{}\" must be 1 to {} of the characters A-Z a-z 0-9 _ - .", key, kNameBytesMax));
  }

  [[nodiscard]] Result<bool> flag(std::string_view key) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return false;
    if (const auto* value = node->as_boolean()) return value->get();
    return error(row_of(key), fmt::format("\"{}\" must be true or false", key));
  }

  [[nodiscard]] Result<std::uint64_t> whole_number(const toml::node& node, std::string_view what) const {
    const auto* value = node.as_integer();
    if (value != nullptr && value->get() >= 0) return static_cast<std::uint64_t>(value->get());
    return error(node.source().begin.line, fmt::format("{} must be an integer, 0 or more", what));
  }

 private:
  const toml::table& table_;
  std::string_view origin_;
  std::string context_;  // empty, or `line "name": `
};

Result<void> read_columns(const TableReader& reader, MenuText& menu) {
  if (const toml::node* node = reader.get("columns")) {
    const auto* names = node->as_array();
    if (names == nullptr || names->empty() || names->size() > kColumnsMax) {
      return reader.error(node->source().begin.line,
                          fmt::format("\"columns\" must be an array of 1 to {} names", kColumnsMax));
    }
    for (const toml::node& element : *names) {
      const std::uint32_t row = element.source().begin.line;
      const auto* name = element.as_string();
      if (name == nullptr || !is_name(name->get())) return reader.bad_name(row, "columns");
      if (std::find(menu.columns.begin(), menu.columns.end(), name->get()) != menu.columns.end()) {
        return reader.error(row, fmt::format("column \"{}\" is there twice", name->get()));
      }
      menu.columns.push_back(name->get());
    }
  } else {
    menu.columns = {"default"};
  }
  const auto chosen = reader.name("default_column", menu.columns.front());
  if (!chosen) return tl::unexpected(chosen.error());
  const auto found = std::find(menu.columns.begin(), menu.columns.end(), *chosen);
  if (found == menu.columns.end()) {
    return reader.error(
        reader.row_of("default_column"),
        fmt::format("unknown column \"{}\", expected one of {}", *chosen, listed(menu.columns)));
  }
  menu.default_column = static_cast<std::uint32_t>(found - menu.columns.begin());
  return {};
}

Result<std::vector<std::uint64_t>> read_prescales(const TableReader& reader,
                                                  const std::vector<std::string>& columns) {
  const toml::node* node = reader.get("prescale");
  if (node == nullptr) return std::vector<std::uint64_t>(columns.size(), 1);
  if (node->is_integer()) {
    const auto everywhere = reader.whole_number(*node, "\"prescale\"");
    if (!everywhere) return tl::unexpected(everywhere.error());
    return std::vector<std::uint64_t>(columns.size(), *everywhere);
  }
  const auto* table = node->as_table();
  const std::uint32_t row = node->source().begin.line;
  if (table == nullptr) return reader.error(row, "\"prescale\" must be an integer, or one for every column");
  for (const auto& [key, value] : *table) {
    if (std::find(columns.begin(), columns.end(), key.str()) == columns.end()) {
      return reader.error(
          row, fmt::format("prescale of unknown column \"{}\", expected {}", key.str(), listed(columns)));
    }
  }
  std::vector<std::uint64_t> prescales;
  for (const std::string& column : columns) {
    const toml::node* entry = table->get(column);
    if (entry == nullptr) {
      return reader.error(row,
                          fmt::format("the prescale of column \"{}\" is missing: name every column", column));
    }
    const auto prescale = reader.whole_number(*entry, fmt::format("the prescale of column \"{}\"", column));
    if (!prescale) return tl::unexpected(prescale.error());
    prescales.push_back(*prescale);
  }
  return prescales;
}

Result<LineText> read_line(const toml::table& table, std::string_view origin,
                           const std::vector<std::string>& columns) {
  const TableReader anonymous(table, origin, "line: ");
  const auto name = anonymous.name("name", std::nullopt);
  if (!name) return tl::unexpected(name.error());
  const TableReader reader(table, origin, fmt::format("line \"{}\": ", *name));
  if (auto known = reader.check_keys(kLineKeys); !known) return tl::unexpected(known.error());
  auto description = reader.text("description", kDescriptionBytesMax, "");
  if (!description) return tl::unexpected(description.error());
  auto condition = reader.text("when", kTextBytesMax, std::nullopt);
  if (!condition) return tl::unexpected(condition.error());
  const auto kind = reader.text("kind", kDescriptionBytesMax, "accept");
  if (!kind) return tl::unexpected(kind.error());
  if (*kind != "accept" && *kind != "veto") {
    return reader.error(reader.row_of("kind"),
                        fmt::format("unknown kind \"{}\", expected accept or veto", *kind));
  }
  const auto ignores_veto = reader.flag("ignores_veto");
  if (!ignores_veto) return tl::unexpected(ignores_veto.error());
  if (*kind == "veto" && *ignores_veto) {
    return reader.error(reader.row_of("ignores_veto"), "\"ignores_veto\" means nothing on a veto line");
  }
  auto prescales = read_prescales(reader, columns);
  if (!prescales) return tl::unexpected(prescales.error());
  LineText line;
  line.info.name = *name;
  line.info.kind = *kind == "veto" ? LineKind::kVeto : LineKind::kAccept;
  line.info.prescales = std::move(*prescales);
  line.info.ignores_veto = *ignores_veto;
  line.info.description = std::move(*description);
  line.info.condition = std::move(*condition);
  line.row = reader.row_of("when");
  return line;
}

Result<void> read_lines(const TableReader& reader, std::string_view origin, MenuText& menu) {
  const toml::node* node = reader.get("line");
  const auto* lines = node != nullptr ? node->as_array() : nullptr;
  if (lines == nullptr || lines->empty() || lines->size() > kLinesMax ||
      !lines->is_homogeneous(toml::node_type::table)) {
    return reader.error(reader.row_of("line"),
                        fmt::format("expected 1 to {} lines, each a [[line]] table", kLinesMax));
  }
  bool accepts = false;
  for (const toml::node& element : *lines) {
    auto line = read_line(*element.as_table(), origin, menu.columns);
    if (!line) return tl::unexpected(line.error());
    for (const LineText& other : menu.lines) {
      if (other.info.name != line->info.name) continue;
      return reader.error(element.source().begin.line,
                          fmt::format("line \"{}\" is there twice", line->info.name));
    }
    accepts |= line->info.kind == LineKind::kAccept;
    menu.lines.push_back(std::move(*line));
  }
  if (!accepts)
    return reader.error(reader.row_of("line"), "no line of kind accept: this menu would keep nothing");
  return {};
}

Result<void> read_head(const TableReader& reader, MenuText& menu) {
  if (auto known = reader.check_keys(kMenuKeys); !known) return known;
  const toml::node* version = reader.get("version");
  if (version == nullptr || !version->is_integer() || version->as_integer()->get() != kFormatVersion) {
    return reader.error(reader.row_of("version"), fmt::format("expected version = {}", kFormatVersion));
  }
  auto name = reader.name("name", std::nullopt);
  if (!name) return tl::unexpected(name.error());
  menu.name = std::move(*name);
  auto description = reader.text("description", kDescriptionBytesMax, "");
  if (!description) return tl::unexpected(description.error());
  menu.description = std::move(*description);
  if (const toml::node* node = reader.get("seed")) {
    const auto seed = reader.whole_number(*node, "\"seed\"");
    if (!seed) return tl::unexpected(seed.error());
    menu.seed = *seed;
  }
  return {};
}

Result<toml::table> parse_toml(std::string_view text, std::string_view origin) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    return fail(ErrorCode::kInvalid, "{}:{}: not TOML: {}", origin, error.source().begin.line,
                error.description());
  }
}

}  // namespace

Result<MenuText> read_menu_text(std::string_view toml_text, std::string_view origin) {
  if (toml_text.size() > kTextBytesMax) {
    return fail(ErrorCode::kInvalid, "{}: the menu has {} bytes, at most {} are allowed", origin,
                toml_text.size(), kTextBytesMax);
  }
  const auto parsed = parse_toml(toml_text, origin);
  if (!parsed) return tl::unexpected(parsed.error());
  const toml::table& table = *parsed;
  const TableReader reader(table, origin, "");
  MenuText menu;
  if (auto done = read_head(reader, menu); !done) return tl::unexpected(done.error());
  if (auto done = read_columns(reader, menu); !done) return tl::unexpected(done.error());
  if (auto done = read_lines(reader, origin, menu); !done) return tl::unexpected(done.error());
  return menu;
}

}  // namespace kantrig::menu
