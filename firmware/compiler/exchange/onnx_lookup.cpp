#include <algorithm>

#include "compiler/exchange/onnx_export.hpp"
#include "compiler/exchange/onnx_graph.hpp"

namespace kantrig::exchange {
namespace {

/// Added before a division that stands for an arithmetic shift, so that ONNX, which rounds quotients towards
/// 0, rounds them down: a multiple of every 2^shift (at most 2^30), above the magnitude of every sum (int32).
constexpr std::int64_t kLift = std::int64_t{1} << 32U;

std::int64_t extent(std::size_t count) {
  return static_cast<std::int64_t>(count);
}

/// Feature i to its code: float32 product, float32 sum, rounded half to even, clamped.
std::string add_input_stage(OnnxGraph& graph, const kan::Model& model, const std::string& x) {
  std::vector<double> scales;
  std::vector<double> offsets;
  OnnxBounds bounds;
  for (const kan::InputFeature& input : model.inputs) {
    scales.push_back(input.scale);
    offsets.push_back(input.offset);
    bounds.low.push_back(0.0);
    bounds.high.push_back((1U << input.bits) - 1);
  }
  const OnnxDims width{extent(scales.size())};
  const std::string product = graph.apply("Mul", {x, graph.floats(width, scales)});
  const std::string sum = graph.apply("Add", {product, graph.floats(width, offsets)});
  return graph.cast(clip_floats(graph, graph.apply("Round", {sum}), bounds), OnnxType::kInt64);
}

/// The edges of a layer as a rectangle [node][slot]: nodes with fewer edges than the widest look up zeros
/// behind the last table.
struct EdgeRectangle {
  std::int64_t slots = 1;
  std::vector<std::int64_t> inputs;
  std::vector<std::int64_t> offsets;
  std::vector<std::int64_t> tables;
};

EdgeRectangle rectangle_of(const kan::Layer& layer) {
  EdgeRectangle edges;
  for (const kan::Node& node : layer.nodes)
    edges.slots = std::max<std::int64_t>(edges.slots, node.edge_end - node.edge_begin);
  edges.tables.assign(layer.tables.begin(), layer.tables.end());
  const std::int64_t zeros = extent(edges.tables.size());
  edges.tables.resize(edges.tables.size() + layer.input_codes.front(), 0);
  for (const kan::Node& node : layer.nodes) {
    for (std::int64_t slot = 0; slot < edges.slots; ++slot) {
      const bool there = node.edge_begin + slot < node.edge_end;
      const auto edge = static_cast<std::size_t>(node.edge_begin + slot);
      edges.inputs.push_back(there ? layer.edges[edge].input : 0);
      edges.offsets.push_back(there ? layer.edges[edge].table_offset : zeros);
    }
  }
  return edges;
}

/// Sums [events, nodes] of the layer's tables at the codes of its inputs.
std::string add_sums(OnnxGraph& graph, const kan::Layer& layer, const std::string& codes) {
  const EdgeRectangle edges = rectangle_of(layer);
  const OnnxDims shape{extent(layer.nodes.size()), edges.slots};
  const std::string of_edges =
      graph.apply("Gather", {codes, graph.integers(shape, edges.inputs)}, {{"axis", 1}});
  const std::string places = graph.apply("Add", {of_edges, graph.integers(shape, edges.offsets)});
  const std::string tables = graph.integers({extent(edges.tables.size())}, edges.tables);
  const std::string entries = graph.apply("Gather", {tables, places}, {{"axis", 0}});
  const std::int64_t axis = 2;
  return graph.apply("ReduceSum", {entries, graph.integers({1}, {&axis, 1})}, {{"keepdims", 0}});
}

/// A layer's integer outputs: bias, rounding shift, clamp.
std::string add_layer(OnnxGraph& graph, const kan::Layer& layer, const std::string& codes) {
  const OnnxDims width{extent(layer.nodes.size())};
  std::vector<std::int64_t> added;
  std::vector<std::int64_t> divisors;
  std::vector<std::int64_t> lifts;
  OnnxBounds bounds;
  const bool shifts = std::any_of(layer.nodes.begin(), layer.nodes.end(),
                                  [](const kan::Node& node) { return node.shift > 0; });
  for (const kan::Node& node : layer.nodes) {
    const std::int64_t divisor = std::int64_t{1} << node.shift;
    added.push_back(node.bias + divisor / 2 + (shifts ? kLift : 0));
    divisors.push_back(divisor);
    lifts.push_back(kLift / divisor);
    bounds.low.push_back(node.low);
    bounds.high.push_back(node.high);
  }
  std::string values = graph.apply("Add", {add_sums(graph, layer, codes), graph.integers(width, added)});
  if (shifts) {
    values = graph.apply("Div", {values, graph.integers(width, divisors)});
    values = graph.apply("Sub", {values, graph.integers(width, lifts)});
  }
  return clip_integers(graph, values, bounds);
}

/// The next layer's codes: outputs counted from the lowest.
std::string add_codes(OnnxGraph& graph, const kan::Layer& layer, const std::string& values) {
  std::vector<std::int64_t> lows;
  for (const kan::Node& node : layer.nodes) lows.push_back(node.low);
  return graph.apply("Sub", {values, graph.integers({extent(lows.size())}, lows)});
}

/// The score of an output stage, [events, 1]: distances of the nodes from what they should give at the codes.
std::string add_score(OnnxGraph& graph, const kan::Model& model, const std::string& codes,
                      const std::string& nodes) {
  const kan::OutputStage& stage = *model.output_stage;
  const std::vector<std::int64_t> inputs(stage.inputs.begin(), stage.inputs.end());
  std::vector<std::int64_t> offsets;
  std::int64_t offset = 0;
  for (const std::uint32_t input : stage.inputs) {
    offsets.push_back(offset);
    offset += std::int64_t{1} << model.inputs[input].bits;
  }
  const OnnxDims width{extent(inputs.size())};
  const std::string of_nodes = graph.apply("Gather", {codes, graph.integers(width, inputs)}, {{"axis", 1}});
  const std::string places = graph.apply("Add", {of_nodes, graph.integers(width, offsets)});
  const std::string targets =
      graph.integers({offset}, std::vector<std::int64_t>(stage.targets.begin(), stage.targets.end()));
  const std::string wanted = graph.apply("Gather", {targets, places}, {{"axis", 0}});
  const std::string off = graph.apply("Sub", {nodes, wanted});
  const std::string distances = stage.measure == kan::DistanceMeasure::kSquared
                                    ? graph.apply("Mul", {off, off})
                                    : graph.apply("Abs", {off});
  const std::int64_t axis = 1;
  std::string score =
      graph.apply("ReduceSum", {distances, graph.integers({1}, {&axis, 1})}, {{"keepdims", 1}});
  const std::int64_t divisor = std::int64_t{1} << stage.shift;  // no sum is negative: a quotient rounds down
  if (stage.shift > 0) {
    score = graph.apply("Add", {score, graph.integer(divisor / 2)});
    score = graph.apply("Div", {score, graph.integer(divisor)});
  }
  return clip_integers(graph, score, {.low = {0.0}, .high = {kan::kScoreMax}});
}

/// The largest output, the first on a tie; of a single one whether it is above what the model says. Runtimes
/// have ArgMax for int32, not for int64.
std::string add_class(OnnxGraph& graph, const kan::Model& model, const std::string& outputs) {
  if (model.output_count() > 1)
    return graph.apply("ArgMax", {outputs}, {{"axis", 1}, {"keepdims", 0}, {"select_last_index", 0}});
  const std::string wide = graph.cast(outputs, OnnxType::kInt64);
  const std::string above =
      graph.cast(graph.apply("Greater", {wide, graph.integer(model.class_above())}), OnnxType::kInt64);
  const std::int64_t axis = 1;
  return graph.apply("Squeeze", {above, graph.integers({1}, {&axis, 1})});
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    if (!text.empty()) text.push_back(',');
    text.append(name);
  }
  return text;
}

void describe(OnnxGraph& graph, const kan::Bundle& bundle) {
  graph.describe(fmt::format(
      "Bundle {} as lookups in integers. Equal bit for bit to kantrig's arithmetic where float32 products "
      "and "
      "sums are rounded one by one (no fused multiply-add); an event with NaN, which kantrig refuses, has no "
      "defined result here.",
      bundle.full_name()));
  graph.note("kantrig.bundle", bundle.full_name());
  graph.note("kantrig.digest", bundle.digest.hex());
  std::vector<std::string> features;
  for (const kan::Feature& feature : bundle.features) features.push_back(feature.name);
  graph.note("kantrig.features", listed(features));
  graph.note("kantrig.classes", listed(bundle.classes));
}

}  // namespace

Result<std::string> lookup_onnx(const kan::Bundle& bundle, OnnxEntry entry) {
  const kan::Model& model = bundle.model;
  if (auto ok = kan::check(model); !ok) return tl::unexpected(ok.error());
  OnnxGraph graph(bundle.full_name());
  describe(graph, bundle);
  const OnnxDims inputs{extent(model.inputs.size())};
  const OnnxDims outputs{extent(model.output_count())};
  const bool from_codes = entry == OnnxEntry::kCodes || model.codes_only;
  std::string codes = from_codes ? graph.input("codes", OnnxType::kInt64, inputs)
                                 : add_input_stage(graph, model, graph.input("x", OnnxType::kFloat, inputs));
  if (!from_codes) codes = graph.output("codes", OnnxType::kInt64, inputs, codes);
  const std::string entering = codes;
  std::string values;
  for (const kan::Layer& layer : model.layers) {
    values = add_layer(graph, layer, codes);
    if (&layer != &model.layers.back()) codes = add_codes(graph, layer, values);
  }
  if (model.output_stage) values = add_score(graph, model, entering, values);
  values = graph.output("outputs", OnnxType::kInt32, outputs, graph.cast(values, OnnxType::kInt32));
  const std::string scales = graph.floats(outputs, model.output_scales);
  graph.output("scores", OnnxType::kFloat, outputs,
               graph.apply("Mul", {graph.cast(values, OnnxType::kFloat), scales}));
  graph.output("class", OnnxType::kInt64, {}, add_class(graph, model, values));
  return graph.serialise();
}

}  // namespace kantrig::exchange
