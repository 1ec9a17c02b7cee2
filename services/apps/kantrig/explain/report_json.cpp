#include <nlohmann/json.hpp>

#include "apps/kantrig/explain/report_output.hpp"

namespace kantrig::apps {
namespace {

using Json = nlohmann::ordered_json;

Json outputs_json(const EventReport& report) {
  const kan::Explanation& explanation = report.explanation;
  Json outputs = Json::array();
  for (std::size_t k = 0; k < explanation.outputs.size(); ++k) {
    outputs.push_back({{"name", report.output_name(k)},
                       {"integer", explanation.outputs[k]},
                       {"score", report.scores[k]},
                       {"integer_at_medians", explanation.median_outputs[k]}});
    const std::size_t index = explanation.outputs.size() == 1 ? 1 : k;
    if (!report.probabilities.empty()) outputs.back()["probability"] = report.probabilities[index];
  }
  return outputs;
}

Json features_json(const EventReport& report) {
  Json features = Json::array();
  for (std::size_t j = 0; j < report.explanation.features.size(); ++j) {
    const kan::FeatureExplanation& feature = report.explanation.features[j];
    constexpr const char* kSides[] = {"inside", "below", "above"};
    Json effects = Json::object();
    for (std::size_t k = 0; k < feature.effects.size(); ++k)
      effects[report.output_name(k)] = {{"integer", feature.effects[k]}, {"score", report.effect(j, k)}};
    features.push_back({{"name", report.bundle.features[j].name},
                        {"unit", report.bundle.features[j].unit},
                        {"value", report.values[j]},
                        {"code", feature.code},
                        {"median_code", feature.median},
                        {"share_below", feature.share_below},
                        {"range", kSides[static_cast<std::size_t>(report.sides[j])]},
                        {"effects", std::move(effects)}});
  }
  return features;
}

Json layers_json(const kan::Explanation& explanation) {
  constexpr const char* kSaturations[] = {"none", "low", "high"};
  Json layers = Json::array();
  for (const auto& layer : explanation.layers) {
    Json nodes = Json::array();
    for (const kan::NodeExplanation& node : layer) {
      Json edges = Json::array();
      for (const kan::EdgeShare& edge : node.edges) {
        edges.push_back({{"input", edge.input},
                         {"code", edge.code},
                         {"entry", edge.entry},
                         {"reference", edge.reference},
                         {"contribution", edge.contribution()}});
      }
      nodes.push_back({{"bias", node.bias},
                       {"baseline", node.baseline},
                       {"sum", node.sum},
                       {"output", node.output},
                       {"saturated", kSaturations[static_cast<std::size_t>(node.saturation)]},
                       {"edges", std::move(edges)}});
    }
    layers.push_back(std::move(nodes));
  }
  return layers;
}

Json part_json(const menu::ConditionPart& part) {
  Json out{{"text", part.text}, {"holds", part.holds}};
  if (part.parts.empty()) {
    out["integer_form"] = part.integer_form;
    out["seen"] = part.seen;
    return out;
  }
  out["parts"] = Json::array();
  for (const menu::ConditionPart& inner : part.parts) out["parts"].push_back(part_json(inner));
  return out;
}

Json menu_json(const MenuReport& menu) {
  Json lines = Json::array();
  for (const LineReport& line : menu.lines) {
    lines.push_back({{"name", line.info.name},
                     {"kind", line.info.kind == menu::LineKind::kVeto ? "veto" : "accept"},
                     {"when", line.info.condition},
                     {"fires", line.counts.before_prescale == 1},
                     {"prescale", line.prescale},
                     {"after_prescale", line.counts.after_prescale == 1},
                     {"after_veto", line.counts.after_veto == 1},
                     {"condition", part_json(line.condition)}});
  }
  return {{"name", menu.name},
          {"column", menu.column},
          {"event_id", menu.event_id},
          {"accepted", menu.accepted},
          {"lines", std::move(lines)}};
}

}  // namespace

std::string report_json(const EventReport& report) {
  const kan::Explanation& explanation = report.explanation;
  Json out{{"bundle", report.bundle.full_name()},
           {"digest", report.bundle.digest.hex()},
           {"source", report.source},
           {"event", report.event},
           {"class", report.class_name(explanation.event_class)},
           {"reference", explanation.has_reference ? "training histograms" : "uniform codes"},
           {"outputs", outputs_json(report)},
           {"features", features_json(report)},
           {"layers", layers_json(explanation)}};
  if (!explanation.distances.empty()) {
    Json shares = Json::array();
    for (const kan::DistanceShare& share : explanation.distances)
      shares.push_back({{"input", share.input}, {"target", share.target}, {"distance", share.distance}});
    out["distance"] = {{"sum", explanation.distance_sum}, {"nodes", std::move(shares)}};
  }
  if (report.menu) out["menu"] = menu_json(*report.menu);
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace kantrig::apps
