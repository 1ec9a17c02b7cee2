// EventReport: one event of a file, explained by a bundle and, where there is one, a menu.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "kan/bundle.hpp"
#include "kan/explain.hpp"
#include "menu/explain.hpp"
#include "menu/menu.hpp"

namespace kantrig::apps {

struct ExplainRequest {
  std::filesystem::path bundle;
  std::filesystem::path events;
  std::optional<std::string> label;       // column of a .csv that holds the class
  std::uint64_t event = 0;                // row, from 0
  std::filesystem::path menu;             // empty: none
  std::string column;                     // of prescales; empty: the menu's default
  std::optional<std::uint64_t> event_id;  // for the prescales; absent: the row
};

/// What the input stage made of a value.
enum class RangeSide : std::uint8_t { kInside, kBelow, kAbove };

struct LineReport {
  menu::LineInfo info;
  menu::ConditionPart condition;
  std::uint64_t prescale = 1;
  menu::LineCounts counts;  // of this one event: 0 or 1 each
};

struct MenuReport {
  std::string name;
  std::string column;
  std::uint64_t event_id = 0;
  bool accepted = false;
  std::vector<LineReport> lines;
};

struct EventReport {
  kan::Bundle bundle;
  std::string source;  // name of the file
  std::uint64_t event = 0;
  std::vector<float> values;  // of the features; codes where the bundle takes codes
  std::vector<RangeSide> sides;
  kan::Explanation explanation;
  std::vector<double> scores;         // real
  std::vector<double> probabilities;  // of each class; empty where the outputs have scales of their own
  std::optional<MenuReport> menu;

  [[nodiscard]] std::string class_name(std::size_t index) const;
  /// What output `k` is the score of.
  [[nodiscard]] std::string output_name(std::size_t k) const;
  /// h<layer>_<node>, or in the last layer the output's name, unless an output stage follows.
  [[nodiscard]] std::string node_name(std::size_t layer, std::size_t node) const;
  /// Effect of a feature on an output, as a real score.
  [[nodiscard]] double effect(std::size_t feature, std::size_t output) const;
  /// Features by the size of their effect on the decided class, the greatest first.
  [[nodiscard]] std::vector<std::size_t> features_by_effect() const;
  /// The output that stands for the decision: the decided class's, or the only one.
  [[nodiscard]] std::size_t decided_output() const;
};

[[nodiscard]] Result<EventReport> explain_event(const ExplainRequest& request);

}  // namespace kantrig::apps
