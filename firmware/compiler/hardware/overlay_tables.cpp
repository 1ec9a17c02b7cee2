#include "compiler/hardware/overlay_tables.hpp"

#include <algorithm>

#include "compiler/hardware/overlay_node.hpp"

namespace kantrig::compiler {
namespace {

// Places of a node's figures: firmware/rtl/overlay/README.md.
constexpr std::uint32_t kOffset = 0;
constexpr std::uint32_t kShift = 1;
constexpr std::uint32_t kSpan = 2;
constexpr std::uint32_t kLow = 3;

/// Where in a bank the words of a layer's tables or nodes lie.
struct Section {
  OverlayAddress fields;
  std::uint32_t base = 0;

  [[nodiscard]] std::uint32_t at(std::uint32_t index, std::uint32_t group, std::uint32_t place) const {
    return base | ((index << fields.group_bits | group) << fields.place_bits) | place;
  }
};

enum class Kind : std::uint8_t { kTables = 0, kNodes = 1 };

Section section(const OverlayShape& shape, TableBank bank, std::size_t layer, Kind kind) {
  const OverlayAddress fields = shape.address();
  const std::uint32_t number = static_cast<std::uint32_t>(layer) << 1U | static_cast<std::uint32_t>(kind);
  const std::uint32_t place = fields.index_bits + fields.group_bits + fields.place_bits;
  return {fields, overlay_bank_begin(shape, bank) | number << place};
}

std::uint32_t low_bits(std::int64_t value, std::uint32_t bits) {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(value) & ((std::uint64_t{1} << bits) - 1));
}

/// One layer of a model, padded to what the overlay has.
struct DenseLayer {
  std::vector<std::int32_t> entries;  // [input][code][node], each within the overlay's entries
  std::vector<OverlayNode> nodes;     // offsets with what the tables were moved by
};

DenseLayer dense(const kan::Layer& layer, const OverlayShape& shape, std::size_t l) {
  const std::uint32_t node_count = shape.sizes[l + 1];
  const std::int32_t lowest = -(1 << (shape.entry_bits[l] - 1));
  DenseLayer result;
  result.nodes.resize(node_count);
  result.entries.resize((static_cast<std::size_t>(shape.sizes[l]) << shape.code_bits[l]) * node_count);
  for (std::size_t k = 0; k < layer.nodes.size(); ++k) {
    OverlayNode& node = result.nodes[k];
    node = overlay_node(layer, layer.nodes[k]);
    for (std::uint32_t e = layer.nodes[k].edge_begin; e < layer.nodes[k].edge_end && !node.constant; ++e) {
      const kan::Edge& edge = layer.edges[e];
      const EntryRange range = entry_range(layer, edge);
      const bool moved = range.lowest < lowest || range.highest >= -lowest;
      const std::int32_t move = moved ? range.lowest - lowest : 0;
      node.offset += move;
      std::size_t place = (static_cast<std::size_t>(edge.input) << shape.code_bits[l]) * node_count + k;
      for (std::uint32_t code = 0; code < layer.input_codes[edge.input]; ++code, place += node_count) {
        result.entries[place] = layer.tables[edge.table_offset + code] - move;
      }
    }
  }
  return result;
}

/// Entries of one input and code, for as many nodes as share a word.
std::uint32_t packed(const std::int32_t* entries, std::uint32_t count, std::uint32_t bits) {
  std::uint32_t word = 0;
  for (std::uint32_t i = 0; i < count; ++i) word |= low_bits(entries[i], bits) << (i * bits);
  return word;
}

void append_tables(const DenseLayer& layer, const OverlayShape& shape, std::size_t l, const Section& tables,
                   std::vector<TableWord>& words) {
  const std::uint32_t nodes = shape.sizes[l + 1];
  const std::uint32_t per_word = shape.tables_per_word(l);
  for (std::uint32_t j = 0; j < shape.sizes[l]; ++j) {
    for (std::uint32_t g = 0; g < shape.groups(l); ++g) {
      const std::uint32_t first = g * per_word;
      const std::uint32_t count = std::min(per_word, nodes - first);
      for (std::uint32_t code = 0; code < 1U << shape.code_bits[l]; ++code) {
        const std::size_t row = (static_cast<std::size_t>(j) << shape.code_bits[l]) + code;
        words.push_back(
            {tables.at(j, g, code), packed(&layer.entries[row * nodes + first], count, shape.entry_bits[l])});
      }
    }
  }
}

void append_nodes(const DenseLayer& layer, const OverlayShape& shape, std::size_t l, const Section& nodes,
                  std::vector<TableWord>& words) {
  const bool last = l + 1 == shape.layer_count();
  for (std::uint32_t k = 0; k < shape.sizes[l + 1]; ++k) {
    const OverlayNode& node = layer.nodes[k];
    words.push_back({nodes.at(k, 0, kOffset), low_bits(node.offset, shape.sum_bits[l])});
    if (shape.shift_max[l] > 0) words.push_back({nodes.at(k, 0, kShift), node.shift});
    words.push_back({nodes.at(k, 0, kSpan), node.span});
    if (last) words.push_back({nodes.at(k, 0, kLow), low_bits(node.low, shape.output_bits)});
  }
}

}  // namespace

Result<std::vector<TableWord>> overlay_table_words(const kan::Model& model, const OverlayShape& shape,
                                                   TableBank bank) {
  if (auto ok = fits(model, shape); !ok) return tl::unexpected(ok.error());
  std::vector<TableWord> words;
  for (std::size_t l = 0; l < shape.layer_count(); ++l) {
    const DenseLayer layer = dense(model.layers[l], shape, l);
    append_tables(layer, shape, l, section(shape, bank, l, Kind::kTables), words);
    append_nodes(layer, shape, l, section(shape, bank, l, Kind::kNodes), words);
  }
  return words;
}

Result<std::vector<std::uint32_t>> overlay_table_block(const kan::Model& model, const OverlayShape& shape) {
  const auto words = overlay_table_words(model, shape, TableBank::kZero);
  if (!words) return tl::unexpected(words.error());
  std::vector<std::uint32_t> block(shape.block_words());
  for (const TableWord& word : *words) block[word.address] = word.data;
  return block;
}

std::uint32_t overlay_bank_begin(const OverlayShape& shape, TableBank bank) noexcept {
  return bank == TableBank::kOne ? static_cast<std::uint32_t>(shape.block_words()) : 0U;
}

}  // namespace kantrig::compiler
