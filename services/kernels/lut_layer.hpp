// What the hot loops see: tables laid out for one kernel set, as plain data. Files built for an instruction
// set include only this, so it holds no inline function and nothing of the standard library beyond its
// integer types.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kantrig::kernels {

constexpr std::uint32_t kTileEvents =
    64;  // events that are evaluated together; one AVX-512 register of byte codes
constexpr std::uint32_t kBlockFeatures = 16;  // features that the input stage takes at once

/// Where a tile keeps the codes of one input or node: kTileEvents codes of `width` bytes.
struct Column {
  std::uint32_t offset = 0;  // bytes from the start of the tile's codes; a multiple of 64
  std::uint32_t width = 1;   // 1 or 2 bytes a code
};

/// One look-up in a table of bytes, for all events of a tile.
struct Lookup {
  std::uint32_t index = 0;  // bytes to the column; for avx2 to the prepared indices of one chunk
  std::uint32_t table = 0;  // bytes into LutProgram::tables
};

/// Look-ups whose sum never exceeds 255, so that it is taken in byte lanes.
struct ByteGroup {
  std::uint32_t lookup_begin = 0;
  std::uint32_t count_64 = 0;   // tables of 64 entries (avx2: chunks of 16), then ...
  std::uint32_t count_128 = 0;  // ... of 128, then ...
  std::uint32_t count_256 = 0;  // ... of 256
  std::uint8_t start = 0;       // what the sum starts from, modulo 256; 0 but for kByte nodes
  bool high = false;            // the sum counts 256-fold: high bytes of tables that need two
};

/// One look-up in a table of 16-bit entries.
struct WordLookup {
  Column column;
  std::uint32_t table = 0;  // entries into LutProgram::word_tables
};

enum class SumWidth : std::uint8_t { kByte, kHalf, kFull };  // 8, 16, 32 bits

/// A node. Entries are stored minus the least of their table, so that the sum `u` of the look-ups is never
/// negative:
///   kByte: one or two groups, which start such that their sums a and b are exact as signed bytes;
///          code = min((max(a + b, byte_floor) + byte_raise) >> shift, top), a + b saturating
///   kHalf: code = min(((u + add) - sub) >> shift, top), add and subtract saturating
///   kFull: code = min(max(base + u >> shift, low), high) - low
struct LutNode {
  SumWidth sum = SumWidth::kFull;
  std::int8_t byte_floor = 0;
  std::uint8_t byte_raise = 0;
  std::uint16_t add = 0;
  std::uint16_t sub = 0;
  std::uint16_t top = 0;
  std::uint32_t shift = 0;
  std::int32_t base = 0;
  std::int32_t low = 0;
  std::int32_t high = 0;
  std::uint32_t group_begin = 0;
  std::uint32_t group_end = 0;
  std::uint32_t word_begin = 0;
  std::uint32_t word_end = 0;
  Column out;
};

/// A column whose indices avx2 makes ready once for all nodes: chunk c at index + 64 * c.
struct Prepared {
  std::uint32_t column = 0;
  std::uint32_t index = 0;
  std::uint32_t chunks = 0;
};

struct LutLayer {
  std::uint32_t node_begin = 0;
  std::uint32_t node_end = 0;
  std::uint32_t prepared_begin = 0;
  std::uint32_t prepared_end = 0;
};

struct LutOutput {
  Column column;
  std::int16_t low = 0;  // output = code + low
  std::uint8_t byte_rank =
      0;  // low minus the least low of all outputs; meaningful when LutProgram::ranks_in_bytes
};

/// A node of the last layer beside its target: what lies in a tile's scratch for it.
struct DistanceTerm {
  Column node;              // in the codes of the last layer
  Column target;            // from the start of the tile's scratch
  Column input;             // in the tile's codes: what the target is looked up from
  std::int32_t offset = 0;  // node - target = code of the node - code of the target + offset
  std::int16_t low = 0;     // node = code + low
  std::uint32_t table = 0;  // entries into LutDistance::tables: targets by code of the input
  bool widen = false;       // the sum in narrow lanes is moved to wide ones behind this term
};

/// The output stage of an autoencoder. Targets are looked up by nodes beside those of the first layer, into
/// columns that the layers leave alone. in_bytes: every code is a byte, every offset 0; between two terms
/// that widen the narrow sums stay exact: absolute in 8 bits, then 16; squared in 16 bits, then 32.
struct LutDistance {
  const DistanceTerm* terms = nullptr;
  std::uint32_t term_count = 0;  // 0: there is none
  bool squared = false;
  bool in_bytes = false;
  std::uint32_t shift = 0;
  std::int16_t class_above = 0;
  const std::int16_t* tables = nullptr;
  LutLayer targets;  // the nodes that look targets up, alone
};

constexpr std::uint32_t kScoreMax = 32767;  // of a distance

constexpr std::uint32_t kRowLanes = 16;  // nodes that are summed at once for a single event

/// One input with edges, for single events: a row of `lanes` 16-bit entries for each code, a lane a node.
struct RowInput {
  Column column;            // behind the first layer: two bytes a code, offset = 2 * node
  std::uint32_t table = 0;  // entries into LutProgram::row_tables
};

/// A layer for single events: code = min(s * keep | s * multiply >> 16, top) with s = (u + add) - sub, both
/// saturating; output = code + low. The six constants lie in row_tables, in this order, `lanes` entries each.
enum RowConstant : std::uint32_t {
  kRowAdd,
  kRowSub,
  kRowKeep,
  kRowMultiply,
  kRowTop,
  kRowLow,
  kRowConstants
};

struct RowLayer {
  std::uint32_t input_begin = 0;
  std::uint32_t input_end = 0;
  std::uint32_t lanes = 0;      // nodes, rounded up to kRowLanes
  std::uint32_t constants = 0;  // entries into row_tables
};

/// A model laid out for one kernel set. Immutable, shared by threads.
struct LutProgram {
  const LutLayer* layers = nullptr;
  std::uint32_t layer_count = 0;
  const LutNode* nodes = nullptr;
  const ByteGroup* groups = nullptr;
  const Lookup* lookups = nullptr;
  const WordLookup* words = nullptr;
  const Prepared* prepared = nullptr;
  const std::uint8_t* tables = nullptr;  // aligned to 64
  const std::uint16_t* word_tables = nullptr;
  const LutOutput* outputs = nullptr;
  std::uint32_t output_count = 0;
  bool ranks_in_bytes = false;   // output + constant fits a byte for every output
  std::uint32_t tile_bytes = 0;  // codes of all inputs of a tile
  std::uint32_t layer_bytes =
      0;  // codes of the largest inner layer of a tile; scratch holds two of these, ...
  std::uint32_t prepared_bytes = 0;  // ... then the prepared indices of a tile, then targets of a distance
  std::uint32_t scratch_bytes = 0;   // of a tile; scratch holds kTilesAtOnce of these
  LutDistance distance;
  // Single events; no layers when a node needs more than 16 bits or the rows would be too large.
  const RowLayer* row_layers = nullptr;
  const RowInput* row_inputs = nullptr;
  const std::uint16_t* row_tables = nullptr;
  std::uint32_t row_lanes_max = 0;  // scratch holds two times as many 16-bit codes
};

constexpr std::uint32_t kTilesAtOnce = 4;  // most tiles that a kernel set interleaves

/// A batch whose codes are loaded. Tile t of `codes` starts at t * tile_bytes.
struct TileBatch {
  const std::uint8_t* codes = nullptr;
  std::uint32_t events = 0;
  std::uint8_t* scratch = nullptr;
  std::int16_t* outputs = nullptr;  // output k of event i at k * output_stride + i
  std::uint32_t output_stride = 0;  // entries; whole tiles are written
  std::uint8_t* classes = nullptr;  // whole tiles are written
};

/// Nodes of the last layer as someone else computed them, for the events of a batch whose codes are loaded.
struct NodeColumns {
  const std::int16_t* nodes = nullptr;  // node k of event i at k * stride + i, readable for whole tiles
  std::size_t stride = 0;               // entries
};

/// From rows of features to columns of codes. Arrays are padded to whole blocks of kBlockFeatures.
struct LutInputStage {
  std::uint32_t features = 0;
  const Column* columns = nullptr;
  const float* scale = nullptr;
  const float* offset = nullptr;
  const float* highest = nullptr;            // largest code, as a float
  const std::uint16_t* max_code = nullptr;   // largest code
  const std::uint8_t* byte_block = nullptr;  // per block: every column is of bytes
};

struct RowBatch {
  const std::uint8_t* rows = nullptr;  // any alignment; nothing past the last row is read
  std::uint32_t events = 0;
  std::uint8_t* codes = nullptr;
  std::uint32_t tile_bytes = 0;
  std::uint64_t* malformed = nullptr;  // one word a tile, written
  std::uint32_t* clamped = nullptr;    // one counter a feature, added to; or nullptr
};

/// kBlockFeatures features of one tile.
struct BlockPlace {
  std::uint32_t tile = 0;
  std::uint32_t block = 0;
};

using EvalTilesFn = void(const LutProgram& program, const TileBatch& batch) noexcept;
/// The output stage alone. Precondition: the program has a distance.
using ScoreTilesFn = void(const LutProgram& program, const TileBatch& batch, NodeColumns nodes) noexcept;
/// Output and class of one tile from the codes of its last layer and its scratch.
using FinishDistanceFn = void(const LutProgram& program, const std::uint8_t* codes,
                              const std::uint8_t* scratch, const TileBatch& batch,
                              std::uint32_t first) noexcept;
using LoadRowsFn = void(const LutInputStage& stage, const RowBatch& batch) noexcept;
/// Loads one block of features of one tile and returns which of its events are malformed in it.
using LoadBlockFn = std::uint64_t(const LutInputStage& stage, const RowBatch& batch,
                                  BlockPlace place) noexcept;

namespace scalar {
EvalTilesFn eval_tiles;
ScoreTilesFn score_tiles;
FinishDistanceFn finish_distance;
/// One event of it.
FinishDistanceFn finish_distance_event;
/// The same from the nodes' values themselves, one after the other.
void finish_distance_values(const LutProgram& program, const std::int16_t* values, const TileBatch& batch,
                            std::uint32_t event) noexcept;
/// The codes of the last layer of one tile, from the nodes that someone else computed.
void load_nodes(const LutProgram& program, NodeColumns nodes, std::uint32_t first,
                std::uint8_t* codes) noexcept;
LoadRowsFn load_float32;
LoadRowsFn load_code8;
LoadRowsFn load_code16;
LoadBlockFn load_float32_block;
LoadBlockFn load_code8_block;
LoadBlockFn load_code16_block;
/// One node of any kind that has word look-ups only, on one tile. The other sets use it where they have
/// nothing better.
void eval_node(const LutProgram& program, const LutNode& node, const std::uint8_t* codes,
               std::uint8_t* out) noexcept;
/// Sum of the word look-ups of a 16-bit node on one tile: low bytes, then high bytes, kTileEvents each.
void sum_words(const LutProgram& program, const LutNode& node, const std::uint8_t* codes,
               std::uint8_t* planes) noexcept;
/// Outputs and classes of one tile from the codes of its last layer.
void finish_tile(const LutProgram& program, const std::uint8_t* codes, const TileBatch& batch,
                 std::uint32_t first) noexcept;
}  // namespace scalar

namespace avx2 {
EvalTilesFn eval_tiles;
ScoreTilesFn score_tiles;
/// Precondition, also of the one below: distance.in_bytes.
FinishDistanceFn finish_distance;
LoadRowsFn load_float32;
LoadRowsFn load_code8;
LoadRowsFn load_code16;
/// One event of a batch, the shortest way; also what avx512 does. Precondition: the program has rows.
void eval_event(const LutProgram& program, const TileBatch& batch, std::uint32_t event) noexcept;
}  // namespace avx2

namespace avx512 {
EvalTilesFn eval_tiles;
ScoreTilesFn score_tiles;
FinishDistanceFn finish_distance;
LoadRowsFn load_float32;
LoadRowsFn load_code8;
LoadRowsFn load_code16;
}  // namespace avx512

}  // namespace kantrig::kernels
