#include "compiler/learned/checkpoint.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>

#include "base/file.hpp"
#include "kan/wire_scan.hpp"
#include "kantrig/v1/checkpoint.pb.h"

namespace kantrig::learned {
namespace {

constexpr std::uint32_t kFormatVersion = 1;

void store_layer(const Layer& layer, v1::CheckpointLayer& out) {
  out.set_kind(static_cast<v1::CheckpointLayer_EdgeKind>(static_cast<int>(layer.kind) + 1));
  out.set_input_count(layer.inputs);
  out.set_node_count(layer.nodes);
  if (layer.kind == EdgeKind::kSpline) {
    out.set_grid_size(layer.grid.size);
    out.set_grid_low(layer.grid.low);
    out.set_grid_high(layer.grid.high);
    out.set_spline_order(layer.grid.order);
    out.set_base(static_cast<v1::CheckpointLayer_BaseFunction>(static_cast<int>(layer.base) + 1));
  }
  for (const std::vector<double>& knots : layer.knots) {
    v1::CheckpointKnots& stored = *out.add_knots();
    for (const double knot : knots) stored.add_values(knot);
  }
  for (const double value : layer.coefficients) out.add_coefficients(value);
  for (const double value : layer.weights) out.add_weights(value);
  for (const double value : layer.biases) out.add_biases(value);
  for (const std::uint8_t active : layer.active) out.add_active(active != 0);
  for (const auto& [edge, formula] : layer.formulas) {
    v1::CheckpointFormula& stored = *out.add_formulas();
    stored.set_input(edge / layer.nodes);
    stored.set_node(edge % layer.nodes);
    stored.set_function(std::string(name_of(formula.function)));
    stored.set_inner_scale(formula.inner_scale);
    stored.set_inner_offset(formula.inner_offset);
    stored.set_outer_scale(formula.outer_scale);
    stored.set_outer_offset(formula.outer_offset);
  }
  for (const NodeQuantizer& quantizer : layer.quantizers) {
    v1::CheckpointQuantizer& stored = *out.add_quantizers();
    stored.set_bits(quantizer.bits);
    stored.set_threshold(quantizer.threshold);
  }
  for (const std::uint8_t dropped : layer.dropped_bits) out.add_dropped_bits(dropped);
  out.set_guard_bits(layer.guard_bits);
  out.set_basis_bits(layer.basis_bits);
  out.set_coefficient_bits(layer.coefficient_bits);
  out.set_entries_clamped(layer.entry_range == EntryRange::kOutput);
}

Result<EdgeKind> kind_of(const v1::CheckpointLayer& stored) {
  switch (stored.kind()) {
    case v1::CheckpointLayer::EDGE_KIND_SPLINE:
      return EdgeKind::kSpline;
    case v1::CheckpointLayer::EDGE_KIND_LINEAR:
      return EdgeKind::kLinear;
    case v1::CheckpointLayer::EDGE_KIND_RELU:
      return EdgeKind::kRelu;
    default:
      break;
  }
  return fail(ErrorCode::kCorrupt, "kind: is not known, expected spline, linear or relu edges");
}

BaseFunction base_of(const v1::CheckpointLayer& stored) {
  switch (stored.base()) {
    case v1::CheckpointLayer::BASE_FUNCTION_SILU:
      return BaseFunction::kSilu;
    case v1::CheckpointLayer::BASE_FUNCTION_GELU:
      return BaseFunction::kGelu;
    default:
      return BaseFunction::kNone;
  }
}

Result<void> load_formulas(const v1::CheckpointLayer& stored, Layer& layer) {
  for (const v1::CheckpointFormula& one : stored.formulas()) {
    const auto function = function_named(one.function());
    if (!function) return fail(ErrorCode::kCorrupt, "formulas: function '{}' is not known", one.function());
    if (one.input() >= layer.inputs || one.node() >= layer.nodes)
      return fail(ErrorCode::kCorrupt, "formulas: edge ({}, {}) is not there", one.input(), one.node());
    layer.formulas[layer.edge_index(one.input(), one.node())] = {.function = *function,
                                                                 .inner_scale = one.inner_scale(),
                                                                 .inner_offset = one.inner_offset(),
                                                                 .outer_scale = one.outer_scale(),
                                                                 .outer_offset = one.outer_offset()};
  }
  return {};
}

Result<Layer> layer_of(const v1::CheckpointLayer& stored) {
  const auto kind = kind_of(stored);
  if (!kind) return tl::unexpected(kind.error());
  Layer layer;
  layer.kind = *kind;
  layer.inputs = stored.input_count();
  layer.nodes = stored.node_count();
  layer.grid = {.low = stored.grid_low(),
                .high = stored.grid_high(),
                .size = stored.grid_size(),
                .order = stored.spline_order()};
  layer.base = base_of(stored);
  for (const v1::CheckpointKnots& knots : stored.knots())
    layer.knots.emplace_back(knots.values().begin(), knots.values().end());
  layer.coefficients.assign(stored.coefficients().begin(), stored.coefficients().end());
  layer.weights.assign(stored.weights().begin(), stored.weights().end());
  layer.biases.assign(stored.biases().begin(), stored.biases().end());
  if (layer.nodes > kan::kNodesMax || layer.inputs > kan::kInputsMax)
    return fail(ErrorCode::kCorrupt, "is {} by {}, expected at most {} by {}", layer.inputs, layer.nodes,
                kan::kInputsMax, kan::kNodesMax);
  if (layer.biases.empty()) layer.biases.assign(layer.nodes, 0.0);
  for (const bool active : stored.active()) layer.active.push_back(active ? 1 : 0);
  if (layer.active.empty()) layer.active.assign(std::size_t{layer.inputs} * layer.nodes, 1);
  if (auto ok = load_formulas(stored, layer); !ok) return tl::unexpected(ok.error());
  for (const v1::CheckpointQuantizer& one : stored.quantizers())
    layer.quantizers.push_back({.bits = one.bits(), .threshold = one.threshold()});
  for (const std::uint32_t dropped : stored.dropped_bits())
    layer.dropped_bits.push_back(static_cast<std::uint8_t>(std::min(dropped, 255U)));
  layer.guard_bits = stored.guard_bits();
  layer.basis_bits = stored.basis_bits();
  layer.coefficient_bits = stored.coefficient_bits();
  layer.entry_range = stored.entries_clamped() ? EntryRange::kOutput : EntryRange::kWide;
  return layer;
}

Result<v1::Checkpoint> parse(std::string_view bytes) {
  v1::Checkpoint message;
  const std::size_t begin = bytes.find_first_not_of(" \t\r\n");
  if (begin != std::string_view::npos && bytes[begin] == '{') {
    const auto status = google::protobuf::util::JsonStringToMessage(
        google::protobuf::StringPiece(bytes.data(), bytes.size()), &message);
    if (!status.ok()) return fail(ErrorCode::kCorrupt, "is no checkpoint: {}", status.ToString());
    return message;
  }
  if (auto ok = kan::scan_wire(bytes, *v1::Checkpoint::descriptor()); !ok) return tl::unexpected(ok.error());
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail(ErrorCode::kCorrupt, "is no checkpoint: cut off or garbled");
  return message;
}

}  // namespace

std::string encode_checkpoint(const LearnedKan& kan) {
  v1::Checkpoint message;
  message.set_format_version(kFormatVersion);
  message.set_name(kan.name);
  for (const std::string& name : kan.classes) message.add_classes(name);
  for (const Input& input : kan.inputs) {
    v1::CheckpointInput& stored = *message.add_inputs();
    stored.set_name(input.feature.name);
    stored.set_unit(input.feature.unit);
    stored.set_gain(input.gain);
    stored.set_shift(input.shift);
    stored.set_bits(input.bits);
    stored.set_first(input.first);
    stored.set_step(input.step);
  }
  for (const Layer& layer : kan.layers) store_layer(layer, *message.add_layers());
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream sink(&bytes);
    google::protobuf::io::CodedOutputStream stream(&sink);
    stream.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&stream);
  }
  return bytes;
}

Result<LearnedKan> decode_checkpoint(std::string_view bytes) {
  if (bytes.size() > kCheckpointBytesMax)
    return fail(ErrorCode::kCorrupt, "has {} bytes, expected at most {}", bytes.size(), kCheckpointBytesMax);
  const auto message = parse(bytes);
  if (!message) return tl::unexpected(message.error());
  if (message->format_version() != kFormatVersion)
    return fail(ErrorCode::kCorrupt, "format_version: is {}, expected {}", message->format_version(),
                kFormatVersion);
  LearnedKan kan;
  kan.name = message->name();
  kan.classes.assign(message->classes().begin(), message->classes().end());
  for (const v1::CheckpointInput& stored : message->inputs()) {
    kan.inputs.push_back({.feature = {.name = stored.name(), .unit = stored.unit()},
                          .gain = stored.gain(),
                          .shift = stored.shift(),
                          .bits = stored.bits(),
                          .first = stored.first(),
                          .step = stored.step()});
  }
  for (int l = 0; l < message->layers_size(); ++l) {
    auto layer = layer_of(message->layers(l));
    if (!layer) return tl::unexpected(layer.error().within("layer " + std::to_string(l)));
    kan.layers.push_back(std::move(*layer));
  }
  if (auto ok = check(kan); !ok) return tl::unexpected(ok.error());
  return kan;
}

Result<LearnedKan> read_checkpoint(const std::filesystem::path& path) {
  const auto bytes = base::read_file(path, kCheckpointBytesMax);
  if (!bytes) return tl::unexpected(bytes.error());
  auto kan = decode_checkpoint(*bytes);
  if (!kan) return tl::unexpected(kan.error().within(path.string()));
  return kan;
}

Result<void> write_checkpoint(const LearnedKan& kan, const std::filesystem::path& path) {
  return base::write_file_atomic(path, encode_checkpoint(kan));
}

}  // namespace kantrig::learned
