#include "kan/evaluator.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.hpp"
#include "kernels/aligned_bytes.hpp"
#include "kernels/kernels.hpp"
#include "kernels/program.hpp"

namespace kantrig::kan {
namespace {

using kernels::kTileEvents;

// Laid-out tables take at most 512 bytes an edge of byte codes and two bytes an entry elsewhere.
constexpr std::uint64_t kTableBytesMax = std::uint64_t{1} << 31;

std::uint64_t table_bytes_bound(const Model& model) {
  std::uint64_t bytes = 0;
  for (const Layer& layer : model.layers) {
    for (const Edge& edge : layer.edges)
      bytes += std::max<std::uint64_t>(512, 2 * std::uint64_t{layer.input_codes[edge.input]});
  }
  if (model.output_stage) {
    for (const std::uint32_t input : model.output_stage->inputs)
      bytes += std::max<std::uint64_t>(512, std::uint64_t{2} << model.inputs[input].bits);
  }
  return bytes;
}

kernels::DistanceSpec describe_stage(const Model& model) {
  if (!model.output_stage) return {};
  const OutputStage& stage = *model.output_stage;
  kernels::DistanceSpec spec{.squared = stage.measure == DistanceMeasure::kSquared,
                             .shift = stage.shift,
                             .class_above = stage.class_above,
                             .targets = {}};
  std::size_t offset = 0;
  for (const std::uint32_t input : stage.inputs) {
    const std::size_t codes = std::size_t{1} << model.inputs[input].bits;
    spec.targets.push_back({.input = input, .table = std::span(stage.targets).subspan(offset, codes)});
    offset += codes;
  }
  return spec;
}

kernels::ProgramSpec describe(const Model& model) {
  kernels::ProgramSpec spec;
  for (const InputFeature& input : model.inputs) {
    spec.inputs.push_back({.bits = input.bits, .scale = input.scale, .offset = input.offset});
  }
  for (const Layer& layer : model.layers) {
    kernels::LayerSpec& out = spec.layers.emplace_back();
    for (const Node& node : layer.nodes) {
      out.nodes.push_back({.bias = node.bias,
                           .shift = node.shift,
                           .low = node.low,
                           .high = node.high,
                           .edge_begin = node.edge_begin,
                           .edge_end = node.edge_end});
    }
    for (const Edge& edge : layer.edges) {
      const std::size_t entries = layer.input_codes[edge.input];
      out.edges.push_back(
          {.input = edge.input, .table = std::span(layer.tables).subspan(edge.table_offset, entries)});
    }
  }
  spec.distance = describe_stage(model);
  return spec;
}

constexpr std::uint32_t tiles_of(std::uint32_t events) {
  return (events + kTileEvents - 1) / kTileEvents;
}

/// The records of one tile, made word by word for all its events at once. Words of 32 bits: four events fit
/// into a register of every CPU.
class TileRecords {
 public:
  TileRecords(const RecordLayout& layout, std::byte* records, std::uint32_t events) noexcept
      : stride_(layout.record_bytes()), records_(records), events_(events) {}

  /// The next field, its codes one after the other.
  template <typename Code>
  void add(const std::uint8_t* codes, RecordField field) noexcept {
    while (field.offset >= word_end()) next_word();
    const std::uint32_t shift = field.offset - word_ * kWordBits;
    for (std::uint32_t i = 0; i < kTileEvents; ++i) words_[i] |= code_at<Code>(codes, i) << shift;
    if (shift + field.width <= kWordBits) return;
    next_word();
    for (std::uint32_t i = 0; i < kTileEvents; ++i)
      words_[i] = code_at<Code>(codes, i) >> (kWordBits - shift);
  }
  void finish() noexcept {
    for (next_word(); word_ * sizeof(std::uint32_t) < stride_;) next_word();
  }

 private:
  static constexpr std::uint32_t kWordBits = 32;

  template <typename Code>
  static std::uint32_t code_at(const std::uint8_t* codes, std::uint32_t i) noexcept {
    Code code = 0;
    std::memcpy(&code, codes + i * sizeof code, sizeof code);
    return code;
  }
  [[nodiscard]] std::uint32_t word_end() const noexcept { return (word_ + 1) * kWordBits; }

  template <typename Word>
  void store() const noexcept {
    std::byte* at = records_ + std::size_t{word_} * sizeof(std::uint32_t);
    for (std::uint32_t i = 0; i < events_; ++i, at += stride_) {
      const auto word = static_cast<Word>(words_[i]);
      std::memcpy(at, &word, sizeof word);
    }
  }
  void next_word() noexcept {
    if (stride_ >= sizeof(std::uint32_t))
      store<std::uint32_t>();
    else if (stride_ == 2)
      store<std::uint16_t>();
    else
      store<std::uint8_t>();
    ++word_;
    words_.fill(0);
  }

  std::size_t stride_;
  std::byte* records_;
  std::uint32_t events_;
  std::uint32_t word_ = 0;  // of the record
  std::array<std::uint32_t, kTileEvents> words_{};
};

}  // namespace

struct Evaluator::State {
  Model model;
  const kernels::KernelSet* set;
  kernels::Program program;
};

struct Workspace::State {
  std::uint32_t events_max;
  std::uint32_t events;         // of the last load_*()
  std::uint32_t output_stride;  // entries
  std::vector<std::uint64_t> malformed;
  kernels::AlignedBytes codes;
  kernels::AlignedBytes scratch;
  kernels::AlignedBytes outputs;
  kernels::AlignedBytes classes;

  [[nodiscard]] kernels::RowBatch rows(std::span<const std::byte> bytes, std::uint32_t tile_bytes) noexcept {
    return {.rows = reinterpret_cast<const std::uint8_t*>(bytes.data()),
            .events = events,
            .codes = codes.data(),
            .tile_bytes = tile_bytes,
            .malformed = malformed.data(),
            .clamped = nullptr};
  }
  [[nodiscard]] kernels::TileBatch tiles() noexcept {
    return {.codes = codes.data(),
            .events = events,
            .scratch = scratch.data(),
            .outputs = outputs.as<std::int16_t>(),
            .output_stride = output_stride,
            .classes = classes.data()};
  }
  [[nodiscard]] std::uint32_t malformed_count() const noexcept {
    std::uint32_t count = 0;
    for (std::uint32_t t = 0; t < tiles_of(events); ++t)
      count += static_cast<std::uint32_t>(std::popcount(malformed[t]));
    return count;
  }
};

Workspace::Workspace(const Evaluator& evaluator, std::uint32_t events_max) {
  const kernels::LutProgram& lut = evaluator.state_->program.lut();
  const std::size_t tiles = std::max<std::uint32_t>(1, tiles_of(events_max));
  // A line beyond a power of two, so that equal events of neighbouring outputs do not share a cache set.
  const std::size_t stride = tiles * kTileEvents + kernels::kCacheLineBytes / sizeof(std::int16_t);
  state_ = std::make_unique<State>(
      State{.events_max = events_max,
            .events = 0,
            .output_stride = static_cast<std::uint32_t>(stride),
            .malformed = std::vector<std::uint64_t>(tiles),
            .codes = kernels::AlignedBytes(tiles * lut.tile_bytes),
            .scratch = kernels::AlignedBytes(std::size_t{kernels::kTilesAtOnce} * lut.scratch_bytes),
            .outputs = kernels::AlignedBytes(stride * lut.output_count * sizeof(std::int16_t)),
            .classes = kernels::AlignedBytes(tiles * kTileEvents)});
}
Workspace::~Workspace() = default;
Workspace::Workspace(Workspace&&) noexcept = default;
Workspace& Workspace::operator=(Workspace&&) noexcept = default;

std::uint32_t Workspace::events_max() const noexcept {
  return state_->events_max;
}
const std::int16_t* Workspace::outputs(std::uint32_t k) const noexcept {
  return state_->outputs.as<const std::int16_t>() + std::size_t{k} * state_->output_stride;
}
const std::uint8_t* Workspace::classes() const noexcept {
  return state_->classes.data();
}
std::int16_t* Workspace::output_column(std::uint32_t k) noexcept {
  return state_->outputs.as<std::int16_t>() + std::size_t{k} * state_->output_stride;
}
std::uint8_t* Workspace::class_column() noexcept {
  return state_->classes.data();
}
std::span<const std::uint64_t> Workspace::malformed() const noexcept {
  return std::span(state_->malformed).first(tiles_of(state_->events));
}

Evaluator::Evaluator(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
Evaluator::~Evaluator() = default;
Evaluator::Evaluator(Evaluator&&) noexcept = default;
Evaluator& Evaluator::operator=(Evaluator&&) noexcept = default;

Result<Evaluator> Evaluator::create(const Model& model, std::string_view kernel_set) {
  if (auto ok = check(model); !ok) return tl::unexpected(ok.error());
  const kernels::KernelSet* set = kernels::select_set(kernel_set);
  if (set == nullptr) {
    std::string known = "auto";
    for (const kernels::KernelSet& each : kernels::sets()) {
      if (each.supported()) known += fmt::format(", {}", each.name);
    }
    return fail(ErrorCode::kUnsupported,
                "kernel set {}: unknown or not supported by this CPU, expected one of {}", kernel_set, known);
  }
  if (table_bytes_bound(model) > kTableBytesMax) {
    return fail(ErrorCode::kUnsupported, "model: tables may take {} bytes, expected at most {}",
                table_bytes_bound(model), kTableBytesMax);
  }
  return Evaluator(std::unique_ptr<State>(
      new State{.model = model, .set = set, .program = kernels::Program(describe(model), set->form)}));
}

std::string_view Evaluator::kernel_set() const noexcept {
  return state_->set->name;
}
const Model& Evaluator::model() const noexcept {
  return state_->model;
}

std::uint32_t Evaluator::load_float32(std::span<const std::byte> rows, std::uint32_t events,
                                      Workspace& workspace, ClampCounts clamped) const noexcept {
  const std::size_t inputs = state_->model.input_count();
  KANTRIG_ASSERT(events <= workspace.events_max() && rows.size() == events * inputs * sizeof(float));
  KANTRIG_ASSERT(!state_->model.codes_only && (clamped.empty() || clamped.size() == inputs));
  workspace.state_->events = events;
  kernels::RowBatch batch = workspace.state_->rows(rows, state_->program.lut().tile_bytes);
  batch.clamped = clamped.empty() ? nullptr : clamped.data();
  state_->set->load_float32(state_->program.input_stage(), batch);
  return workspace.state_->malformed_count();
}

std::uint32_t Evaluator::load_code8(std::span<const std::byte> rows, std::uint32_t events,
                                    Workspace& workspace) const noexcept {
  KANTRIG_ASSERT(events <= workspace.events_max());
  KANTRIG_ASSERT(rows.size() == std::size_t{events} * state_->model.input_count());
  workspace.state_->events = events;
  state_->set->load_code8(state_->program.input_stage(),
                          workspace.state_->rows(rows, state_->program.lut().tile_bytes));
  return workspace.state_->malformed_count();
}

std::uint32_t Evaluator::load_code16(std::span<const std::byte> rows, std::uint32_t events,
                                     Workspace& workspace) const noexcept {
  KANTRIG_ASSERT(events <= workspace.events_max());
  KANTRIG_ASSERT(rows.size() == std::size_t{events} * state_->model.input_count() * sizeof(std::uint16_t));
  workspace.state_->events = events;
  state_->set->load_code16(state_->program.input_stage(),
                           workspace.state_->rows(rows, state_->program.lut().tile_bytes));
  return workspace.state_->malformed_count();
}

void Evaluator::copy_codes(const Workspace& workspace, std::uint32_t first,
                           std::span<std::uint16_t> rows) const noexcept {
  const Workspace::State& state = *workspace.state_;
  const std::size_t inputs = state_->model.input_count();
  const std::size_t events = rows.size() / inputs;
  KANTRIG_ASSERT(first + events <= state.events);
  const std::uint32_t tile_bytes = state_->program.lut().tile_bytes;
  for (std::size_t j = 0; j < inputs; ++j) {
    const kernels::Column column = state_->program.input_stage().columns[j];
    for (std::size_t i = 0; i < events; ++i) {
      const std::size_t event = first + i;
      const std::uint8_t* const code = state.codes.data() + event / kTileEvents * tile_bytes + column.offset +
                                       event % kTileEvents * column.width;
      rows[i * inputs + j] = column.width == 1 ? *code : static_cast<std::uint16_t>(code[0] | code[1] << 8U);
    }
  }
}

void Evaluator::pack_codes(const Workspace& workspace, const RecordLayout& layout,
                           std::span<std::byte> records) const noexcept {
  const Workspace::State& state = *workspace.state_;
  const kernels::LutInputStage& stage = state_->program.input_stage();
  KANTRIG_ASSERT(layout.fields.size() == state_->model.input_count());
  KANTRIG_ASSERT(records.size() >= state.events * layout.record_bytes());
  const std::uint32_t tile_bytes = state_->program.lut().tile_bytes;
  for (std::uint32_t t = 0; t < tiles_of(state.events); ++t) {
    const std::uint32_t first = t * kTileEvents;
    TileRecords tile(layout, records.data() + first * layout.record_bytes(),
                     std::min(kTileEvents, state.events - first));
    for (std::size_t j = 0; j < layout.fields.size(); ++j) {
      const kernels::Column column = stage.columns[j];
      const std::uint8_t* const codes = state.codes.data() + std::size_t{t} * tile_bytes + column.offset;
      if (column.width == 1)
        tile.add<std::uint8_t>(codes, layout.fields[j]);
      else
        tile.add<std::uint16_t>(codes, layout.fields[j]);
    }
    tile.finish();
  }
}

void Evaluator::evaluate(Workspace& workspace) const noexcept {
  state_->set->eval_tiles(state_->program.lut(), workspace.state_->tiles());
}

void Evaluator::score_nodes(NodeColumns nodes, Workspace& workspace) const noexcept {
  KANTRIG_ASSERT(state_->model.output_stage.has_value());
  state_->set->score_tiles(state_->program.lut(), workspace.state_->tiles(), {nodes.nodes, nodes.stride});
}

}  // namespace kantrig::kan
