#include "kernels/program.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "kernels/program_storage.hpp"

namespace kantrig::kernels {
namespace {

constexpr std::uint32_t kChunk = 16;  // entries of a pshufb table
constexpr std::uint32_t kByteEntries = 256;
constexpr std::uint32_t kByteMax = 255;

/// The bytes of one table that a byte look-up reads: the low or the high half of its entries.
struct Plane {
  std::uint32_t input = 0;
  std::vector<std::uint8_t> bytes;
  std::uint32_t max = 0;
};

struct PlaneGroup {
  std::vector<const Plane*> planes;
  std::uint32_t sum = 0;
};

std::uint32_t stored_entries(std::size_t entries) {
  if (entries <= 64) return 64;
  return entries <= 128 ? 128 : kByteEntries;
}

std::int16_t least(std::span<const std::int16_t> table) {
  return *std::min_element(table.begin(), table.end());
}

std::int16_t greatest(std::span<const std::int16_t> table) {
  return *std::max_element(table.begin(), table.end());
}

/// First fit, largest first: few groups, each with a sum that stays within a byte.
std::vector<PlaneGroup> pack(const std::vector<Plane>& planes) {
  std::vector<const Plane*> order;
  for (const Plane& plane : planes) order.push_back(&plane);
  std::stable_sort(order.begin(), order.end(),
                   [](const Plane* a, const Plane* b) { return a->max > b->max; });
  std::vector<PlaneGroup> groups;
  for (const Plane* plane : order) {
    auto place = std::find_if(groups.begin(), groups.end(),
                              [&](const PlaneGroup& group) { return group.sum + plane->max <= kByteMax; });
    if (place == groups.end()) place = groups.insert(groups.end(), PlaneGroup{});
    place->planes.push_back(plane);
    place->sum += plane->max;
  }
  for (PlaneGroup& group : groups) {
    std::stable_sort(group.planes.begin(), group.planes.end(), [](const Plane* a, const Plane* b) {
      return stored_entries(a->bytes.size()) < stored_entries(b->bytes.size());
    });
  }
  return groups;
}

std::vector<Column> place_columns(std::span<const std::uint32_t> code_counts) {
  std::vector<Column> columns;
  std::uint32_t next = 0;
  for (const std::uint32_t count : code_counts) {
    const std::uint32_t width = count <= kByteEntries ? 1 : 2;
    columns.push_back({.offset = next, .width = width});
    next += width * kTileEvents;
  }
  return columns;
}

std::uint32_t columns_bytes(const std::vector<Column>& columns) {
  return columns.back().offset + columns.back().width * kTileEvents;
}

}  // namespace

/// Fills a Program's storage layer by layer.
class ProgramBuilder {
 public:
  ProgramBuilder(const ProgramSpec& spec, TableForm form, ProgramStorage& storage)
      : spec_(spec), form_(form), storage_(storage) {}

  void run() {
    add_input_stage();
    if (!spec_.distance.targets.empty()) targets_ = target_layer(spec_);
    for (const LayerSpec& layer : spec_.layers) add_layer(layer);
    add_outputs();
    if (form_ != TableForm::kWords) build_rows(spec_, columns_.front(), storage_);
    finish();
  }

 private:
  void add_input_stage() {
    std::vector<std::uint32_t> counts;
    for (const InputSpec& input : spec_.inputs) counts.push_back(1U << input.bits);
    columns_.push_back(place_columns(counts));
    storage_.columns = columns_.front();
    const std::size_t features = spec_.inputs.size();
    const std::size_t padded = (features + kBlockFeatures - 1) / kBlockFeatures * kBlockFeatures;
    storage_.columns.resize(padded);
    storage_.scale.resize(padded);
    storage_.offset.resize(padded);
    storage_.highest.resize(padded);
    storage_.max_code.resize(padded);
    storage_.byte_block.assign(padded / kBlockFeatures, 1);
    for (std::size_t i = 0; i < features; ++i) {
      storage_.scale[i] = spec_.inputs[i].scale;
      storage_.offset[i] = spec_.inputs[i].offset;
      storage_.max_code[i] = static_cast<std::uint16_t>(counts[i] - 1);
      storage_.highest[i] = static_cast<float>(counts[i] - 1);
      if (storage_.columns[i].width != 1) storage_.byte_block[i / kBlockFeatures] = 0;
    }
    storage_.lut.tile_bytes = columns_bytes(columns_.front());
  }

  void add_layer(const LayerSpec& layer) {
    std::vector<std::uint32_t> counts;
    for (const NodeSpec& node : layer.nodes)
      counts.push_back(static_cast<std::uint32_t>(node.high - node.low + 1));
    const std::vector<Column> out = place_columns(counts);
    LutLayer lut{.node_begin = static_cast<std::uint32_t>(storage_.nodes.size()),
                 .prepared_begin = static_cast<std::uint32_t>(storage_.prepared.size())};
    const bool with_targets = storage_.layers.empty() && !targets_.nodes.empty();
    if (form_ == TableForm::kByteChunks) prepare_columns(layer, with_targets);
    for (std::size_t k = 0; k < layer.nodes.size(); ++k) {
      LutNode node = add_node(layer, layer.nodes[k]);
      node.out = out[k];
      storage_.nodes.push_back(node);
    }
    if (with_targets) add_targets(lut);
    lut.node_end = static_cast<std::uint32_t>(storage_.nodes.size());
    lut.prepared_end = static_cast<std::uint32_t>(storage_.prepared.size());
    storage_.layers.push_back(lut);
    storage_.lut.layer_bytes = std::max(storage_.lut.layer_bytes, columns_bytes(out));
    columns_.push_back(out);
  }

  /// Targets are nodes of the first layer whose columns no layer writes again.
  void add_targets(const LutLayer& first) {
    std::vector<std::uint32_t> counts;
    for (const NodeSpec& node : targets_.nodes)
      counts.push_back(static_cast<std::uint32_t>(node.high - node.low + 1));
    target_columns_ = place_columns(counts);
    LutLayer& lut = storage_.lut.distance.targets;
    lut = {.node_begin = static_cast<std::uint32_t>(storage_.nodes.size()),
           .prepared_begin = first.prepared_begin};
    for (const NodeSpec& node : targets_.nodes) storage_.nodes.push_back(add_node(targets_, node));
    lut.node_end = static_cast<std::uint32_t>(storage_.nodes.size());
    lut.prepared_end = static_cast<std::uint32_t>(storage_.prepared.size());
  }

  /// Now that all else has its place in the scratch. Returns how many bytes the targets take there.
  std::uint32_t place_targets() {
    const std::uint32_t begin = 2 * storage_.lut.layer_bytes + storage_.lut.prepared_bytes;
    for (Column& column : target_columns_) column.offset += begin;
    const LutLayer& targets = storage_.lut.distance.targets;
    for (std::uint32_t n = targets.node_begin; n < targets.node_end; ++n)
      storage_.nodes[n].out = target_columns_[n - targets.node_begin];
    build_distance(spec_, {columns_.front(), columns_.back(), target_columns_}, storage_);
    return columns_bytes(target_columns_) - begin;
  }

  /// Gives every byte column that has an edge a place for its prepared indices.
  void prepare_columns(const LayerSpec& layer, bool with_targets) {
    prepared_index_.assign(columns_.back().size(), 0);
    std::vector<bool> seen(columns_.back().size(), false);
    std::uint32_t next = 0;
    std::vector<EdgeSpec> edges = layer.edges;
    if (with_targets) edges.insert(edges.end(), targets_.edges.begin(), targets_.edges.end());
    for (const EdgeSpec& edge : edges) {
      const Column column = columns_.back()[edge.input];
      if (seen[edge.input] || column.width != 1) continue;
      seen[edge.input] = true;
      const std::uint32_t chunks = (static_cast<std::uint32_t>(edge.table.size()) + kChunk - 1) / kChunk;
      prepared_index_[edge.input] = next;
      storage_.prepared.push_back({.column = column.offset, .index = next, .chunks = chunks});
      next += chunks * kTileEvents;
    }
    storage_.lut.prepared_bytes = std::max(storage_.lut.prepared_bytes, next);
  }

  LutNode add_node(const LayerSpec& layer, const NodeSpec& spec) {
    const NodeRange range = node_range(layer, spec);
    LutNode node;
    node.base = static_cast<std::int32_t>(range.base);
    node.low = spec.low;
    node.high = spec.high;
    if (form_ != TableForm::kWords && fits_lanes(spec, range, node)) {
      node.sum = SumWidth::kHalf;
    } else {
      node.shift = spec.shift;
    }
    std::vector<Plane> low;
    std::vector<Plane> high;
    node.word_begin = static_cast<std::uint32_t>(storage_.words.size());
    for (std::uint32_t e = spec.edge_begin; e < spec.edge_end; ++e) {
      const EdgeSpec& edge = layer.edges[e];
      if (greatest(edge.table) == least(edge.table)) continue;  // a constant: it is in base already
      if (node.sum == SumWidth::kFull || columns_.back()[edge.input].width != 1) {
        add_word(edge);
      } else {
        add_planes(edge, low, high);
      }
    }
    node.word_end = static_cast<std::uint32_t>(storage_.words.size());
    node.group_begin = static_cast<std::uint32_t>(storage_.groups.size());
    const std::vector<PlaneGroup> low_groups = pack(low);
    add_groups(low_groups, false);
    add_groups(pack(high), true);
    node.group_end = static_cast<std::uint32_t>(storage_.groups.size());
    if (node.sum == SumWidth::kHalf && node.word_begin == node.word_end && high.empty()) {
      narrow(spec, range, low_groups, node);
    }
    return node;
  }

  /// Keeps the whole node in byte lanes where that is exact. With w = u - distance the code is w >> shift,
  /// cut at 0 and top. Two sums that are exact as signed bytes add up to w - c, saturated; that loses nothing
  /// when the window [0, (top + 1) << shift) of w, moved by c, lies within a signed byte.
  void narrow(const NodeSpec& spec, const NodeRange& range, const std::vector<PlaneGroup>& groups,
              LutNode& node) {
    if (groups.empty() || groups.size() > 2 || spec.shift > 7) return;
    const std::int64_t distance =
        static_cast<std::int64_t>(spec.low) * (std::int64_t{1} << spec.shift) - range.base;
    const std::int64_t window = ((static_cast<std::int64_t>(spec.high) - spec.low + 1) << spec.shift) - 1;
    // A group of greatest sum m that starts from -d is exact as a signed byte for m - 127 <= d <= 128.
    std::int64_t start_low = 0;
    std::int64_t start_high = 0;
    for (const PlaneGroup& group : groups) {
      start_low += static_cast<std::int64_t>(group.sum) - 127;
      start_high += 128;
    }
    const std::int64_t c = std::min<std::int64_t>(128, start_high - distance);
    if (c < std::max(window - 127, start_low - distance)) return;
    std::int64_t left = distance + c;  // what the groups' starts add up to
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const std::int64_t rest_low =
          g + 1 < groups.size() ? static_cast<std::int64_t>(groups[g + 1].sum) - 127 : 0;
      const std::int64_t d = g + 1 < groups.size() ? std::min<std::int64_t>(128, left - rest_low) : left;
      storage_.groups[node.group_begin + g].start = static_cast<std::uint8_t>(-d);
      left -= d;
    }
    node.sum = SumWidth::kByte;
    node.byte_floor = static_cast<std::int8_t>(-c);
    node.byte_raise = static_cast<std::uint8_t>(c);
  }

  void add_word(const EdgeSpec& edge) {
    storage_.words.push_back({.column = columns_.back()[edge.input],
                              .table = static_cast<std::uint32_t>(storage_.word_tables.size())});
    const std::int16_t lowest = least(edge.table);
    for (const std::int16_t entry : edge.table)
      storage_.word_tables.push_back(static_cast<std::uint16_t>(entry - lowest));
  }

  static void add_planes(const EdgeSpec& edge, std::vector<Plane>& low, std::vector<Plane>& high) {
    const std::int16_t lowest = least(edge.table);
    Plane low_plane{.input = edge.input, .bytes = {}, .max = 0};
    Plane high_plane = low_plane;
    for (const std::int16_t entry : edge.table) {
      const std::uint32_t value = static_cast<std::uint32_t>(entry - lowest);
      low_plane.bytes.push_back(static_cast<std::uint8_t>(value & kByteMax));
      high_plane.bytes.push_back(static_cast<std::uint8_t>(value >> 8));
      low_plane.max = std::max(low_plane.max, value & kByteMax);
      high_plane.max = std::max(high_plane.max, value >> 8);
    }
    if (low_plane.max > 0) low.push_back(std::move(low_plane));
    if (high_plane.max > 0) high.push_back(std::move(high_plane));
  }

  void add_groups(const std::vector<PlaneGroup>& groups, bool high) {
    for (const PlaneGroup& group : groups) {
      ByteGroup lut{.lookup_begin = static_cast<std::uint32_t>(storage_.lookups.size()), .high = high};
      for (const Plane* plane : group.planes) {
        if (form_ == TableForm::kByteChunks) {
          lut.count_64 += add_chunks(*plane);
        } else {
          add_bytes(*plane, lut);
        }
      }
      storage_.groups.push_back(lut);
    }
  }

  void add_bytes(const Plane& plane, ByteGroup& group) {
    const std::uint32_t entries = stored_entries(plane.bytes.size());
    storage_.lookups.push_back({.index = columns_.back()[plane.input].offset,
                                .table = static_cast<std::uint32_t>(storage_.tables.size())});
    storage_.tables.insert(storage_.tables.end(), plane.bytes.begin(), plane.bytes.end());
    storage_.tables.resize(storage_.tables.size() + entries - plane.bytes.size());
    ++(entries == 64 ? group.count_64 : entries == 128 ? group.count_128 : group.count_256);
  }

  /// A chunk of zeroes adds nothing and is left out.
  std::uint32_t add_chunks(const Plane& plane) {
    std::uint32_t added = 0;
    for (std::uint32_t first = 0; first < plane.bytes.size(); first += kChunk) {
      const auto begin = plane.bytes.begin() + first;
      const auto end =
          plane.bytes.begin() + std::min<std::ptrdiff_t>(first + kChunk, std::ssize(plane.bytes));
      if (std::all_of(begin, end, [](std::uint8_t byte) { return byte == 0; })) continue;
      storage_.lookups.push_back({.index = prepared_index_[plane.input] + first / kChunk * kTileEvents,
                                  .table = static_cast<std::uint32_t>(storage_.tables.size())});
      storage_.tables.insert(storage_.tables.end(), begin, end);
      storage_.tables.resize((storage_.tables.size() + kChunk - 1) / kChunk * kChunk);
      ++added;
    }
    return added;
  }

  void add_outputs() {
    const LayerSpec& layer = spec_.layers.back();
    std::int32_t least_low = std::numeric_limits<std::int32_t>::max();
    std::int32_t greatest_high = std::numeric_limits<std::int32_t>::min();
    for (const NodeSpec& node : layer.nodes) {
      least_low = std::min(least_low, node.low);
      greatest_high = std::max(greatest_high, node.high);
    }
    storage_.lut.ranks_in_bytes = greatest_high - least_low <= static_cast<std::int32_t>(kByteMax);
    for (std::size_t k = 0; k < layer.nodes.size(); ++k) {
      const std::int32_t low = layer.nodes[k].low;
      storage_.outputs.push_back({.column = columns_.back()[k],
                                  .low = static_cast<std::int16_t>(low),
                                  .byte_rank = static_cast<std::uint8_t>(low - least_low)});
    }
  }

  void finish() {
    ProgramStorage& s = storage_;
    s.aligned_tables = AlignedBytes(s.tables.size());
    if (!s.tables.empty()) std::memcpy(s.aligned_tables.data(), s.tables.data(), s.tables.size());
    s.tables = {};
    const std::size_t row_bytes = s.row_tables.size() * sizeof(std::uint16_t);
    s.aligned_row_tables = AlignedBytes(row_bytes);
    if (row_bytes != 0) std::memcpy(s.aligned_row_tables.data(), s.row_tables.data(), row_bytes);
    s.row_tables = {};
    s.lut.layers = s.layers.data();
    s.lut.layer_count = static_cast<std::uint32_t>(s.layers.size());
    s.lut.nodes = s.nodes.data();
    s.lut.groups = s.groups.data();
    s.lut.lookups = s.lookups.data();
    s.lut.words = s.words.data();
    s.lut.prepared = s.prepared.data();
    s.lut.tables = s.aligned_tables.data();
    s.lut.word_tables = s.word_tables.data();
    s.lut.outputs = s.outputs.data();
    s.lut.output_count = targets_.nodes.empty() ? static_cast<std::uint32_t>(s.outputs.size()) : 1;
    s.lut.scratch_bytes =
        2 * s.lut.layer_bytes + s.lut.prepared_bytes;  // layer_bytes has 64 a node: rows fit too
    if (!targets_.nodes.empty()) s.lut.scratch_bytes += place_targets();
    s.lut.row_layers = s.row_layers.empty() ? nullptr : s.row_layers.data();
    s.lut.row_inputs = s.row_inputs.data();
    s.lut.row_tables = s.aligned_row_tables.as<const std::uint16_t>();
    s.input_stage = {.features = static_cast<std::uint32_t>(spec_.inputs.size()),
                     .columns = s.columns.data(),
                     .scale = s.scale.data(),
                     .offset = s.offset.data(),
                     .highest = s.highest.data(),
                     .max_code = s.max_code.data(),
                     .byte_block = s.byte_block.data()};
  }

  const ProgramSpec& spec_;
  TableForm form_;
  ProgramStorage& storage_;
  std::vector<std::vector<Column>> columns_;  // of the inputs, then of every layer
  std::vector<std::uint32_t> prepared_index_;
  LayerSpec targets_;                   // of a distance
  std::vector<Column> target_columns_;  // from the start of the scratch, in the end
};

Program::Program(const ProgramSpec& spec, TableForm form) : storage_(std::make_unique<ProgramStorage>()) {
  ProgramBuilder(spec, form, *storage_).run();
}
Program::~Program() = default;
Program::Program(Program&&) noexcept = default;
Program& Program::operator=(Program&&) noexcept = default;

const LutProgram& Program::lut() const noexcept {
  return storage_->lut;
}
const LutInputStage& Program::input_stage() const noexcept {
  return storage_->input_stage;
}

}  // namespace kantrig::kernels
