#include "base/npy.hpp"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/file.hpp"

namespace kantrig::base {
namespace {

static_assert(std::endian::native == std::endian::little, "values are copied as they lie in the file");

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::string_view kTypes = "<f4, <f8, |i1, |u1, <i2, <u2, <i4, <i8";

struct Header {
  std::string type;  // without the byte order: f4, u1, ...
  bool fortran_order = false;
  std::vector<std::uint64_t> shape;
};

struct Array {
  std::string type;
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::string_view data;
};

/// Reads the Python dictionary of a header: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }
class HeaderReader {
 public:
  explicit HeaderReader(std::string_view text) : rest_(text) {}

  /// False when the text is not such a dictionary.
  bool read(Header& header) {
    if (!take('{')) return false;
    bool has_type = false;
    bool has_order = false;
    bool has_shape = false;
    while (!take('}')) {
      std::string_view key;
      if (!quoted(key) || !take(':')) return false;
      bool* seen = key == "descr" ? &has_type : key == "fortran_order" ? &has_order : &has_shape;
      if (*seen || (seen == &has_shape && key != "shape")) return false;
      *seen = true;
      if (!(seen == &has_type ? type(header) : seen == &has_order ? order(header) : shape(header)))
        return false;
      if (!take(',') && peek() != '}') return false;
    }
    return has_type && has_order && has_shape && peek() == '\0';
  }

 private:
  char peek() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\n')) rest_.remove_prefix(1);
    return rest_.empty() ? '\0' : rest_[0];
  }
  bool take(char wanted) {
    if (peek() != wanted || rest_.empty()) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool word(std::string_view wanted) {
    peek();
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(wanted.size());
    return true;
  }
  bool quoted(std::string_view& text) {
    const char quote = peek();
    if (quote != '\'' && quote != '"') return false;
    const std::size_t end = rest_.find(quote, 1);
    if (end == std::string_view::npos) return false;
    text = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return true;
  }
  bool type(Header& header) {
    std::string_view text;
    if (!quoted(text)) return false;
    header.type = text;
    return true;
  }
  bool order(Header& header) {
    header.fortran_order = word("True");
    return header.fortran_order || word("False");
  }
  bool shape(Header& header) {
    if (!take('(')) return false;
    while (!take(')')) {
      peek();
      std::uint64_t size = 0;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), size);
      if (error != std::errc{}) return false;
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      header.shape.push_back(size);
      if (!take(',') && peek() != ')') return false;
    }
    return true;
  }

  std::string_view rest_;
};

/// Bytes of one value when the type can be read, else 0. Takes the byte order off `type`.
std::size_t value_bytes(std::string& type) {
  if (type.size() != 3) return 0;
  const char byte_order = type[0];
  const char digit = type[2];
  const bool known = type[1] == 'f' ? digit == '4' || digit == '8'
                     : type[1] == 'u'
                         ? digit == '1' || digit == '2'
                         : type[1] == 'i' && (digit == '1' || digit == '2' || digit == '4' || digit == '8');
  if (!known || !(byte_order == '<' || (byte_order == '|' && digit == '1'))) return 0;
  type.erase(0, 1);
  return static_cast<std::size_t>(digit - '0');
}

Result<Array> check_shape(Header header, std::string_view data, std::string_view name) {
  std::string type = header.type;
  const std::size_t bytes = value_bytes(type);
  if (bytes == 0) {
    return fail(ErrorCode::kInvalid, "{}: holds type '{}', expected one of {}", name, header.type, kTypes);
  }
  const std::size_t dimensions = header.shape.size();
  if (dimensions != 1 && dimensions != 2) {
    return fail(ErrorCode::kInvalid, "{}: has {} dimensions, expected 1 or 2", name, dimensions);
  }
  if (header.fortran_order && dimensions == 2) {
    return fail(ErrorCode::kInvalid, "{}: is in Fortran order, expected C order", name);
  }
  const std::uint64_t rows = header.shape[0];
  const std::uint64_t columns = dimensions == 2 ? header.shape[1] : 1;
  if (columns < 1 || columns > kTableColumnsMax) {
    return fail(ErrorCode::kInvalid, "{}: has {} columns, expected 1 to {}", name, columns, kTableColumnsMax);
  }
  if (rows > kTableValuesMax || rows * columns > kTableValuesMax) {
    return fail(ErrorCode::kInvalid, "{}: has {} x {} values, expected at most {}", name, rows, columns,
                kTableValuesMax);
  }
  if (rows * columns * bytes != data.size()) {
    return fail(ErrorCode::kInvalid, "{}: has {} bytes of values, expected {} x {} of {} bytes", name,
                data.size(), rows, columns, bytes);
  }
  return Array{type, static_cast<std::size_t>(rows), static_cast<std::size_t>(columns), data};
}

Result<Array> parse(std::string_view content, std::string_view name) {
  if (!content.starts_with(kMagic) || content.size() < 10) {
    return fail(ErrorCode::kInvalid, "{}: is not a NumPy file, expected it to start with \\x93NUMPY", name);
  }
  const auto byte = [&](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(content[i]));
  };
  const std::size_t version = byte(6);
  if (version != 1 && version != 2) {
    return fail(ErrorCode::kInvalid, "{}: is NumPy format {}, expected 1 or 2", name, version);
  }
  const std::size_t prefix = version == 1 ? 10 : 12;
  if (content.size() < prefix) return fail(ErrorCode::kInvalid, "{}: ends in its header", name);
  const std::size_t length =
      version == 1 ? byte(8) | byte(9) << 8U : byte(8) | byte(9) << 8U | byte(10) << 16U | byte(11) << 24U;
  if (content.size() - prefix < length) {
    return fail(ErrorCode::kInvalid, "{}: has {} bytes after the prefix, expected a header of {}", name,
                content.size() - prefix, length);
  }
  Header header;
  if (!HeaderReader(content.substr(prefix, length)).read(header)) {
    return fail(ErrorCode::kInvalid, "{}: header cannot be read, expected descr, fortran_order and shape",
                name);
  }
  return check_shape(std::move(header), content.substr(prefix + length), name);
}

float to_float(double value) {
  constexpr double kMax = std::numeric_limits<float>::max();
  if (std::abs(value) <= kMax || std::isnan(value)) return static_cast<float>(value);
  return std::copysign(std::numeric_limits<float>::infinity(), static_cast<float>(std::copysign(1.0, value)));
}
float to_float(float value) {
  return value;
}
float to_float(std::int64_t value) {
  return static_cast<float>(value);
}

template <typename Stored, typename Wide, typename Sink>
void each_value(std::string_view data, Sink& sink) {
  for (std::size_t at = 0; at < data.size(); at += sizeof(Stored)) {
    Stored value;
    std::memcpy(&value, data.data() + at, sizeof(Stored));
    sink(static_cast<Wide>(value));
  }
}

/// Hands every integer to `sink`; false when the type is none.
template <typename Sink>
bool each_integer(const Array& array, Sink& sink) {
  const std::string& type = array.type;
  if (type == "i1")
    each_value<std::int8_t, std::int64_t>(array.data, sink);
  else if (type == "u1")
    each_value<std::uint8_t, std::int64_t>(array.data, sink);
  else if (type == "i2")
    each_value<std::int16_t, std::int64_t>(array.data, sink);
  else if (type == "u2")
    each_value<std::uint16_t, std::int64_t>(array.data, sink);
  else if (type == "i4")
    each_value<std::int32_t, std::int64_t>(array.data, sink);
  else if (type == "i8")
    each_value<std::int64_t, std::int64_t>(array.data, sink);
  else
    return false;
  return true;
}

}  // namespace

Result<FeatureTable> parse_npy(std::string_view content, std::string_view name) {
  const auto array = parse(content, name);
  if (!array) return tl::unexpected(array.error());
  FeatureTable table{array->rows, array->columns, {}, {}};
  table.values.reserve(table.rows * table.columns);
  auto add = [&](auto value) { table.values.push_back(to_float(value)); };
  if (array->type == "f4")
    each_value<float, float>(array->data, add);
  else if (array->type == "f8")
    each_value<double, double>(array->data, add);
  else
    each_integer(*array, add);
  return table;
}

Result<std::vector<std::int64_t>> parse_npy_integers(std::string_view content, std::string_view name) {
  const auto array = parse(content, name);
  if (!array) return tl::unexpected(array.error());
  if (array->columns != 1) {
    return fail(ErrorCode::kInvalid, "{}: has {} columns, expected one column of integers", name,
                array->columns);
  }
  std::vector<std::int64_t> values;
  values.reserve(array->rows);
  auto add = [&](std::int64_t value) { values.push_back(value); };
  if (!each_integer(*array, add)) {
    return fail(ErrorCode::kInvalid, "{}: holds type '{}', expected integers", name, array->type);
  }
  return values;
}

Result<FeatureTable> read_npy(const std::filesystem::path& path) {
  const auto content = read_file(path, kTableBytesMax);
  if (!content) return tl::unexpected(content.error());
  return parse_npy(*content, path.string());
}

Result<std::vector<std::int64_t>> read_npy_integers(const std::filesystem::path& path) {
  const auto content = read_file(path, kTableBytesMax);
  if (!content) return tl::unexpected(content.error());
  return parse_npy_integers(*content, path.string());
}

}  // namespace kantrig::base
