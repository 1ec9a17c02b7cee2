#include "compiler/exchange/expected_tables.hpp"

#include <algorithm>

#include "compiler/exchange/kanele.hpp"
#include "compiler/learned/tabulate.hpp"

namespace kantrig::exchange {
namespace {

Result<KaneleShape> shape_of(const learned::LearnedKan& kan) {
  KaneleShape shape;
  shape.layers.push_back(static_cast<std::uint32_t>(kan.inputs.size()));
  shape.bits.push_back(kan.inputs.front().bits);
  const auto wide = [&](const auto& one) { return one.bits != shape.bits.back(); };
  if (std::any_of(kan.inputs.begin(), kan.inputs.end(), wide))
    return fail(ErrorCode::kInvalid, "the inputs differ in code width, which published tables cannot");
  for (const learned::Layer& layer : kan.layers) {
    shape.layers.push_back(layer.nodes);
    shape.bits.push_back(layer.quantizers.front().bits);
    if (std::any_of(layer.quantizers.begin(), layer.quantizers.end(), wide) || layer.guard_bits > 0)
      return fail(ErrorCode::kInvalid,
                  "the nodes of a layer differ in code width or keep guard bits, which published tables "
                  "cannot");
  }
  return shape;
}

/// Edge (input, node) of `layer`, or null.
const kan::Edge* find_edge(const kan::Layer& layer, std::uint32_t input, std::uint32_t node) {
  const auto begin = layer.edges.begin() + layer.nodes[node].edge_begin;
  const auto end = layer.edges.begin() + layer.nodes[node].edge_end;
  const auto found = std::find_if(begin, end, [&](const kan::Edge& edge) { return edge.input == input; });
  return found == end ? nullptr : &*found;
}

class Comparer {
 public:
  Comparer(const learned::LearnedKan& kan, const kan::Model& published) : kan_(kan), published_(published) {}

  TableComparison run() {
    for (std::size_t l = 0; l < kan_.layers.size(); ++l) {
      for (std::uint32_t j = 0; j < kan_.layers[l].inputs; ++j) {
        const std::vector<double> points = learned::input_points(kan_, l, j);
        for (std::uint32_t k = 0; k < kan_.layers[l].nodes; ++k) compare_edge(l, j, k, points);
      }
    }
    return result_;
  }

 private:
  void compare_edge(std::size_t l, std::uint32_t j, std::uint32_t k, const std::vector<double>& points) {
    const learned::Layer& layer = kan_.layers[l];
    const kan::Edge* const edge = find_edge(published_.layers[l], j, k);
    if (!layer.is_active(j, k) && edge == nullptr) return;
    ++result_.edges;
    result_.entries += points.size();
    if (layer.is_active(j, k) != (edge != nullptr)) {
      differ(fmt::format("edge {}_{}_{} is active only in {}", l, j, k, edge ? "the file" : "the model"));
      return;
    }
    for (std::size_t code = 0; code < points.size(); ++code) {
      const std::int32_t ours =
          learned::entry_of(layer, j, k, learned::edge_value(layer, j, k, points[code]));
      const std::int32_t theirs = published_.layers[l].tables[edge->table_offset + code];
      if (ours == theirs) {
        ++result_.equal;
      } else {
        differ(fmt::format("edge {}_{}_{} entry {} is {}, published as {}", l, j, k, code, ours, theirs));
      }
    }
  }
  void differ(std::string what) {
    if (result_.first_difference.empty()) result_.first_difference = std::move(what);
  }

  const learned::LearnedKan& kan_;
  const kan::Model& published_;
  TableComparison result_;
};

}  // namespace

Result<TableComparison> compare_tables(const learned::LearnedKan& kan, const std::filesystem::path& path) {
  if (auto ok = learned::check(kan); !ok) return tl::unexpected(ok.error());
  if (!kan.quantized())
    return fail(ErrorCode::kInvalid, "the model is not quantised, so it has no tables to compare");
  const auto shape = shape_of(kan);
  if (!shape) return tl::unexpected(shape.error());
  const auto published = read_truth_tables(path, *shape);
  if (!published) return tl::unexpected(published.error());
  return Comparer(kan, *published).run();
}

}  // namespace kantrig::exchange
