// The input stage of the scalar kernel set: rows of features to columns of codes.
#include "kernels/lut_layer.hpp"

#include <cstring>

namespace kantrig::kernels::scalar {
namespace {

// Adding and taking away 2^23 leaves a float of [0, 2^22] rounded to an integer, half to even.
constexpr float kRounder = 8388608.0F;

template <typename Value>
Value load(const std::uint8_t* from) noexcept {
  Value value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

void store(std::uint8_t* tile, Column column, std::uint32_t event, std::uint32_t code) noexcept {
  if (column.width == 1) {
    tile[column.offset + event] = static_cast<std::uint8_t>(code);
    return;
  }
  const auto word = static_cast<std::uint16_t>(code);
  std::memcpy(tile + column.offset + 2 * std::size_t{event}, &word, sizeof word);
}

struct Quantised {
  std::uint32_t code = 0;
  bool valid = true;
};

Quantised take(const LutInputStage& stage, const RowBatch& batch, std::uint32_t f, float value) noexcept {
  const float scaled = value * stage.scale[f];
  const float t = scaled + stage.offset[f];
  if (t != t) return {.code = 0, .valid = false};
  // Rounded to even, t is below 0 when t < -0.5, and above an odd integer when t >= it + 0.5.
  if (batch.clamped != nullptr && (t < -0.5F || t >= stage.highest[f] + 0.5F)) ++batch.clamped[f];
  const float raised = t > 0.0F ? t : 0.0F;
  const float cut = raised < stage.highest[f] ? raised : stage.highest[f];
  const float rounded = (cut + kRounder) - kRounder;
  return {.code = static_cast<std::uint32_t>(rounded), .valid = true};
}

template <typename Code>
Quantised take(const LutInputStage& stage, const RowBatch& /*batch*/, std::uint32_t f, Code code) noexcept {
  if (code > stage.max_code[f]) return {.code = stage.max_code[f], .valid = false};
  return {.code = code, .valid = true};
}

template <typename Value>
std::uint64_t load_block(const LutInputStage& stage, const RowBatch& batch, BlockPlace place) noexcept {
  const std::uint32_t first = place.tile * kTileEvents;
  const std::uint32_t left = batch.events - first;
  const std::uint32_t begin = place.block * kBlockFeatures;
  const std::uint32_t end = stage.features - begin < kBlockFeatures ? stage.features : begin + kBlockFeatures;
  std::uint8_t* tile = batch.codes + place.tile * std::size_t{batch.tile_bytes};
  std::uint64_t malformed = 0;
  for (std::uint32_t e = 0; e < (left < kTileEvents ? left : kTileEvents); ++e) {
    const std::uint8_t* row = batch.rows + (first + e) * (std::size_t{stage.features} * sizeof(Value));
    bool valid = true;
    for (std::uint32_t f = begin; f < end; ++f) {
      const Quantised quantised = take(stage, batch, f, load<Value>(row + f * sizeof(Value)));
      store(tile, stage.columns[f], e, quantised.code);
      valid = valid && quantised.valid;
    }
    malformed |= std::uint64_t{!valid} << e;
  }
  return malformed;
}

void load_rows(const LutInputStage& stage, const RowBatch& batch, LoadBlockFn* block_fn) noexcept {
  for (std::uint32_t tile = 0; tile * kTileEvents < batch.events; ++tile) {
    std::uint64_t malformed = 0;
    for (std::uint32_t block = 0; block * kBlockFeatures < stage.features; ++block) {
      malformed |= block_fn(stage, batch, {.tile = tile, .block = block});
    }
    batch.malformed[tile] = malformed;
  }
}

}  // namespace

std::uint64_t load_float32_block(const LutInputStage& stage, const RowBatch& batch,
                                 BlockPlace place) noexcept {
  return load_block<float>(stage, batch, place);
}

std::uint64_t load_code8_block(const LutInputStage& stage, const RowBatch& batch, BlockPlace place) noexcept {
  return load_block<std::uint8_t>(stage, batch, place);
}

std::uint64_t load_code16_block(const LutInputStage& stage, const RowBatch& batch,
                                BlockPlace place) noexcept {
  return load_block<std::uint16_t>(stage, batch, place);
}

void load_float32(const LutInputStage& stage, const RowBatch& batch) noexcept {
  load_rows(stage, batch, load_float32_block);
}

void load_code8(const LutInputStage& stage, const RowBatch& batch) noexcept {
  load_rows(stage, batch, load_code8_block);
}

void load_code16(const LutInputStage& stage, const RowBatch& batch) noexcept {
  load_rows(stage, batch, load_code16_block);
}

}  // namespace kantrig::kernels::scalar
