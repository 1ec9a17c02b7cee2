#include "compiler/explore/codebook_report.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "picture/chart.hpp"

namespace kantrig::explore {
namespace {

constexpr std::size_t kDrawnMax = 16;
constexpr int kPoints = 200;

double quality(const ShapesReport& report, const train::Score& score) {
  return report.classes ? score.accuracy : score.loss;
}

double standard_error(const ShapesReport& report) {
  const double accuracy = report.own.tuned.accuracy;
  if (!report.classes || report.rows_validation == 0) return 0.0;
  return std::sqrt(accuracy * (1.0 - accuracy) / static_cast<double>(report.rows_validation));
}

nlohmann::json row_to_json(const ShapesRow& row) {
  return {{"shapes", row.shapes},
          {"parameters", row.parameters},
          {"unexplained", row.unexplained},
          {"accuracy_refitted", row.refitted.accuracy},
          {"loss_refitted", row.refitted.loss},
          {"accuracy", row.tuned.accuracy},
          {"loss", row.tuned.loss}};
}

}  // namespace

std::size_t few_enough(const ShapesReport& report) {
  const double error = standard_error(report);
  for (std::size_t i = 0; i < report.rows.size(); ++i) {
    const ShapesRow& row = report.rows[i];
    const bool good = report.classes ? row.tuned.accuracy >= report.own.tuned.accuracy - error
                                     : row.tuned.loss <= report.own.tuned.loss;
    if (good) return i;
  }
  return report.rows.size();
}

std::string to_text(const ShapesReport& report) {
  std::string text;
  const auto out = std::back_inserter(text);
  const char* const what = report.classes ? "accuracy" : "loss";
  fmt::format_to(out, "{}: {} edges; {} on {} validation rows\n{:>8} {:>11} {:>12} {:>10} {:>10}\n",
                 report.model, report.edges, what, report.rows_validation, "shapes", "parameters",
                 "unexplained", "refitted", "retrained");
  const auto add = [&](const ShapesRow& row, const std::string& name) {
    fmt::format_to(out, "{:>8} {:>11} {:>12.5f} {:>10.4f} {:>10.4f}\n", name, row.parameters, row.unexplained,
                   quality(report, row.refitted), quality(report, row.tuned));
  };
  for (const ShapesRow& row : report.rows) add(row, std::to_string(row.shapes));
  add(report.own, "own");
  const std::size_t few = few_enough(report);
  if (few == report.rows.size()) {
    fmt::format_to(out, "none of these is as good as a shape for each edge; try more --shapes\n");
  } else {
    fmt::format_to(
        out, "{} shapes are enough: the fewest with {} {} {:.4f}, that of a shape for each edge{}\n",
        report.rows[few].shapes, what, report.classes ? "at least" : "at most",
        quality(report, report.own.tuned) - standard_error(report),
        report.classes ? fmt::format(" less one standard error ({:.4f})", standard_error(report)) : "");
  }
  return text;
}

std::string to_csv(const ShapesReport& report) {
  std::string text = "shapes,parameters,unexplained,accuracy_refitted,loss_refitted,accuracy,loss\n";
  const auto add = [&](const ShapesRow& row) {
    fmt::format_to(std::back_inserter(text), "{},{},{:.8f},{:.6f},{:.6f},{:.6f},{:.6f}\n", row.shapes,
                   row.parameters, row.unexplained, row.refitted.accuracy, row.refitted.loss,
                   row.tuned.accuracy, row.tuned.loss);
  };
  for (const ShapesRow& row : report.rows) add(row);
  add(report.own);
  return text;
}

std::string to_json(const ShapesReport& report) {
  nlohmann::json root{{"model", report.model},
                      {"edges", report.edges},
                      {"rows_validation", report.rows_validation},
                      {"own", row_to_json(report.own)},
                      {"results", nlohmann::json::array()}};
  for (const ShapesRow& row : report.rows) root["results"].push_back(row_to_json(row));
  const std::size_t few = few_enough(report);
  if (few < report.rows.size()) root["enough"] = report.rows[few].shapes;
  return root.dump(2) + "\n";
}

std::string draw(const ShapesReport& report) {
  picture::Series refitted;
  refitted.name = "refitted";
  picture::Series tuned;
  tuned.name = "retrained";
  picture::Series own;
  own.name = fmt::format("own shapes, {} of them", report.own.shapes);
  for (const ShapesRow& row : report.rows) {
    for (picture::Series* series : {&refitted, &tuned, &own}) series->x.push_back(row.shapes);
    refitted.y.push_back(quality(report, row.refitted));
    tuned.y.push_back(quality(report, row.tuned));
    own.y.push_back(quality(report, report.own.tuned));
  }
  picture::Chart chart;
  chart.title = fmt::format("How few shapes: {}", report.model);
  chart.x.label = "shapes shared by all edges";
  chart.x.scale = picture::Scale::kLogarithmic;
  chart.y.label = report.classes ? "accuracy on validation rows" : "loss on validation rows";
  chart.series = {std::move(tuned), std::move(refitted), std::move(own)};
  return picture::draw(chart);
}

std::string draw_shapes(const SharedModel& model) {
  const Codebook& codebook = model.codebook;
  std::vector<std::size_t> users(codebook.shapes.size(), 0);
  for (const ShapeUse& use : codebook.uses) ++users[use.shape];
  std::vector<std::uint32_t> order(codebook.shapes.size());
  for (std::uint32_t s = 0; s < order.size(); ++s) order[s] = s;
  std::ranges::stable_sort(order, std::ranges::greater{}, [&](std::uint32_t s) { return users[s]; });
  order.resize(std::min(order.size(), kDrawnMax));
  const learned::Layer& first = model.kan.layers.front();
  learned::Layer probe = learned::make_layer(learned::EdgeKind::kSpline, 1, 1, first.grid, first.base);
  picture::Chart chart;
  chart.title = fmt::format("{} shapes and how many edges use each", codebook.shapes.size());
  chart.x.label = "x";
  chart.y.label = "shape";
  for (const std::uint32_t s : order) {
    set_edge(probe, {}, codebook.shapes[s]);
    picture::Series series;
    series.name = std::to_string(users[s]);
    for (int i = 0; i < kPoints; ++i) {
      const double x = first.grid.low + (first.grid.high - first.grid.low) * i / kPoints;
      series.x.push_back(x);
      series.y.push_back(learned::edge_value(probe, 0, 0, x));
    }
    chart.series.push_back(std::move(series));
  }
  return picture::draw(chart);
}

}  // namespace kantrig::explore
