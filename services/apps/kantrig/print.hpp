// How results look: JSON for scripts, tables for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <google/protobuf/message.h>

#include "kantrig/v1/control.pb.h"

namespace kantrig::apps {

/// Prints `message` as JSON, every member included, and returns the exit code: 5 when stdout cannot be
/// written.
[[nodiscard]] int print_json(const google::protobuf::Message& message);

/// Prints `text` and returns the exit code, as print_json.
[[nodiscard]] int print_text(std::string_view text);

enum class Align : std::uint8_t { kLeft, kRight };

/// Columns as wide as their widest cell.
class Table {
 public:
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }  // one per column
  [[nodiscard]] std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

[[nodiscard]] std::string grouped(std::uint64_t number);  // 1,234,567
[[nodiscard]] std::string status_text(const v1::StatusReply& status);
[[nodiscard]] std::string card_link_text(const v1::CardLinkStatus& card);  // a few lines of status_text()
[[nodiscard]] std::string models_text(const v1::ModelListReply& models);
[[nodiscard]] std::string lines_text(const google::protobuf::RepeatedPtrField<v1::LineStatus>& lines);

}  // namespace kantrig::apps
