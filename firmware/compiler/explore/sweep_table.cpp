#include "compiler/explore/sweep_table.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>

namespace kantrig::explore {
namespace {

using nlohmann::json;

constexpr std::size_t kLinesMax = 200;  // of points, as text; the others are in the CSV
constexpr std::size_t kErrorsMax = 10;

std::string number(const std::optional<double>& value, int decimals) {
  return value ? fmt::format("{:.{}f}", *value, decimals) : "-";
}

/// A field of a CSV (RFC 4180, section 2).
std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"') result += c;
    result += c;
  }
  result += '"';
  return result;
}

double nanoseconds(const PointResult& result, const Ranking& ranking) {
  return cost_value(result.cost, CostKind::kNanoseconds, ranking.clock_mhz);
}

void add_grid(const SweepTable& table, const std::optional<SweetSpot>& spot, std::string& text) {
  const auto out = std::back_inserter(text);
  const Axis& down = table.plan.axes[0];
  const Axis& across = table.plan.axes[1];
  std::size_t width = 9;
  for (const Axis* axis : {&down, &across}) {
    for (const std::string& value : axis->values) width = std::max(width, value.size() + 1);
  }
  fmt::format_to(out, "{} of {} (down) by {} (across):\n{:>{}}", table.ranking.quality.metric, down.name(),
                 across.name(), "", width);
  for (const std::string& value : across.values) fmt::format_to(out, "{:>{}}", value, width);
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    if (i % across.values.size() == 0)
      fmt::format_to(out, "\n{:>{}}", down.values[i / across.values.size()], width);
    const std::string mark = spot && spot->chosen == i ? "*" : spot && spot->best == i ? "+" : " ";
    fmt::format_to(out, "{:>{}}", number(quality_of(table.rows[i], table.ranking), 4) + mark, width);
  }
  fmt::format_to(out, "\n* the sweet spot, + the best\n");
}

void add_lines(const SweepTable& table, std::string& text) {
  const auto out = std::back_inserter(text);
  fmt::format_to(out, "{:>6} {:>10} {:>7} {:>9} {:>7} {:>6}  {}\n", "point", "quality", "edges", "bits",
                 "LUTs", "ns", "where");
  for (std::size_t i = 0; i < std::min(kLinesMax, table.rows.size()); ++i) {
    const SweepRow& row = table.rows[i];
    const std::string where = describe(table.plan, row.point);
    if (!row.result || row.result->failed()) {
      fmt::format_to(out, "{:>6} {:>10} {:>7} {:>9} {:>7} {:>6}  {}\n", row.point.number,
                     row.result ? "failed" : "to do", "", "", "", "", where);
      continue;
    }
    const ModelCost& cost = row.result->cost;
    fmt::format_to(out, "{:>6} {:>10} {:>7} {:>9} {:>7.0f} {:>6.1f}  {}\n", row.point.number,
                   number(quality_of(row, table.ranking), 4), cost.edges, cost.parameter_bits, cost.luts,
                   nanoseconds(*row.result, table.ranking), where);
  }
  if (table.rows.size() > kLinesMax) fmt::format_to(out, "and {} more\n", table.rows.size() - kLinesMax);
}

void add_failures(const SweepTable& table, std::string& text) {
  const auto out = std::back_inserter(text);
  std::size_t failed = 0;
  std::size_t missing = 0;
  for (const SweepRow& row : table.rows) {
    if (!row.result) ++missing;
    if (!row.result || !row.result->failed()) continue;
    if (++failed <= kErrorsMax)
      fmt::format_to(out, "failed: {}: {}\n", describe(table.plan, row.point), row.result->error);
  }
  if (failed > kErrorsMax) fmt::format_to(out, "and {} more failed\n", failed - kErrorsMax);
  if (missing > 0) fmt::format_to(out, "{} of {} points are not trained yet\n", missing, table.rows.size());
}

std::string figures(const SweepTable& table, const SweepRow& row) {
  const ModelCost& cost = row.result->cost;
  return fmt::format(
      "{}: {} {:.4f}, {} edges, {} parameter bits, {:.0f} LUTs (estimated), {:.1f} ns ({} cycles at {} MHz)",
      describe(table.plan, row.point), table.ranking.quality.metric, *quality_of(row, table.ranking),
      cost.edges, cost.parameter_bits, cost.luts, nanoseconds(*row.result, table.ranking), cost.cycles,
      table.ranking.clock_mhz);
}

json row_to_json(const SweepTable& table, const SweepRow& row) {
  json one{{"point", row.point.number}, {"key", row.point.key}, {"values", row.point.values}};
  if (!row.result) {
    one["state"] = "to do";
    return one;
  }
  const PointResult& result = *row.result;
  one["state"] = result.failed() ? "failed" : "done";
  one["seconds"] = result.seconds;
  if (result.failed()) {
    one["error"] = result.error;
    return one;
  }
  for (const auto& [name, value] : result.metrics) one["metrics"][name] = value;
  one["edges"] = result.cost.edges;
  one["parameter_bits"] = result.cost.parameter_bits;
  one["luts"] = result.cost.luts;
  one["cycles"] = result.cost.cycles;
  one["nanoseconds"] = nanoseconds(result, table.ranking);
  return one;
}

}  // namespace

std::string describe(const SweepPlan& plan, const SweepPoint& point) {
  std::string text;
  for (std::size_t a = 0; a < plan.axes.size(); ++a) {
    text += fmt::format("{}{}={}", a == 0 ? "" : " ", plan.axes[a].name(), point.values[a]);
  }
  return text;
}

std::string to_text(const SweepTable& table) {
  std::string text;
  const auto out = std::back_inserter(text);
  const auto spot = sweet_spot(table.rows, table.ranking);
  if (table.plan.axes.size() == 2) {
    add_grid(table, spot, text);
  } else {
    add_lines(table, text);
  }
  add_failures(table, text);
  if (!spot) {
    fmt::format_to(out, "no point has the metric {}\n", table.ranking.quality.metric);
    return text;
  }
  fmt::format_to(out, "best        {}\n", figures(table, table.rows[spot->best]));
  fmt::format_to(out, "sweet spot  {}\n", figures(table, table.rows[spot->chosen]));
  fmt::format_to(
      out,
      "            the fewest {} of all points with {} {} {:.4f}, the best {} one standard error ({:.4f})\n",
      cost_name(table.ranking.cost), table.ranking.quality.metric,
      table.ranking.quality.lower_is_better ? "at most" : "at least", spot->limit,
      table.ranking.quality.lower_is_better ? "and" : "less", spot->standard_error);
  return text;
}

std::string to_csv(const SweepTable& table) {
  std::string text = "point";
  const auto out = std::back_inserter(text);
  for (const Axis& axis : table.plan.axes) text += fmt::format(",{}", quoted(axis.name()));
  std::vector<std::string> metrics;
  for (const SweepRow& row : table.rows) {
    if (!row.result) continue;
    for (const auto& [name, value] : row.result->metrics) {
      if (std::ranges::find(metrics, name) == metrics.end()) metrics.push_back(name);
    }
  }
  text += ",state";
  for (const std::string& name : metrics) text += fmt::format(",{}", quoted(name));
  text += ",edges,parameter_bits,luts_estimated,cycles,nanoseconds,seconds,error\n";
  for (const SweepRow& row : table.rows) {
    fmt::format_to(out, "{}", row.point.number);
    for (const std::string& value : row.point.values) text += fmt::format(",{}", quoted(value));
    text += !row.result ? ",to do" : row.result->failed() ? ",failed" : ",done";
    for (const std::string& name : metrics) {
      const auto value = row.result ? row.result->metric(name) : std::nullopt;
      text += value ? fmt::format(",{:.6f}", *value) : ",";
    }
    if (!row.result || row.result->failed()) {
      fmt::format_to(out, ",,,,,,{},{}\n", row.result ? fmt::format("{:.2f}", row.result->seconds) : "",
                     row.result ? quoted(row.result->error) : "");
      continue;
    }
    const ModelCost& cost = row.result->cost;
    fmt::format_to(out, ",{},{},{:.1f},{},{:.2f},{:.2f},\n", cost.edges, cost.parameter_bits, cost.luts,
                   cost.cycles, nanoseconds(*row.result, table.ranking), row.result->seconds);
  }
  return text;
}

std::string to_json(const SweepTable& table) {
  json root;
  root["axes"] = json::array();
  for (const Axis& axis : table.plan.axes)
    root["axes"].push_back({{"fields", axis.fields}, {"values", axis.values}});
  root["metric"] = table.ranking.quality.metric;
  root["lower_is_better"] = table.ranking.quality.lower_is_better;
  root["clock_mhz"] = table.ranking.clock_mhz;
  root["results"] = json::array();
  for (const SweepRow& row : table.rows) root["results"].push_back(row_to_json(table, row));
  if (const auto spot = sweet_spot(table.rows, table.ranking)) {
    root["best"] = table.rows[spot->best].point.number;
    root["sweet_spot"] = {{"point", table.rows[spot->chosen].point.number},
                          {"cost", cost_name(table.ranking.cost)},
                          {"limit", spot->limit},
                          {"standard_error", spot->standard_error}};
  }
  return root.dump(2) + "\n";
}

}  // namespace kantrig::explore
