#include "compiler/explore/sweep_pictures.hpp"

#include <charconv>
#include <cmath>
#include <limits>

#include "picture/chart.hpp"

namespace kantrig::explore {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

std::string axis_label(CostKind kind, const Ranking& ranking) {
  switch (kind) {
    case CostKind::kParameterBits:
      return "bits of parameters";
    case CostKind::kLuts:
      return "LUTs (estimated)";
    case CostKind::kNanoseconds:
      break;
  }
  return fmt::format("nanoseconds (cycles at {} MHz)", ranking.clock_mhz);
}

/// The values of a point alone: labels in a picture that names the axes elsewhere.
std::string short_name(const SweepPoint& point) {
  std::string text;
  for (const std::string& value : point.values) text += (text.empty() ? "" : " ") + value;
  return text;
}

/// The axes in the order of the labels, without the tables that the fields are in.
std::string names_of_axes(const SweepPlan& plan) {
  std::string text;
  for (const Axis& axis : plan.axes) {
    if (!text.empty()) text += ", ";
    for (const std::string& field : axis.fields) {
      if (&field != &axis.fields.front()) text += '+';
      text += field.substr(field.rfind('.') + 1);
    }
  }
  return text;
}

picture::Series series_of(std::string name, picture::Mark mark) {
  picture::Series series;
  series.name = std::move(name);
  series.mark = mark;
  return series;
}

std::string pareto(const SweepTable& table, const SweetSpot& spot, CostKind kind) {
  const auto place = [&](std::size_t i, picture::Series& series) {
    series.x.push_back(cost_value(table.rows[i].result->cost, kind, table.ranking.clock_mhz));
    series.y.push_back(*quality_of(table.rows[i], table.ranking));
  };
  picture::Series all = series_of("points", picture::Mark::kPoints);
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    if (quality_of(table.rows[i], table.ranking)) place(i, all);
  }
  picture::Series line{
      .name = "nothing is better and cheaper", .x = {}, .y = {}, .mark = picture::Mark::kSteps, .labels = {}};
  picture::Series front = series_of("", picture::Mark::kPoints);
  for (const std::size_t i : pareto_front(table.rows, table.ranking, kind)) {
    place(i, line);
    place(i, front);
    front.labels.push_back(short_name(table.rows[i].point));
  }
  picture::Series sweet =
      series_of("sweet spot: " + short_name(table.rows[spot.chosen].point), picture::Mark::kPoints);
  place(spot.chosen, sweet);
  picture::Chart chart;
  chart.title =
      fmt::format("{} by {} ({})", table.ranking.quality.metric, cost_name(kind), names_of_axes(table.plan));
  chart.x.label = axis_label(kind, table.ranking);
  if (kind != CostKind::kNanoseconds) chart.x.scale = picture::Scale::kLogarithmic;
  chart.y.label = table.ranking.quality.metric;
  chart.series = {std::move(all), std::move(line), std::move(front), std::move(sweet)};
  return picture::draw(chart);
}

enum class Shown : std::uint8_t { kQuality, kLuts };

std::string heat_map(const SweepTable& table, const SweetSpot& spot, Shown shown) {
  const bool luts = shown == Shown::kLuts;
  const Axis& down = table.plan.axes[0];
  const Axis& across = table.plan.axes[1];
  picture::HeatMap map{.title = luts ? "LUTs (estimated)" : table.ranking.quality.metric,
                       .x_label = across.name(),
                       .y_label = down.name(),
                       .columns = across.values,
                       .rows = down.values,
                       .values = {},
                       .marked = static_cast<std::uint32_t>(spot.chosen),
                       .decimals = luts ? 0U : 4U};
  for (const SweepRow& row : table.rows) {
    const auto quality = quality_of(row, table.ranking);
    map.values.push_back(!quality ? kNone : luts ? row.result->cost.luts : *quality);
  }
  return picture::draw(map);
}

/// Nothing where the axis is not of numbers.
std::string curve(const SweepTable& table) {
  picture::Series series = series_of("", picture::Mark::kLine);
  for (const SweepRow& row : table.rows) {
    const std::string& text = row.point.values[0];
    double x = 0.0;
    const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), x);
    if (error != std::errc{} || at != text.data() + text.size()) return "";
    const auto quality = quality_of(row, table.ranking);
    if (!quality) continue;
    series.x.push_back(x);
    series.y.push_back(*quality);
  }
  picture::Chart chart;
  chart.title = fmt::format("{} by {}", table.ranking.quality.metric, table.plan.axes[0].name());
  chart.x.label = table.plan.axes[0].name();
  chart.y.label = table.ranking.quality.metric;
  chart.series.push_back(std::move(series));
  return picture::draw(chart);
}

}  // namespace

std::map<std::string, std::string> draw_sweep(const SweepTable& table) {
  std::map<std::string, std::string> pictures;
  const auto spot = sweet_spot(table.rows, table.ranking);
  if (!spot) return pictures;
  for (const CostKind kind : {CostKind::kParameterBits, CostKind::kLuts, CostKind::kNanoseconds}) {
    pictures[fmt::format("pareto_{}", cost_name(kind))] = pareto(table, *spot, kind);
  }
  if (table.plan.axes.size() == 2) {
    pictures["quality"] = heat_map(table, *spot, Shown::kQuality);
    pictures["luts"] = heat_map(table, *spot, Shown::kLuts);
  }
  if (table.plan.axes.size() == 1) {
    if (std::string drawn = curve(table); !drawn.empty()) pictures["quality"] = std::move(drawn);
  }
  return pictures;
}

}  // namespace kantrig::explore
