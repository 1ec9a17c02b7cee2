#include "kan/model_proto.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <cstring>

#include "kan/wire_scan.hpp"
#include "kantrig/v1/bundle.pb.h"

namespace kantrig::kan {
namespace {

static_assert(static_cast<int>(DistanceMeasure::kAbsolute) == v1::DISTANCE_MEASURE_ABSOLUTE);
static_assert(static_cast<int>(DistanceMeasure::kSquared) == v1::DISTANCE_MEASURE_SQUARED);

std::string serialise(const google::protobuf::MessageLite& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream sink(&bytes);
    google::protobuf::io::CodedOutputStream stream(&sink);
    stream.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&stream);
  }
  return bytes;
}

template <typename Message>
Result<Message> parse(std::string_view bytes, std::size_t bytes_max) {
  if (bytes.size() > bytes_max) {
    return fail(ErrorCode::kCorrupt, "has {} bytes, expected at most {}", bytes.size(), bytes_max);
  }
  if (auto ok = scan_wire(bytes, *Message::descriptor()); !ok) return tl::unexpected(ok.error());
  Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return fail(ErrorCode::kCorrupt, "{} is cut off or garbled", Message::descriptor()->name());
  }
  return message;
}

/// 16-bit values as they lie in memory: both ends are little endian (asserted in base/npy.cpp).
template <typename Value>
std::string bytes_of(std::span<const Value> values) {
  static_assert(sizeof(Value) == 2);
  return std::string(reinterpret_cast<const char*>(values.data()), values.size_bytes());
}

/// Precondition: an even number of bytes.
template <typename Value>
std::vector<Value> values_of(std::string_view bytes) {
  static_assert(sizeof(Value) == 2);
  std::vector<Value> values(bytes.size() / 2);
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

void encode_layer(const Layer& layer, v1::Layer& out) {
  for (const Node& node : layer.nodes) {
    v1::Node& stored = *out.add_nodes();
    stored.set_bias(node.bias);
    stored.set_shift(node.shift);
    stored.set_low(node.low);
    stored.set_high(node.high);
    out.add_edge_counts(node.edge_end - node.edge_begin);
  }
  for (const Edge& edge : layer.edges) {
    out.add_edge_inputs(edge.input);
    const auto table = std::span(layer.tables).subspan(edge.table_offset, layer.input_codes[edge.input]);
    out.mutable_tables()->append(bytes_of(table));
  }
}

Result<std::vector<std::uint32_t>> input_codes(const Model& model, std::size_t l) {
  std::vector<std::uint32_t> codes;
  if (l == 0) {
    for (const InputFeature& input : model.inputs) {
      if (input.bits < 1 || input.bits > kInputBitsMax) {
        return fail(ErrorCode::kCorrupt, "input {}: has {} bits, expected 1 to {}", codes.size(), input.bits,
                    kInputBitsMax);
      }
      codes.push_back(1U << input.bits);
    }
    return codes;
  }
  for (const Node& node : model.layers[l - 1].nodes) {
    const std::int64_t count = static_cast<std::int64_t>(node.high) - node.low + 1;
    if (count < 1 || count > kTableEntriesMax) {
      return fail(ErrorCode::kCorrupt, "layer {} node {}: has {} output codes, expected 1 to {}", l - 1,
                  codes.size(), count, kTableEntriesMax);
    }
    codes.push_back(static_cast<std::uint32_t>(count));
  }
  return codes;
}

Result<void> decode_edges(const v1::Layer& stored, std::size_t l, Layer& layer) {
  std::uint64_t entries = 0;
  for (const std::uint32_t input : stored.edge_inputs()) {
    if (input >= layer.input_codes.size()) {
      return fail(ErrorCode::kCorrupt, "layer {} edge {}: reads input {}, expected one below {}", l,
                  layer.edges.size(), input, layer.input_codes.size());
    }
    layer.edges.push_back({input, static_cast<std::uint32_t>(entries)});
    entries += layer.input_codes[input];
    if (entries * sizeof(std::int16_t) > stored.tables().size())
      break;  // the message below; offsets stay in range
  }
  if (entries * sizeof(std::int16_t) != stored.tables().size()) {
    return fail(ErrorCode::kCorrupt, "layer {}: tables have {} bytes, expected {} for {} edges", l,
                stored.tables().size(), entries * sizeof(std::int16_t), layer.edges.size());
  }
  layer.tables = values_of<std::int16_t>(stored.tables());
  return {};
}

Result<void> decode_layer(const v1::Layer& stored, std::size_t l, Layer& layer) {
  if (stored.edge_counts_size() != stored.nodes_size()) {
    return fail(ErrorCode::kCorrupt, "layer {}: has {} edge counts, expected one for each of {} nodes", l,
                stored.edge_counts_size(), stored.nodes_size());
  }
  const auto edge_count = static_cast<std::uint64_t>(stored.edge_inputs_size());
  std::uint64_t next_edge = 0;
  for (int k = 0; k < stored.nodes_size(); ++k) {
    const v1::Node& node = stored.nodes(k);
    const std::uint64_t end = next_edge + stored.edge_counts(k);
    if (end > edge_count) {
      return fail(ErrorCode::kCorrupt, "layer {} node {}: edges end at {}, expected at most {}", l, k, end,
                  edge_count);
    }
    layer.nodes.push_back({.bias = node.bias(),
                           .shift = node.shift(),
                           .low = node.low(),
                           .high = node.high(),
                           .edge_begin = static_cast<std::uint32_t>(next_edge),
                           .edge_end = static_cast<std::uint32_t>(end)});
    next_edge = end;
  }
  return decode_edges(stored, l, layer);
}

void encode_output_stage(const OutputStage& stage, v1::OutputStage& out) {
  out.set_distance(static_cast<v1::DistanceMeasure>(stage.measure));
  out.set_shift(stage.shift);
  out.set_class_above(stage.class_above);
  out.mutable_inputs()->Add(stage.inputs.begin(), stage.inputs.end());
  out.set_targets(bytes_of(std::span(stage.targets)));
}

/// What check() looks at, as it stands.
Result<OutputStage> decode_output_stage(const v1::OutputStage& stored) {
  if (stored.distance() != v1::DISTANCE_MEASURE_ABSOLUTE &&
      stored.distance() != v1::DISTANCE_MEASURE_SQUARED) {
    return fail(ErrorCode::kCorrupt,
                "output stage: distance is of measure {}, expected {} (absolute) or {} (squared)",
                static_cast<int>(stored.distance()), static_cast<int>(v1::DISTANCE_MEASURE_ABSOLUTE),
                static_cast<int>(v1::DISTANCE_MEASURE_SQUARED));
  }
  if (stored.targets().size() % 2 != 0) {
    return fail(ErrorCode::kCorrupt, "output stage: targets have {} bytes, expected two for each",
                stored.targets().size());
  }
  return OutputStage{.measure = static_cast<DistanceMeasure>(stored.distance()),
                     .shift = stored.shift(),
                     .class_above = stored.class_above(),
                     .inputs = {stored.inputs().begin(), stored.inputs().end()},
                     .targets = values_of<std::int16_t>(stored.targets())};
}

void encode_histograms(const std::vector<Histogram>& histograms,
                       google::protobuf::RepeatedPtrField<v1::Histogram>& out) {
  for (const Histogram& histogram : histograms) {
    v1::Histogram& stored = *out.Add();
    stored.set_name(histogram.name);
    stored.set_first(histogram.first);
    stored.set_width(histogram.width);
    stored.mutable_counts()->Add(histogram.counts.begin(), histogram.counts.end());
  }
}

Result<std::vector<Histogram>> decode_histograms(
    const google::protobuf::RepeatedPtrField<v1::Histogram>& stored) {
  std::vector<Histogram> histograms;
  for (const v1::Histogram& histogram : stored) {
    if (histogram.width() < 1 || static_cast<std::size_t>(histogram.counts_size()) > kHistogramBinsMax) {
      return fail(ErrorCode::kCorrupt,
                  "histogram '{}': has {} bins of width {}, expected at most {} of at least 1",
                  histogram.name(), histogram.counts_size(), histogram.width(), kHistogramBinsMax);
    }
    histograms.push_back({histogram.name(),
                          histogram.first(),
                          histogram.width(),
                          {histogram.counts().begin(), histogram.counts().end()}});
  }
  return histograms;
}

}  // namespace

std::string encode_model(const Model& model) {
  v1::Model out;
  for (const InputFeature& input : model.inputs) {
    v1::InputFeature& stored = *out.add_inputs();
    stored.set_bits(input.bits);
    stored.set_scale(input.scale);
    stored.set_offset(input.offset);
  }
  for (const Layer& layer : model.layers) encode_layer(layer, *out.add_layers());
  for (const double scale : model.output_scales) out.add_output_scales(scale);
  if (model.output_stage) encode_output_stage(*model.output_stage, *out.mutable_output_stage());
  return serialise(out);
}

Result<Model> decode_model(std::string_view bytes, bool codes_only) {
  const auto stored = parse<v1::Model>(bytes, kModelBytesMax);
  if (!stored) return tl::unexpected(stored.error());
  Model model;
  model.codes_only = codes_only;
  for (const v1::InputFeature& input : stored->inputs()) {
    model.inputs.push_back({input.bits(), input.scale(), input.offset()});
  }
  for (const v1::Layer& layer : stored->layers()) {
    auto codes = input_codes(model, model.layers.size());
    if (!codes) return tl::unexpected(codes.error());
    const std::size_t l = model.layers.size();
    model.layers.emplace_back();
    model.layers.back().input_codes = std::move(*codes);
    if (auto ok = decode_layer(layer, l, model.layers.back()); !ok) return tl::unexpected(ok.error());
  }
  model.output_scales.assign(stored->output_scales().begin(), stored->output_scales().end());
  if (stored->has_output_stage()) {
    auto stage = decode_output_stage(stored->output_stage());
    if (!stage) return tl::unexpected(stage.error());
    model.output_stage = std::move(*stage);
  }
  if (auto ok = check(model); !ok) return tl::unexpected(ok.error());
  return model;
}

std::string encode_golden(const GoldenVectors& golden, const Model& model) {
  v1::GoldenVectors out;
  out.set_vector_count(golden.count);
  out.set_input_count(model.input_count());
  out.set_output_count(model.output_count());
  out.set_inputs(bytes_of(std::span(golden.inputs)));
  out.set_outputs(bytes_of(std::span(golden.outputs)));
  return serialise(out);
}

Result<void> check_golden(const GoldenVectors& golden, const Model& model) {
  if (golden.count < 1 || golden.count > kGoldenVectorsMax) {
    return fail(ErrorCode::kCorrupt, "has {} vectors, expected 1 to {}", golden.count, kGoldenVectorsMax);
  }
  const std::size_t inputs = model.input_count();
  const std::size_t outputs = model.output_count();
  if (golden.inputs.size() != golden.count * inputs || golden.outputs.size() != golden.count * outputs) {
    return fail(ErrorCode::kCorrupt, "has {} codes and {} outputs, expected {} and {} for {} vectors",
                golden.inputs.size(), golden.outputs.size(), golden.count * inputs, golden.count * outputs,
                golden.count);
  }
  for (std::size_t i = 0; i < golden.inputs.size(); ++i) {
    const std::uint32_t codes = 1U << model.inputs[i % inputs].bits;
    if (golden.inputs[i] >= codes) {
      return fail(ErrorCode::kCorrupt, "vector {} input {}: code is {}, expected one below {}", i / inputs,
                  i % inputs, golden.inputs[i], codes);
    }
  }
  return {};
}

Result<GoldenVectors> decode_golden(std::string_view bytes, const Model& model) {
  const auto stored = parse<v1::GoldenVectors>(bytes, kGoldenBytesMax);
  if (!stored) return tl::unexpected(stored.error());
  if (stored->input_count() != model.input_count() || stored->output_count() != model.output_count()) {
    return fail(ErrorCode::kCorrupt, "is for {} inputs and {} outputs, expected {} and {}",
                stored->input_count(), stored->output_count(), model.input_count(), model.output_count());
  }
  if (stored->inputs().size() % 2 != 0 || stored->outputs().size() % 2 != 0) {
    return fail(ErrorCode::kCorrupt, "has an odd number of bytes, expected two for each value");
  }
  GoldenVectors golden{stored->vector_count(), values_of<std::uint16_t>(stored->inputs()),
                       values_of<std::int16_t>(stored->outputs())};
  if (auto ok = check_golden(golden, model); !ok) return tl::unexpected(ok.error());
  return golden;
}

std::string encode_reference(const Reference& reference) {
  v1::Reference out;
  encode_histograms(reference.features, *out.mutable_features());
  encode_histograms(reference.scores, *out.mutable_scores());
  return serialise(out);
}

Result<Reference> decode_reference(std::string_view bytes) {
  const auto stored = parse<v1::Reference>(bytes, kReferenceBytesMax);
  if (!stored) return tl::unexpected(stored.error());
  auto features = decode_histograms(stored->features());
  if (!features) return tl::unexpected(features.error());
  auto scores = decode_histograms(stored->scores());
  if (!scores) return tl::unexpected(scores.error());
  return Reference{std::move(*features), std::move(*scores)};
}

}  // namespace kantrig::kan
