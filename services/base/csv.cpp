#include "base/csv.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <set>

#include "base/file.hpp"

namespace kantrig::base {
namespace {

constexpr std::size_t kNoLabel = std::numeric_limits<std::size_t>::max();

/// Takes the first line off `rest`, without its line end.
std::string_view next_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Takes the first cell off `rest`; `rest` is empty after the last one.
std::string_view next_cell(std::string_view& rest, bool& more) {
  const std::size_t end = rest.find(',');
  const std::string_view cell = rest.substr(0, end);
  more = end != std::string_view::npos;
  rest.remove_prefix(more ? end + 1 : rest.size());
  return trimmed(cell);
}

Result<std::vector<std::string>> parse_header(std::string_view line, std::string_view name) {
  std::vector<std::string> columns;
  std::set<std::string_view> seen;
  for (bool more = true; more;) {
    const std::string_view cell = next_cell(line, more);
    if (columns.size() == kTableColumnsMax) {
      return fail(ErrorCode::kInvalid, "{} line 1: has more than {} columns", name, kTableColumnsMax);
    }
    if (cell.empty())
      return fail(ErrorCode::kInvalid, "{} line 1: column {} has no name", name, columns.size() + 1);
    if (!seen.insert(cell).second)
      return fail(ErrorCode::kInvalid, "{} line 1: column '{}' occurs twice", name, cell);
    columns.emplace_back(cell);
  }
  return columns;
}

/// The index of the label column, kNoLabel without one.
Result<std::size_t> find_label(const std::vector<std::string>& columns, const CsvLabelColumn& wanted,
                               std::string_view name) {
  if (!wanted) return kNoLabel;
  if (wanted->empty()) return columns.size() - 1;
  const auto found = std::find(columns.begin(), columns.end(), *wanted);
  if (found == columns.end())
    return fail(ErrorCode::kNotFound, "{} line 1: expected a column '{}'", name, *wanted);
  return static_cast<std::size_t>(found - columns.begin());
}

/// A number as C++ spells it. Past float32 it is infinite or zero; past double it is no number.
bool parse_number(std::string_view cell, float& value) {
  if (cell.starts_with('+')) cell.remove_prefix(1);
  if (cell.empty()) return false;
  const char* const end = cell.data() + cell.size();
  const auto [stop, error] = std::from_chars(cell.data(), end, value);
  if (stop != end) return false;
  if (error == std::errc::result_out_of_range) {  // too large or too small for float32: let double say which
    double wide = 0.0;
    if (std::from_chars(cell.data(), end, wide).ec != std::errc{}) return false;
    const float infinity = std::numeric_limits<float>::infinity();
    value = wide > 1.0 ? infinity : wide < -1.0 ? -infinity : 0.0F;
    return true;
  }
  return error == std::errc{};
}

/// True when the first line is an event, and no header: taken for names, it would be lost without a word. 0,
/// 1, 2 ... and 1, 2, 3 ... are the names that programs make up.
bool holds_numbers(std::string_view line) {
  bool counting = true;
  float first = 0.0F;
  float index = 0.0F;
  for (bool more = true; more; ++index) {
    float value = 0.0F;
    if (!parse_number(next_cell(line, more), value)) return false;
    if (index == 0.0F) first = value;
    counting = counting && (first == 0.0F || first == 1.0F) && value == first + index;
  }
  return !counting;
}

struct Shape {
  std::vector<std::string> columns;
  std::size_t label = kNoLabel;
};

Result<void> parse_row(std::string_view line, std::size_t line_number, std::string_view name,
                       const Shape& shape, CsvTable& table) {
  std::size_t column = 0;
  for (bool more = true; more; ++column) {
    const std::string_view cell = next_cell(line, more);
    if (column >= shape.columns.size()) {
      return fail(ErrorCode::kInvalid, "{} line {}: has more than the {} columns of the header", name,
                  line_number, shape.columns.size());
    }
    if (column == shape.label) {
      if (cell.empty()) {
        return fail(ErrorCode::kInvalid, "{} line {} column {} '{}': label is empty", name, line_number,
                    column + 1, shape.columns[column]);
      }
      table.labels.emplace_back(cell);
      continue;
    }
    float value = 0.0F;
    if (!parse_number(cell, value)) {
      return fail(ErrorCode::kInvalid, "{} line {} column {} '{}': expected a number, found '{}'", name,
                  line_number, column + 1, shape.columns[column], cell.substr(0, 40));
    }
    table.features.values.push_back(value);
  }
  if (column != shape.columns.size()) {
    return fail(ErrorCode::kInvalid, "{} line {}: has {} columns, expected {}", name, line_number, column,
                shape.columns.size());
  }
  ++table.features.rows;
  return {};
}

}  // namespace

Result<CsvTable> parse_csv(std::string_view content, std::string_view name,
                           const CsvLabelColumn& label_column) {
  if (content.size() > kTableBytesMax) {
    return fail(ErrorCode::kInvalid, "{}: has {} bytes, expected at most {}", name, content.size(),
                kTableBytesMax);
  }
  if (content.starts_with("\xEF\xBB\xBF")) content.remove_prefix(3);
  const std::string_view header = next_line(content);
  if (header.empty())
    return fail(ErrorCode::kInvalid, "{} line 1: expected a header with column names", name);
  if (holds_numbers(header))
    return fail(ErrorCode::kInvalid, "{} line 1: expected a header with column names, found numbers", name);
  auto columns = parse_header(header, name);
  if (!columns) return tl::unexpected(columns.error());
  const auto label = find_label(*columns, label_column, name);
  if (!label) return tl::unexpected(label.error());

  const Shape shape{std::move(*columns), *label};
  CsvTable table;
  table.features.column_names = shape.columns;
  if (shape.label != kNoLabel) {
    table.label_name = shape.columns[shape.label];
    table.features.column_names.erase(table.features.column_names.begin() +
                                      static_cast<std::ptrdiff_t>(shape.label));
  }
  table.features.columns = table.features.column_names.size();
  for (std::size_t line_number = 2; !content.empty(); ++line_number) {
    const std::string_view line = next_line(content);
    if (trimmed(line).empty() && content.empty()) break;  // blank last line
    if (table.features.rows == kTableRowsMax || table.features.values.size() > kTableValuesMax) {
      return fail(ErrorCode::kInvalid, "{} line {}: too long, expected at most {} rows and {} values", name,
                  line_number, kTableRowsMax, kTableValuesMax);
    }
    if (auto ok = parse_row(line, line_number, name, shape, table); !ok) return tl::unexpected(ok.error());
  }
  return table;
}

Result<CsvTable> read_csv(const std::filesystem::path& path, const CsvLabelColumn& label_column) {
  const auto content = read_file(path, kTableBytesMax);
  if (!content) return tl::unexpected(content.error());
  return parse_csv(*content, path.string(), label_column);
}

}  // namespace kantrig::base
