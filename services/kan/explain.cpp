#include "kan/explain.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/assert.hpp"
#include "kan/reference.hpp"
#include "kan/trace.hpp"

namespace kantrig::kan {
namespace {

bool has_histogram(const Bundle& bundle, std::size_t feature) {
  return bundle.reference.features.size() == bundle.features.size() &&
         !bundle.reference.features[feature].counts.empty();
}

std::uint16_t median_of(const std::vector<double>& counts, double total) {
  double below = 0.0;
  for (std::size_t code = 0; code < counts.size(); ++code) {
    below += counts[code];
    if (2.0 * below >= total) return static_cast<std::uint16_t>(code);
  }
  return static_cast<std::uint16_t>(counts.size() - 1);
}

double total_of(const std::vector<double>& counts) {
  double total = 0.0;
  for (const double count : counts) total += count;
  return total;
}

FeatureExplanation place_feature(const std::vector<double>& counts, std::uint16_t code) {
  const double total = total_of(counts);
  FeatureExplanation feature{.code = code, .median = median_of(counts, total)};
  double below = 0.5 * counts[code];
  for (std::size_t i = 0; i < code; ++i) below += counts[i];
  feature.share_below = below / total;
  return feature;
}

/// The mean entry of a table over the counts, as the nearest integer, so that sums stay exact.
std::int32_t mean_entry(const std::int16_t* table, const std::vector<double>& counts) {
  double sum = 0.0;
  for (std::size_t code = 0; code < counts.size(); ++code) sum += counts[code] * table[code];
  return static_cast<std::int32_t>(std::nearbyint(sum / total_of(counts)));
}

Saturation saturation_of(const Node& node, std::int32_t sum) {
  const std::int32_t half = node.shift == 0 ? 0 : std::int32_t{1} << (node.shift - 1);
  const std::int32_t shifted = (sum + half) >> node.shift;
  if (shifted < node.low) return Saturation::kLow;
  return shifted > node.high ? Saturation::kHigh : Saturation::kNone;
}

/// `reference_of(edge)` is what the entry of an edge is compared with.
template <typename ReferenceOf>
std::vector<NodeExplanation> explain_layer(const Layer& layer, const LayerTrace& trace,
                                           const ReferenceOf& reference_of) {
  std::vector<NodeExplanation> nodes;
  for (std::size_t k = 0; k < layer.nodes.size(); ++k) {
    const Node& node = layer.nodes[k];
    NodeExplanation& one = nodes.emplace_back();
    one.bias = one.baseline = node.bias;
    one.sum = trace.sums[k];
    one.output = trace.outputs[k];
    one.saturation = saturation_of(node, one.sum);
    for (std::uint32_t e = node.edge_begin; e < node.edge_end; ++e) {
      const Edge& edge = layer.edges[e];
      const std::uint32_t code = trace.codes[edge.input];
      one.edges.push_back({.input = edge.input,
                           .code = code,
                           .entry = layer.tables[edge.table_offset + code],
                           .reference = reference_of(edge)});
      one.baseline += one.edges.back().reference;
    }
  }
  return nodes;
}

void explain_distance(const Model& model, std::span<const std::uint16_t> codes,
                      std::span<const std::int16_t> nodes, Explanation& explanation) {
  const OutputStage& stage = *model.output_stage;
  const std::int16_t* targets = stage.targets.data();
  for (std::size_t k = 0; k < nodes.size(); ++k) {
    DistanceShare& share = explanation.distances.emplace_back();
    share.input = stage.inputs[k];
    share.target = targets[codes[share.input]];
    const std::int32_t difference = nodes[k] - share.target;
    share.distance =
        stage.measure == DistanceMeasure::kSquared ? difference * difference : std::abs(difference);
    explanation.distance_sum += share.distance;
    targets += std::size_t{1} << model.inputs[share.input].bits;
  }
}

}  // namespace

std::vector<double> reference_counts(const Bundle& bundle, std::size_t feature) {
  const std::size_t codes = std::size_t{1} << bundle.model.inputs[feature].bits;
  std::vector<double> counts(codes, 0.0);
  if (has_histogram(bundle, feature)) {
    const Histogram& histogram = bundle.reference.features[feature];
    for (std::size_t bin = 0; bin < histogram.counts.size(); ++bin) {
      const double each = static_cast<double>(histogram.counts[bin]) / histogram.width;
      const std::int64_t first = histogram.first + static_cast<std::int64_t>(bin) * histogram.width;
      for (std::int64_t code = first; code < first + histogram.width; ++code) {
        if (code >= 0 && code < static_cast<std::int64_t>(codes))
          counts[static_cast<std::size_t>(code)] += each;
      }
    }
  }
  if (!(total_of(counts) > 0.0)) std::fill(counts.begin(), counts.end(), 1.0);
  return counts;
}

Explanation explain(const Bundle& bundle, std::span<const std::uint16_t> codes) {
  const Model& model = bundle.model;
  KANTRIG_ASSERT(codes.size() == model.input_count());
  Explanation explanation;
  explanation.has_reference = true;
  std::vector<std::vector<double>> counts;
  std::vector<std::uint16_t> medians;
  for (std::size_t j = 0; j < codes.size(); ++j) {
    explanation.has_reference = explanation.has_reference && has_histogram(bundle, j);
    counts.push_back(reference_counts(bundle, j));
    explanation.features.push_back(place_feature(counts.back(), codes[j]));
    medians.push_back(explanation.features.back().median);
  }
  const auto here = trace(model, codes);
  if (model.output_stage) explain_distance(model, codes, here.back().outputs, explanation);
  const auto at_median = trace(model, medians);
  for (std::size_t l = 0; l < model.layers.size(); ++l) {
    const Layer& layer = model.layers[l];
    explanation.layers.push_back(explain_layer(layer, here[l], [&](const Edge& edge) -> std::int32_t {
      const std::int16_t* const table = layer.tables.data() + edge.table_offset;
      return l == 0 ? mean_entry(table, counts[edge.input]) : table[at_median[l].codes[edge.input]];
    }));
  }
  explanation.outputs = reference_outputs(model, codes);
  explanation.median_outputs = reference_outputs(model, medians);
  explanation.event_class = reference_class(model, explanation.outputs);
  std::vector<std::uint16_t> without(codes.begin(), codes.end());
  for (std::size_t j = 0; j < codes.size(); ++j) {
    without[j] = medians[j];
    const auto outputs = reference_outputs(model, without);
    for (std::size_t k = 0; k < outputs.size(); ++k)
      explanation.features[j].effects.push_back(explanation.outputs[k] - outputs[k]);
    without[j] = codes[j];
  }
  return explanation;
}

}  // namespace kantrig::kan
