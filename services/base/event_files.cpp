#include "base/event_files.hpp"

#include <algorithm>
#include <charconv>

#include "base/npy.hpp"

namespace kantrig::base {
namespace {

Result<std::vector<std::uint32_t>> checked_indices(std::span<const std::int64_t> values,
                                                   std::size_t class_count, std::string_view source) {
  std::vector<std::uint32_t> indices;
  indices.reserve(values.size());
  for (const std::int64_t value : values) {
    if (value < 0 || static_cast<std::uint64_t>(value) >= class_count) {
      return fail(ErrorCode::kInvalid, "{} row {}: label is {}, expected 0 to {}", source, indices.size() + 1,
                  value, class_count - 1);
    }
    indices.push_back(static_cast<std::uint32_t>(value));
  }
  return indices;
}

tl::unexpected<Error> unknown_ending(const std::filesystem::path& path) {
  return fail(ErrorCode::kInvalid, "{}: expected a file that ends in .npy or .csv", path.string());
}

}  // namespace

Result<FeatureTable> read_features(const std::filesystem::path& path, const CsvLabelColumn& label_column) {
  if (path.extension() == ".npy") return read_npy(path);
  if (path.extension() != ".csv") return unknown_ending(path);
  auto table = read_csv(path, label_column);
  if (!table) return tl::unexpected(table.error());
  return std::move(table->features);
}

Result<std::vector<std::uint32_t>> read_labels(const std::filesystem::path& path,
                                               const std::string& label_column,
                                               std::span<const std::string> classes) {
  if (path.extension() == ".npy") {
    const auto values = read_npy_integers(path);
    if (!values) return tl::unexpected(values.error());
    return checked_indices(*values, classes.size(), path.string());
  }
  if (path.extension() != ".csv") return unknown_ending(path);
  const auto table = read_csv(path, label_column);
  if (!table) return tl::unexpected(table.error());
  return class_indices(table->labels, classes, path.string());
}

Result<std::vector<std::uint32_t>> class_indices(std::span<const std::string> texts,
                                                 std::span<const std::string> classes,
                                                 std::string_view source) {
  std::vector<std::uint32_t> indices;
  indices.reserve(texts.size());
  for (const std::string& text : texts) {
    const auto named = std::find(classes.begin(), classes.end(), text);
    auto index = static_cast<std::size_t>(named - classes.begin());
    if (named == classes.end()) {
      const char* const end = text.data() + text.size();
      const auto [stop, error] = std::from_chars(text.data(), end, index);
      if (error != std::errc{} || stop != end || index >= classes.size()) {
        return fail(ErrorCode::kInvalid, "{} row {}: label is '{}', expected a class name or 0 to {}", source,
                    indices.size() + 1, text, classes.size() - 1);
      }
    }
    indices.push_back(static_cast<std::uint32_t>(index));
  }
  return indices;
}

}  // namespace kantrig::base
