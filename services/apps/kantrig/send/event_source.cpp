#include "apps/kantrig/send/event_source.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <iostream>

#include "base/event_files.hpp"

namespace kantrig::apps {
namespace {

constexpr std::string_view kSeparators = ", \t\r";

template <typename Code>
Result<std::vector<std::byte>> as_codes(const base::FeatureTable& table, const std::filesystem::path& path) {
  constexpr float kHighest = static_cast<float>(std::numeric_limits<Code>::max());
  std::vector<std::byte> bytes(table.values.size() * sizeof(Code));
  for (std::size_t i = 0; i < table.values.size(); ++i) {
    const float value = table.values[i];
    if (!(value >= 0.0F && value <= kHighest) || std::trunc(value) != value) {
      return fail(ErrorCode::kInvalid,
                  "{}: row {} column {}: {} is no code, expected a whole number from 0 to {}", path.string(),
                  i / table.columns, i % table.columns, value, kHighest);
    }
    const auto code = static_cast<Code>(value);
    std::memcpy(bytes.data() + i * sizeof code, &code, sizeof code);
  }
  return bytes;
}

void keep(void*, void*) {}  // the rows belong to the program

/// The numbers of one line; empty when it holds something else.
std::vector<float> numbers_of(std::string_view line) {
  std::vector<float> values;
  while (true) {
    const std::size_t begin = line.find_first_not_of(kSeparators);
    if (begin == std::string_view::npos) return values;
    line.remove_prefix(begin);
    const std::string_view word = line.substr(0, line.find_first_of(kSeparators));
    float value = 0.0F;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc{} || end != word.data() + word.size()) return {};
    values.push_back(value);
    line.remove_prefix(word.size());
  }
}

}  // namespace

Result<EventRows> read_event_rows(const std::filesystem::path& path, wire::Encoding encoding) {
  // A .csv may have a label column that is no number; a table without one reads the same either way.
  auto table = base::read_features(path, std::nullopt);
  if (!table && path.extension() == ".csv") table = base::read_features(path, std::string());
  if (!table) return tl::unexpected<Error>(table.error());
  if (table->rows == 0) return fail(ErrorCode::kInvalid, "{}: has no events", path.string());
  EventRows rows;
  rows.rows = table->rows;
  rows.feature_count = static_cast<std::uint32_t>(table->columns);
  rows.encoding = encoding;
  if (encoding == wire::Encoding::kFloat32) {
    const auto bytes = std::as_bytes(std::span(table->values));
    rows.bytes.assign(bytes.begin(), bytes.end());
    return rows;
  }
  auto codes = encoding == wire::Encoding::kCode8 ? as_codes<std::uint8_t>(*table, path)
                                                  : as_codes<std::uint16_t>(*table, path);
  if (!codes) return tl::unexpected<Error>(codes.error());
  rows.bytes = std::move(*codes);
  return rows;
}

client::Batch batch_of(const EventRows& rows, std::size_t first, std::uint32_t events_max) {
  client::Batch batch;
  batch.event_count = static_cast<std::uint32_t>(std::min<std::size_t>(events_max, rows.rows - first));
  batch.feature_count = rows.feature_count;
  batch.encoding = rows.encoding;
  const auto bytes =
      std::span(rows.bytes).subspan(first * rows.row_bytes(), batch.event_count * rows.row_bytes());
  batch.payload = client::Payload::borrowed(bytes, keep, nullptr);
  return batch;
}

Result<client::Batch> TextSource::next(std::uint32_t events_max) {
  client::BatchBuilder builder(feature_count_, events_max);
  std::string line;
  while (!builder.full() && std::getline(std::cin, line)) {
    ++line_number_;
    if (line.find_first_not_of(kSeparators) == std::string::npos) continue;
    const std::vector<float> values = numbers_of(line);
    if (values.empty() && line_number_ == 1) continue;  // a header
    if (values.size() != feature_count_) {
      return fail(ErrorCode::kInvalid, "standard input: line {}: has {} numbers, expected {}", line_number_,
                  values.size(), feature_count_);
    }
    builder.add(values);
  }
  return builder.empty() ? client::Batch{} : builder.take();
}

}  // namespace kantrig::apps
