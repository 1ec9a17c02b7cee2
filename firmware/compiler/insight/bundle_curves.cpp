#include <algorithm>

#include "compiler/insight/curves.hpp"
#include "compiler/insight/measure.hpp"
#include "kan/reference.hpp"
#include "kan/trace.hpp"

namespace kantrig::insight {
namespace {

constexpr std::size_t kLookUpsMax = 50'000'000;

using Counts = std::vector<std::vector<std::vector<double>>>;  // [layer][source][code]

std::size_t edge_count(const kan::Model& model) {
  std::size_t edges = 0;
  for (const kan::Layer& layer : model.layers) edges += layer.edges.size();
  return edges;
}

Counts no_counts(const kan::Model& model) {
  Counts counts;
  for (const kan::Layer& layer : model.layers) {
    auto& one = counts.emplace_back();
    for (const std::uint32_t codes : layer.input_codes) one.emplace_back(codes, 0.0);
  }
  return counts;
}

void count_event(const kan::Model& model, std::span<const std::uint16_t> codes, Counts& counts) {
  const auto layers = kan::trace(model, codes);
  for (std::size_t l = 0; l < layers.size(); ++l) {
    for (std::size_t j = 0; j < layers[l].codes.size(); ++j) counts[l][j][layers[l].codes[j]] += 1.0;
  }
}

/// False for an event that has no codes: NaN, or a code out of range where the bundle takes codes.
bool codes_of(const kan::Model& model, std::span<const float> event, std::vector<std::uint16_t>& codes) {
  codes.clear();
  for (std::size_t j = 0; j < event.size(); ++j) {
    if (model.codes_only) {
      const bool good = event[j] >= 0.0F && event[j] < static_cast<float>(1U << model.inputs[j].bits);
      if (!good) return false;
      codes.push_back(static_cast<std::uint16_t>(event[j]));
      continue;
    }
    const auto code = kan::reference_code(model.inputs[j], event[j]);
    if (!code) return false;
    codes.push_back(*code);
  }
  return true;
}

Result<Counts> counts_of_events(const kan::Model& model, const base::FeatureTable& events,
                                std::string& words) {
  Counts counts = no_counts(model);
  const std::size_t rows = events_looked_at(events.rows, edge_count(model), kLookUpsMax);
  std::size_t counted = 0;
  std::vector<std::uint16_t> codes;
  for (std::size_t i = 0; i < rows; ++i) {
    if (!codes_of(model, events.row(i), codes)) continue;
    count_event(model, codes, counts);
    ++counted;
  }
  if (counted == 0) return fail(ErrorCode::kInvalid, "none of {} events has valid codes", rows);
  words = fmt::format("{} events given", counted);
  return counts;
}

/// A reference histogram spread over the codes, evenly inside its bins; empty where it fits no code.
std::vector<double> spread(const kan::Histogram& histogram, std::size_t codes) {
  std::vector<double> counts(codes, 0.0);
  for (std::size_t bin = 0; bin < histogram.counts.size(); ++bin) {
    const double each = static_cast<double>(histogram.counts[bin]) / histogram.width;
    const std::int64_t first = histogram.first + static_cast<std::int64_t>(bin * histogram.width);
    for (std::int64_t code = first; code < first + histogram.width; ++code) {
      if (code >= 0 && code < static_cast<std::int64_t>(codes))
        counts[static_cast<std::size_t>(code)] += each;
    }
  }
  return counts;
}

Counts counts_without_events(const kan::Bundle& bundle, std::string& words) {
  const kan::Model& model = bundle.model;
  const auto& histograms = bundle.reference.features;
  const bool known = histograms.size() == model.inputs.size();
  std::vector<std::vector<double>> features;
  std::vector<std::vector<double>> shares;
  for (std::size_t j = 0; j < model.inputs.size(); ++j) {
    const std::size_t codes = model.layers[0].input_codes[j];
    features.push_back(known ? spread(histograms[j], codes) : std::vector<double>(codes, 1.0));
    shares.push_back(shares_of(features.back()));
  }
  learned::Random random(kDrawSeed);
  Counts counts = no_counts(model);
  const std::size_t events = events_looked_at(kDrawnEvents, edge_count(model), kLookUpsMax);
  std::vector<std::uint16_t> codes(model.inputs.size());
  for (std::size_t i = 0; i < events; ++i) {
    for (std::size_t j = 0; j < codes.size(); ++j)
      codes[j] = static_cast<std::uint16_t>(draw_index(shares[j], random));
    count_event(model, codes, counts);
  }
  counts[0] = std::move(features);
  words = known ? "the bundle's reference histograms" : "uniform codes";
  if (model.layers.size() > 1)
    words += fmt::format(" (hidden nodes: {} events drawn feature by feature)", events);
  return counts;
}

CurveLayer curve_layer(const kan::Model& model, std::size_t index) {
  const kan::Layer& source = model.layers[index];
  CurveLayer layer;
  layer.nodes = static_cast<std::uint32_t>(source.nodes.size());
  for (std::uint32_t k = 0; k < layer.nodes; ++k) {
    const kan::Node& node = source.nodes[k];
    const bool last = index + 1 == model.layers.size() && !model.output_stage;  // else codes
    const double unit = (last ? model.output_scales[k] : 1.0) / static_cast<double>(1U << node.shift);
    for (std::uint32_t e = node.edge_begin; e < node.edge_end; ++e) {
      const kan::Edge& edge = source.edges[e];
      Curve& curve = layer.curves.emplace_back();
      curve.input = edge.input;
      curve.node = k;
      for (std::uint32_t c = 0; c < source.input_codes[edge.input]; ++c)
        curve.values.push_back(unit * source.tables[edge.table_offset + c]);
    }
  }
  return layer;
}

Source feature_source(const kan::Bundle& bundle, std::size_t j) {
  Source source{.name = bundle.features[j].name};
  const kan::InputFeature& input = bundle.model.inputs[j];
  const bool real = !bundle.model.codes_only && input.scale > 0.0F;
  for (std::uint32_t c = 0; c < bundle.model.layers[0].input_codes[j]; ++c) {
    const double code = c;
    source.points.push_back(
        real ? (code - static_cast<double>(input.offset)) / static_cast<double>(input.scale) : code);
  }
  return source;
}

}  // namespace

Result<CurveModel> curves_of(const kan::Bundle& bundle, const base::FeatureTable* events) {
  CurveModel model{.name = bundle.full_name()};
  Counts counts;
  if (events != nullptr) {
    auto given = counts_of_events(bundle.model, *events, model.events);
    if (!given) return tl::unexpected(given.error());
    counts = std::move(*given);
  } else {
    counts = counts_without_events(bundle, model.events);
  }
  for (std::size_t l = 0; l < bundle.model.layers.size(); ++l) {
    CurveLayer layer = curve_layer(bundle.model, l);
    for (std::size_t j = 0; j < counts[l].size(); ++j) {
      Source source = l == 0 ? feature_source(bundle, j) : Source{};
      for (std::uint32_t c = 0; l > 0 && c < counts[l][j].size(); ++c)
        source.points.push_back(bundle.model.layers[l - 1].nodes[j].low + static_cast<double>(c));
      source.shares = shares_of(counts[l][j]);
      layer.sources.push_back(std::move(source));
    }
    model.layers.push_back(std::move(layer));
  }
  model.outputs = output_names(bundle.classes, bundle.model.layers.back().nodes.size());
  if (bundle.model.output_stage) {
    for (std::size_t k = 0; k < model.outputs.size(); ++k)
      model.outputs[k] = bundle.features[bundle.model.output_stage->inputs[k]].name;
  }
  weigh(model);
  return model;
}

}  // namespace kantrig::insight
