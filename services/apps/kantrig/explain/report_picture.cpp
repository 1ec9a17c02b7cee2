#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "apps/kantrig/explain/edge_matrices.hpp"
#include "apps/kantrig/explain/report_output.hpp"
#include "picture/colours.hpp"
#include "picture/svg.hpp"

namespace kantrig::apps {
namespace {

using picture::Anchor;
using picture::Rectangle;

constexpr double kMargin = 32.0;
constexpr double kRow = 34.0;
constexpr double kTextSize = 14.0;
constexpr double kNameRoom = 200.0;
constexpr double kValueRoom = 120.0;
constexpr double kHistogram = 150.0;  // width
constexpr double kCell = 92.0;
constexpr double kScoresHeight = 68.0;
constexpr std::size_t kFeaturesMax = 40;
constexpr std::size_t kOutputsMax = 12;
constexpr std::size_t kBars = 50;
constexpr std::string_view kPale = "#666666";
constexpr std::string_view kYes = "#2f7a3d";
constexpr std::string_view kNo = "#c8553d";

/// A line of the menu, or a part of its condition, as it is drawn.
struct MenuRow {
  std::string text;
  std::string seen;
  bool holds = false;
  int depth = 0;
};

void add_rows(const menu::ConditionPart& part, int depth, std::vector<MenuRow>& rows) {
  rows.push_back({part.text, part.seen, part.holds, depth});
  for (const menu::ConditionPart& inner : part.parts) add_rows(inner, depth + 1, rows);
}

std::vector<MenuRow> menu_rows(const EventReport& report) {
  std::vector<MenuRow> rows;
  if (!report.menu) return rows;
  for (const LineReport& line : report.menu->lines) {
    const bool keeps = line.counts.after_veto == 1;
    std::string outcome = line.counts.before_prescale == 0 ? "does not fire"
                          : keeps                          ? "fires"
                                                           : "fires, but not after prescale and veto";
    outcome += line.prescale == 0 ? " (off in this column)" : fmt::format(" (prescale {})", line.prescale);
    rows.push_back({line.info.name, std::move(outcome), keeps, 0});
    add_rows(line.condition, 1, rows);
  }
  return rows;
}

class Drawing {
 public:
  explicit Drawing(const EventReport& report)
      : report_(report),
        features_(report.features_by_effect()),
        outputs_(chosen_outputs(report)),
        rows_(menu_rows(report)),
        matrices_(report),
        table_left_(kMargin + kNameRoom + kValueRoom + kHistogram + 40.0),
        table_top_(126.0 + kScoresHeight),
        svg_(width(), height(), report.bundle.full_name()) {
    for (const std::size_t j : features_) {
      for (const std::size_t k : outputs_) largest_ = std::max(largest_, std::abs(report.effect(j, k)));
    }
  }

  std::string run();

 private:
  static std::vector<std::size_t> chosen_outputs(const EventReport& report);
  [[nodiscard]] std::size_t shown() const { return std::min(features_.size(), kFeaturesMax); }
  [[nodiscard]] double width() const {
    return std::max(matrices_left() + matrices_.width() + kMargin, 860.0);
  }
  [[nodiscard]] double matrices_left() const {
    return table_left_ + kCell * static_cast<double>(outputs_.size()) + 40.0;
  }
  [[nodiscard]] double menu_top() const { return table_top_ + kRow * static_cast<double>(shown()) + 56.0; }
  [[nodiscard]] double height() const {
    const double menu_height = rows_.empty() ? 0.0 : 40.0 + 22.0 * static_cast<double>(rows_.size());
    return std::max(menu_top() + menu_height, table_top_ + matrices_.height(shown()) + kMargin);
  }

  void heading();
  void scores();
  void feature(std::size_t row);
  void histogram(std::size_t j, const Rectangle& area);
  void menu();

  const EventReport& report_;
  std::vector<std::size_t> features_;
  std::vector<std::size_t> outputs_;
  std::vector<MenuRow> rows_;
  EdgeMatrices matrices_;
  double table_left_;
  double table_top_;
  double largest_ = 0.0;
  picture::Svg svg_;
};

/// All of them, or of many those with the largest scores.
std::vector<std::size_t> Drawing::chosen_outputs(const EventReport& report) {
  std::vector<std::size_t> outputs(report.scores.size());
  std::iota(outputs.begin(), outputs.end(), std::size_t{0});
  if (outputs.size() <= kOutputsMax) return outputs;
  std::stable_sort(outputs.begin(), outputs.end(),
                   [&](std::size_t a, std::size_t b) { return report.scores[a] > report.scores[b]; });
  outputs.resize(kOutputsMax);
  return outputs;
}

void Drawing::heading() {
  const double room = width() - 2.0 * kMargin;
  svg_.text(kMargin, 46.0,
            picture::fitted(fmt::format("Why {} says {}", report_.bundle.full_name(),
                                        report_.class_name(report_.explanation.event_class)),
                            22.0, room),
            {.size = 22.0, .bold = true});
  std::string words = fmt::format("Event {} of {}.", report_.event, report_.source);
  if (report_.menu)
    words +=
        fmt::format(" Menu {}: {}.", report_.menu->name, report_.menu->accepted ? "accepted" : "rejected");
  svg_.text(kMargin, 72.0, picture::fitted(words, kTextSize, room), {.size = kTextSize});
  words = fmt::format(
      "Cells: the score less the score with that feature at its {} (dashed). Red: this event. !: out of "
      "range.",
      report_.explanation.has_reference ? "median in training" : "middle code");
  svg_.text(kMargin, 93.0, picture::fitted(words, 12.5, room), {.size = 12.5, .fill = kPale});
}

void Drawing::scores() {
  const double y = table_top_ - 14.0;
  svg_.text(kMargin + kNameRoom, y, "feature", {.size = 12.0, .fill = kPale, .anchor = Anchor::kEnd});
  svg_.text(kMargin + kNameRoom + kValueRoom, y, "value",
            {.size = 12.0, .fill = kPale, .anchor = Anchor::kEnd});
  svg_.text(kMargin + kNameRoom + kValueRoom + 20.0, y,
            report_.explanation.has_reference ? "code among training events" : "code",
            {.size = 12.0, .fill = kPale});
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const std::size_t k = outputs_[i];
    const double x = table_left_ + kCell * (static_cast<double>(i) + 0.5);
    const bool decided = k == report_.decided_output();
    svg_.text(x, y - 40.0, picture::fitted(report_.output_name(k), 17.0, kCell - 4.0),
              {.size = 17.0, .anchor = Anchor::kMiddle, .bold = decided});
    svg_.text(x, y - 20.0, fmt::format("{:.3f}", report_.scores[k]),
              {.size = kTextSize, .anchor = Anchor::kMiddle});
    const std::size_t index = report_.scores.size() == 1 ? 1 : k;
    if (!report_.probabilities.empty())
      svg_.text(x, y - 3.0, fmt::format("{:.1f} %", 100.0 * report_.probabilities[index]),
                {.size = 12.0, .fill = kPale, .anchor = Anchor::kMiddle});
  }
}

void Drawing::histogram(std::size_t j, const Rectangle& area) {
  const std::vector<double> counts = kan::reference_counts(report_.bundle, j);
  const std::size_t together = (counts.size() + kBars - 1) / kBars;
  std::vector<double> bars((counts.size() + together - 1) / together, 0.0);
  for (std::size_t i = 0; i < counts.size(); ++i) bars[i / together] += counts[i];
  const double highest = *std::max_element(bars.begin(), bars.end());
  const double bottom = area.y + area.height;
  std::vector<picture::Point> outline{{area.x, bottom}};
  const double step = area.width / static_cast<double>(bars.size());
  for (std::size_t i = 0; i < bars.size(); ++i) {
    const double y = bottom - area.height * bars[i] / highest;
    outline.push_back({area.x + step * static_cast<double>(i), y});
    outline.push_back({area.x + step * static_cast<double>(i + 1), y});
  }
  outline.push_back({area.x + area.width, bottom});
  svg_.polygon(outline, {.fill = "#d3dde6", .stroke = "none"});
  svg_.line(area.x, bottom, area.x + area.width, bottom, {.colour = "#a9b7c4"});
  const kan::FeatureExplanation& feature = report_.explanation.features[j];
  const auto place = [&](std::uint16_t code) {
    return area.x + area.width * (code + 0.5) / static_cast<double>(counts.size());
  };
  svg_.line(place(feature.median), area.y, place(feature.median), bottom,
            {.colour = "#7d8b98", .width = 1.0, .dashes = "2 2"});
  svg_.line(place(feature.code), area.y - 3.0, place(feature.code), bottom + 1.0,
            {.colour = kNo, .width = 2.5});
}

void Drawing::feature(std::size_t row) {
  const std::size_t j = features_[row];
  const double y = table_top_ + kRow * static_cast<double>(row);
  const double base = y + kRow / 2.0 + 5.0;
  const kan::Feature& named = report_.bundle.features[j];
  svg_.text(kMargin + kNameRoom, base, picture::fitted(named.name, kTextSize, kNameRoom),
            {.size = kTextSize, .anchor = Anchor::kEnd});
  const std::string value =
      fmt::format("{:.4g}{}{}", report_.values[j], named.unit.empty() ? "" : " ", named.unit);
  const bool outside = report_.sides[j] != RangeSide::kInside;
  svg_.text(kMargin + kNameRoom + kValueRoom, base,
            picture::fitted(value + (outside ? " !" : ""), kTextSize, kValueRoom - 8.0),
            {.size = kTextSize, .fill = outside ? kNo : "#222222", .anchor = Anchor::kEnd});
  histogram(j, {kMargin + kNameRoom + kValueRoom + 20.0, y + 7.0, kHistogram, kRow - 12.0});
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const double effect = report_.effect(j, outputs_[i]);
    const std::string colour = picture::signed_colour(largest_ > 0.0 ? effect / largest_ : 0.0);
    const Rectangle cell{table_left_ + kCell * static_cast<double>(i), y, kCell, kRow};
    svg_.rectangle(cell, {.fill = colour});
    svg_.text(cell.x + kCell / 2.0, base, effect == 0.0 ? "0" : fmt::format("{:+.3f}", effect),
              {.size = kTextSize, .fill = picture::ink_on(colour), .anchor = Anchor::kMiddle});
  }
}

void Drawing::menu() {
  if (rows_.empty()) return;
  double y = menu_top();
  svg_.text(kMargin, y, fmt::format("Menu {}, column {}", report_.menu->name, report_.menu->column),
            {.size = 17.0, .bold = true});
  y += 28.0;
  for (const MenuRow& row : rows_) {
    const double x = kMargin + 22.0 * row.depth;
    svg_.circle(
        {x + 6.0, y - 5.0}, 5.0,
        {.fill = row.holds ? kYes : "#ffffff", .stroke = row.holds ? kYes : kNo, .stroke_width = 1.5});
    const double room = matrices_left() - x - kMargin - 20.0;
    svg_.text(x + 18.0, y, picture::fitted(row.text, kTextSize, 0.5 * room),
              {.size = kTextSize, .bold = row.depth == 0});
    svg_.text(
        std::max(kMargin + 380.0, x + 34.0 + std::min(picture::text_width(row.text, kTextSize), 0.5 * room)),
        y, picture::fitted(row.seen, kTextSize, 0.5 * room), {.size = kTextSize, .fill = kPale});
    y += 22.0;
  }
}

std::string Drawing::run() {
  heading();
  scores();
  for (std::size_t row = 0; row < shown(); ++row) feature(row);
  if (features_.size() > shown()) {
    svg_.text(kMargin + kNameRoom, table_top_ + kRow * static_cast<double>(shown()) + 20.0,
              fmt::format("and {} with less effect", features_.size() - shown()),
              {.size = 12.0, .fill = kPale, .anchor = Anchor::kEnd});
  }
  menu();
  matrices_.draw(svg_, {matrices_left(), table_top_}, std::span(features_).first(shown()), kRow);
  return svg_.done();
}

}  // namespace

std::string report_picture(const EventReport& report) {
  return Drawing(report).run();
}

}  // namespace kantrig::apps
