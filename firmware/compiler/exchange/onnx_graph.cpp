#include "compiler/exchange/onnx_graph.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/assert.hpp"
#include "base/build_info.hpp"
#include "kantrig/onnx/model.pb.h"

namespace kantrig::exchange {
namespace {

constexpr std::int64_t kIrVersion = 7;
constexpr std::int64_t kOperatorSet = 13;
static_assert(std::endian::native == std::endian::little, "raw tensors are little endian");

onnx::ElementType element_of(OnnxType type) {
  switch (type) {
    case OnnxType::kFloat:
      return onnx::ELEMENT_TYPE_FLOAT;
    case OnnxType::kInt32:
      return onnx::ELEMENT_TYPE_INT32;
    case OnnxType::kInt64:
      break;
  }
  return onnx::ELEMENT_TYPE_INT64;
}

void set_value(onnx::Value& value, std::string_view name, OnnxType type, const OnnxDims& dims) {
  value.set_name(std::string(name));
  onnx::TensorType& tensor = *value.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(element_of(type));
  tensor.mutable_shape()->add_dim()->set_dim_param("events");
  for (const std::int64_t extent : dims) tensor.mutable_shape()->add_dim()->set_dim_value(extent);
}

template <typename Value>
void set_constant(onnx::Tensor& tensor, onnx::ElementType type, const OnnxDims& dims,
                  const std::vector<Value>& values) {
  std::int64_t count = 1;
  for (const std::int64_t extent : dims) {
    tensor.add_dims(extent);
    count *= extent;
  }
  KANTRIG_ASSERT(static_cast<std::size_t>(count) == values.size());
  tensor.set_data_type(type);
  std::string raw(values.size() * sizeof(Value), '\0');
  std::memcpy(raw.data(), values.data(), raw.size());
  tensor.set_raw_data(std::move(raw));
}

bool all_equal(const std::vector<double>& values) {
  return std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
}

}  // namespace

struct OnnxGraph::Message {
  onnx::Model model;
};

OnnxGraph::OnnxGraph(std::string_view name) : message_(std::make_unique<Message>()) {
  onnx::Model& model = message_->model;
  model.set_ir_version(kIrVersion);
  model.set_producer_name("kanc");
  model.set_producer_version(std::string(base::build_info().version));
  model.add_opset_import()->set_version(kOperatorSet);
  model.mutable_graph()->set_name(std::string(name));
}
OnnxGraph::OnnxGraph(OnnxGraph&&) noexcept = default;
OnnxGraph& OnnxGraph::operator=(OnnxGraph&&) noexcept = default;
OnnxGraph::~OnnxGraph() = default;

std::string OnnxGraph::input(std::string_view name, OnnxType type, const OnnxDims& dims) {
  set_value(*message_->model.mutable_graph()->add_input(), name, type, dims);
  return std::string(name);
}

std::string OnnxGraph::output(std::string_view name, OnnxType type, const OnnxDims& dims,
                              std::string_view source) {
  onnx::Graph& graph = *message_->model.mutable_graph();
  set_value(*graph.add_output(), name, type, dims);
  onnx::Node& node = *graph.add_node();
  node.add_input(std::string(source));
  node.add_output(std::string(name));
  node.set_name("give_" + std::string(name));
  node.set_op_type("Identity");
  return std::string(name);
}

std::string OnnxGraph::floats(const OnnxDims& dims, std::span<const double> values) {
  std::vector<float> narrowed;
  narrowed.reserve(values.size());
  for (const double value : values) narrowed.push_back(static_cast<float>(value));
  onnx::Tensor& tensor = *message_->model.mutable_graph()->add_initializer();
  tensor.set_name(fmt::format("constant_{}", constants_++));
  set_constant(tensor, onnx::ELEMENT_TYPE_FLOAT, dims, narrowed);
  return tensor.name();
}

std::string OnnxGraph::integers(const OnnxDims& dims, std::span<const std::int64_t> values) {
  onnx::Tensor& tensor = *message_->model.mutable_graph()->add_initializer();
  tensor.set_name(fmt::format("constant_{}", constants_++));
  set_constant(tensor, onnx::ELEMENT_TYPE_INT64, dims,
               std::vector<std::int64_t>(values.begin(), values.end()));
  return tensor.name();
}

std::string OnnxGraph::apply(std::string_view op_type, const std::vector<std::string>& inputs,
                             const std::vector<OnnxAttribute>& attributes) {
  onnx::Node& node = *message_->model.mutable_graph()->add_node();
  for (const std::string& name : inputs) node.add_input(name);
  node.set_name(fmt::format("{}_{}", op_type, nodes_++));
  node.add_output(node.name() + "_out");
  node.set_op_type(std::string(op_type));
  for (const OnnxAttribute& attribute : attributes) {
    onnx::Attribute& stored = *node.add_attribute();
    stored.set_name(std::string(attribute.name));
    stored.set_i(attribute.value);
    stored.set_type(onnx::Attribute::INT);
  }
  return node.output(0);
}

std::string OnnxGraph::cast(std::string_view source, OnnxType type) {
  return apply("Cast", {std::string(source)}, {{"to", element_of(type)}});
}

std::string OnnxGraph::slice(std::string_view source, const Slice& what) {
  const auto one = [&](std::int64_t value) { return integers({1}, {&value, 1}); };
  return apply("Slice", {std::string(source), one(what.begin), one(what.end), one(what.axis)});
}

void OnnxGraph::describe(std::string_view text) {
  message_->model.set_doc_string(std::string(text));
}

void OnnxGraph::note(std::string_view key, std::string_view value) {
  onnx::Property& property = *message_->model.add_metadata_props();
  property.set_key(std::string(key));
  property.set_value(std::string(value));
}

std::string OnnxGraph::serialise() const {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream sink(&bytes);
    google::protobuf::io::CodedOutputStream stream(&sink);
    stream.SetSerializationDeterministic(true);
    message_->model.SerializeToCodedStream(&stream);
  }
  return bytes;
}

std::string clip_floats(OnnxGraph& graph, const std::string& values, const OnnxBounds& bounds) {
  if (all_equal(bounds.low) && all_equal(bounds.high)) {
    return graph.apply("Clip", {values, graph.number(bounds.low.front()), graph.number(bounds.high.front())});
  }
  const auto columns = static_cast<std::int64_t>(bounds.low.size());
  const std::string risen = graph.apply("Max", {values, graph.floats({columns}, bounds.low)});
  return graph.apply("Min", {risen, graph.floats({columns}, bounds.high)});
}

std::string clip_integers(OnnxGraph& graph, const std::string& values, const OnnxBounds& bounds) {
  if (all_equal(bounds.low) && all_equal(bounds.high)) {
    return graph.apply("Clip", {values, graph.integer(static_cast<std::int64_t>(bounds.low.front())),
                                graph.integer(static_cast<std::int64_t>(bounds.high.front()))});
  }
  const auto columns = static_cast<std::int64_t>(bounds.low.size());
  const std::vector<std::int64_t> low(bounds.low.begin(), bounds.low.end());
  const std::vector<std::int64_t> high(bounds.high.begin(), bounds.high.end());
  const std::string risen = graph.apply("Max", {values, graph.integers({columns}, low)});
  return graph.apply("Min", {risen, graph.integers({columns}, high)});
}

}  // namespace kantrig::exchange
