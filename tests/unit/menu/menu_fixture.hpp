// What the tests of the menu share: a space of scores, a batch of columns, a menu around a condition.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "menu/menu.hpp"

namespace kantrig::test {

inline menu::ScoreSpace space_of(std::vector<std::string> classes, std::size_t score_count, std::int32_t low,
                                 std::int32_t high, double scale) {
  return {std::move(classes), std::vector<menu::ScoreRange>(score_count, {low, high, scale})};
}

/// Columns padded to a multiple of 64 events, as an evaluator leaves them; the padding holds other values.
struct Batch {
  std::vector<std::vector<std::int16_t>> scores;
  std::vector<std::uint8_t> classes;
  std::vector<const std::int16_t*> columns;
  std::vector<std::uint64_t> malformed;
  std::uint32_t event_count = 0;

  explicit Batch(std::vector<std::vector<std::int16_t>> rows)
      : event_count(static_cast<std::uint32_t>(rows.size())) {
    scores.resize(rows.empty() ? 1 : rows[0].size());
    for (std::size_t e = 0; e < rows.size(); ++e) {
      for (std::size_t k = 0; k < scores.size(); ++k) scores[k].push_back(rows[e][k]);
      classes.push_back(class_of(rows[e]));
    }
    while (classes.size() % 64 != 0) {
      classes.push_back(static_cast<std::uint8_t>(classes.size() % 3));
      for (auto& column : scores) column.push_back(static_cast<std::int16_t>(column.size() % 7));
    }
    for (const auto& column : scores) columns.push_back(column.data());
  }

  static std::uint8_t class_of(const std::vector<std::int16_t>& row) {
    if (row.size() == 1) return row[0] > 0 ? 1 : 0;
    return static_cast<std::uint8_t>(std::max_element(row.begin(), row.end()) - row.begin());
  }

  [[nodiscard]] menu::MenuInput input(std::uint64_t first_event_id = 0, std::uint32_t column = 0) const {
    return {.scores = columns,
            .classes = classes.data(),
            .malformed = malformed,
            .event_count = event_count,
            .first_event_id = first_event_id,
            .column = column};
  }
};

inline std::vector<std::vector<std::int16_t>> random_rows(std::size_t events, const menu::ScoreSpace& space,
                                                          std::mt19937_64& random) {
  std::vector<std::vector<std::int16_t>> rows(events);
  for (auto& row : rows) {
    for (const menu::ScoreRange& range : space.scores) {
      row.push_back(
          static_cast<std::int16_t>(std::uniform_int_distribution<int>(range.low, range.high)(random)));
    }
  }
  return rows;
}

/// Every combination of scores, for small ranges.
inline std::vector<std::vector<std::int16_t>> all_rows(const menu::ScoreSpace& space) {
  std::vector<std::vector<std::int16_t>> rows(1);
  for (const menu::ScoreRange& range : space.scores) {
    std::vector<std::vector<std::int16_t>> longer;
    for (const auto& row : rows) {
      for (std::int32_t y = range.low; y <= range.high; ++y) {
        longer.push_back(row);
        longer.back().push_back(static_cast<std::int16_t>(y));
      }
    }
    rows = std::move(longer);
  }
  return rows;
}

inline std::string menu_of(const std::string& condition) {
  return "version = 1\nname = \"test\"\n[[line]]\nname = \"only\"\nwhen = \"" + condition + "\"\n";
}

inline menu::Menu compiled(const std::string& text, const menu::ScoreSpace& space) {
  auto result = menu::Menu::compile(text, space, "test.toml");
  if (!result) {
    ADD_FAILURE() << result.error().message << "\n" << text;
    std::abort();
  }
  return std::move(*result);
}

inline std::string error_of(const std::string& text, const menu::ScoreSpace& space) {
  const auto result = menu::Menu::compile(text, space, "test.toml");
  return result ? "" : result.error().message;
}

inline bool bit(std::span<const std::uint64_t> words, std::size_t i) {
  return ((words[i / 64] >> (i % 64)) & 1U) != 0;
}

}  // namespace kantrig::test
