// OnnxGraph: an ONNX model of standard operators, built node by node. Protobuf stays inside.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kantrig::exchange {

enum class OnnxType : std::uint8_t { kFloat, kInt32, kInt64 };

/// Dimensions of constants; of inputs and outputs after the first, which is the number of events.
using OnnxDims = std::vector<std::int64_t>;

struct OnnxAttribute {
  std::string_view name;
  std::int64_t value;
};

/// Operators of set 13, which runtimes have had since 2020.
///
/// Threading: one thread. Every function that adds something returns the name of the tensor it gives.
class OnnxGraph {
 public:
  explicit OnnxGraph(std::string_view name);
  OnnxGraph(OnnxGraph&&) noexcept;
  OnnxGraph& operator=(OnnxGraph&&) noexcept;
  ~OnnxGraph();

  std::string input(std::string_view name, OnnxType type, const OnnxDims& dims);
  /// Makes the tensor `source` an output called `name`.
  std::string output(std::string_view name, OnnxType type, const OnnxDims& dims, std::string_view source);

  /// Constants; the values as float32, and as int64. Precondition: as many values as `dims` says.
  std::string floats(const OnnxDims& dims, std::span<const double> values);
  std::string integers(const OnnxDims& dims, std::span<const std::int64_t> values);
  std::string number(double value) { return floats({}, {&value, 1}); }
  std::string integer(std::int64_t value) { return integers({}, {&value, 1}); }

  /// One operator with one output.
  std::string apply(std::string_view op_type, const std::vector<std::string>& inputs,
                    const std::vector<OnnxAttribute>& attributes = {});
  std::string cast(std::string_view source, OnnxType type);
  /// Column `begin` and those up to `end` of axis `axis`.
  struct Slice {
    std::int64_t axis;
    std::int64_t begin;
    std::int64_t end;
  };
  std::string slice(std::string_view source, const Slice& what);

  void describe(std::string_view text);  // for a person
  void note(std::string_view key, std::string_view value);

  /// The file. The same calls give the same bytes.
  [[nodiscard]] std::string serialise() const;

 private:
  struct Message;
  std::unique_ptr<Message> message_;
  std::uint32_t constants_ = 0;
  std::uint32_t nodes_ = 0;
};

/// `values` clamped column by column: Clip where all columns have the same bounds, else Max and Min.
struct OnnxBounds {
  std::vector<double> low;
  std::vector<double> high;
};
std::string clip_floats(OnnxGraph& graph, const std::string& values, const OnnxBounds& bounds);
std::string clip_integers(OnnxGraph& graph, const std::string& values, const OnnxBounds& bounds);

}  // namespace kantrig::exchange
