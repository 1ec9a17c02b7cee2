#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "apps/kantrig/explain/report_output.hpp"
#include "apps/kantrig/print.hpp"

namespace kantrig::apps {
namespace {

constexpr std::size_t kEdgesShown = 3;  // of a node
constexpr std::size_t kFeaturesShown = 40;

std::string scores_text(const EventReport& report) {
  const kan::Explanation& explanation = report.explanation;
  Table table({{"score", Align::kLeft},
               {"integer", Align::kRight},
               {"real", Align::kRight},
               {"probability", Align::kRight},
               {"at medians", Align::kRight}});
  for (std::size_t k = 0; k < explanation.outputs.size(); ++k) {
    const std::size_t index = explanation.outputs.size() == 1 ? 1 : k;
    table.add({report.output_name(k), std::to_string(explanation.outputs[k]),
               fmt::format("{:.4f}", report.scores[k]),
               report.probabilities.empty() ? "-" : fmt::format("{:.4f}", report.probabilities[index]),
               fmt::format("{:.4f}", explanation.median_outputs[k] * report.bundle.model.output_scales[k])});
  }
  return table.text();
}

std::string side_text(RangeSide side) {
  if (side == RangeSide::kInside) return "";
  return side == RangeSide::kBelow ? "below its range" : "above its range";
}

std::string features_text(const EventReport& report) {
  std::vector<Table::Column> columns{{"feature", Align::kLeft},
                                     {"value", Align::kRight},
                                     {"code", Align::kRight},
                                     {"percentile", Align::kRight},
                                     {"median", Align::kRight}};
  for (std::size_t k = 0; k < report.explanation.outputs.size(); ++k)
    columns.push_back({"on " + report.output_name(k), Align::kRight});
  columns.push_back({"", Align::kLeft});
  Table table(columns);
  const auto order = report.features_by_effect();
  for (std::size_t i = 0; i < std::min(order.size(), kFeaturesShown); ++i) {
    const kan::FeatureExplanation& feature = report.explanation.features[order[i]];
    const kan::Feature& named = report.bundle.features[order[i]];
    std::vector<std::string> cells{
        named.name,
        fmt::format("{:.6g}{}{}", report.values[order[i]], named.unit.empty() ? "" : " ", named.unit),
        std::to_string(feature.code), fmt::format("{:.1f}", 100.0 * feature.share_below),
        std::to_string(feature.median)};
    for (std::size_t k = 0; k < report.explanation.outputs.size(); ++k)
      cells.push_back(fmt::format("{:+.3f}", report.effect(order[i], k)));
    cells.push_back(side_text(report.sides[order[i]]));
    table.add(std::move(cells));
  }
  std::string text = table.text();
  if (order.size() > kFeaturesShown)
    text += fmt::format("and {} more with less effect (--json shows all)\n", order.size() - kFeaturesShown);
  return text;
}

std::string input_name(const EventReport& report, std::size_t layer, std::uint32_t input) {
  return layer == 0 ? report.bundle.features[input].name : report.node_name(layer - 1, input);
}

std::string node_text(const EventReport& report, std::size_t layer, std::size_t k, bool all_edges) {
  const kan::NodeExplanation& node = report.explanation.layers[layer][k];
  std::vector<const kan::EdgeShare*> edges;
  for (const kan::EdgeShare& edge : node.edges) edges.push_back(&edge);
  std::stable_sort(edges.begin(), edges.end(), [](const kan::EdgeShare* a, const kan::EdgeShare* b) {
    return std::abs(a->contribution()) > std::abs(b->contribution());
  });
  const std::size_t shown = all_edges ? edges.size() : std::min(edges.size(), kEdgesShown);
  std::string text = fmt::format("  {:<8} {:>6} = {} ", report.node_name(layer, k), node.sum, node.baseline);
  std::int32_t rest = 0;
  for (std::size_t i = 0; i < edges.size(); ++i) {
    const std::int32_t contribution = edges[i]->contribution();
    if (i >= shown) {
      rest += contribution;
      continue;
    }
    text += fmt::format("{} {} {} ", contribution < 0 ? "-" : "+", std::abs(contribution),
                        input_name(report, layer, edges[i]->input));
  }
  if (shown < edges.size())
    text += fmt::format("{} {} from {} others ", rest < 0 ? "-" : "+", std::abs(rest), edges.size() - shown);
  if (node.saturation != kan::Saturation::kNone)
    text += fmt::format("(clamped to its {} end, {})",
                        node.saturation == kan::Saturation::kHigh ? "high" : "low", node.output);
  while (text.back() == ' ') text.pop_back();
  return text + "\n";
}

/// The nodes of an autoencoder that lie farthest from what they reconstruct.
std::string distances_text(const EventReport& report) {
  const kan::Explanation& explanation = report.explanation;
  std::vector<std::size_t> order(explanation.distances.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return explanation.distances[a].distance > explanation.distances[b].distance;
  });
  std::string text =
      fmt::format("\nDistances that make the score: their sum is {}, which the output stage shifts to {}\n",
                  explanation.distance_sum, explanation.outputs[0]);
  Table table({{"reconstructs", Align::kLeft},
               {"distance", Align::kRight},
               {"node", Align::kRight},
               {"should be", Align::kRight}});
  for (std::size_t i = 0; i < std::min(order.size(), kFeaturesShown); ++i) {
    const kan::DistanceShare& share = explanation.distances[order[i]];
    table.add({report.bundle.features[share.input].name, std::to_string(share.distance),
               std::to_string(explanation.layers.back()[order[i]].output), std::to_string(share.target)});
  }
  return text + table.text();
}

void append_part(std::string& text, const menu::ConditionPart& part, int depth) {
  const std::string indent(static_cast<std::size_t>(4 + 2 * depth), ' ');
  text += fmt::format("{}{} {}", indent, part.holds ? "yes" : "no ", part.text);
  if (!part.seen.empty()) text += fmt::format("   {}; integers: {}", part.seen, part.integer_form);
  text += '\n';
  for (const menu::ConditionPart& inner : part.parts) append_part(text, inner, depth + 1);
}

std::string outcome_of(const LineReport& line) {
  if (line.counts.before_prescale == 0) return "does not fire";
  if (line.prescale == 0) return "fires, but is off in this column";
  if (line.counts.after_prescale == 0)
    return fmt::format("fires, dropped by its prescale of {}", line.prescale);
  if (line.info.kind == menu::LineKind::kVeto) return "fires: takes the event from accept lines";
  return line.counts.after_veto == 0 ? "fires, vetoed" : "fires and keeps the event";
}

std::string menu_text(const MenuReport& menu) {
  std::string text = fmt::format("menu {}, column {}: {} (prescales as for event id {})\n", menu.name,
                                 menu.column, menu.accepted ? "accepted" : "rejected", menu.event_id);
  for (const LineReport& line : menu.lines) {
    text += fmt::format("  {} ({}): {}\n", line.info.name,
                        line.info.kind == menu::LineKind::kVeto ? "veto" : "accept", outcome_of(line));
    append_part(text, line.condition, 0);
  }
  return text;
}

}  // namespace

std::string report_text(const EventReport& report, bool all_edges) {
  const kan::Explanation& explanation = report.explanation;
  std::string text = fmt::format("bundle  {} ({})\nevent   {} of {}\nclass   {}\n\n",
                                 report.bundle.full_name(), report.bundle.digest.short_hex(), report.event,
                                 report.source, report.class_name(explanation.event_class));
  text += scores_text(report);
  text +=
      fmt::format("\nEffect of each feature: score less the score with this feature at its {} code\n",
                  explanation.has_reference ? "median training" : "middle (the bundle has no histograms)");
  text += features_text(report);
  text += fmt::format(
      "\nSums of the nodes, in integers: baseline + what each edge adds to it. The baseline is the bias and "
      "each edge's\n"
      "{} in the first layer; beyond, its entry for the event whose features all are at their medians.\n",
      explanation.has_reference ? "mean entry in training" : "mean entry over its codes");
  for (std::size_t l = 0; l < explanation.layers.size(); ++l) {
    text += fmt::format("layer {}\n", l);
    for (std::size_t k = 0; k < explanation.layers[l].size(); ++k) text += node_text(report, l, k, all_edges);
  }
  if (!explanation.distances.empty()) text += distances_text(report);
  if (!report.menu) return text;
  text += '\n';
  text += menu_text(*report.menu);
  return text;
}

}  // namespace kantrig::apps
