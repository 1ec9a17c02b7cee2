// EventSource: the events to send, as batches of rows, from a file (again and again, if asked) or from the
// standard input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "client/batch.hpp"
#include "wire/messages.hpp"

namespace kantrig::apps {

/// Rows in memory, in the encoding they are sent in. Shared by all lanes; batches borrow from it without a
/// copy.
struct EventRows {
  std::vector<std::byte> bytes;
  std::size_t rows = 0;
  std::uint32_t feature_count = 0;
  wire::Encoding encoding = wire::Encoding::kFloat32;

  [[nodiscard]] std::size_t row_bytes() const {
    return std::size_t{feature_count} * wire::value_bytes(encoding);
  }
};

/// Reads a .npy or .csv file. For code8 and code16 every value must be a whole number that fits: codes, not
/// physical values. The error names row and column.
[[nodiscard]] Result<EventRows> read_event_rows(const std::filesystem::path& path, wire::Encoding encoding);

/// Up to `events_max` events beginning with row `first`; fewer at the end of the rows. `rows` must outlive
/// the batch.
[[nodiscard]] client::Batch batch_of(const EventRows& rows, std::size_t first, std::uint32_t events_max);

/// Text from the standard input, one event a line, numbers between commas or blanks; a first line that is no
/// numbers is taken as a header.
class TextSource {
 public:
  explicit TextSource(std::uint32_t feature_count) : feature_count_(feature_count) {}

  /// The next batch of up to `events_max` events; empty (event_count 0) at the end. The error names line and
  /// column.
  [[nodiscard]] Result<client::Batch> next(std::uint32_t events_max);

 private:
  std::uint32_t feature_count_;
  std::uint64_t line_number_ = 0;
};

}  // namespace kantrig::apps
