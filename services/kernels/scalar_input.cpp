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
void load_rows(const LutInputStage& stage, const RowBatch& batch) noexcept {
  const std::uint8_t* at = batch.rows;
  for (std::uint32_t first = 0; first < batch.events; first += kTileEvents) {
    std::uint8_t* tile = batch.codes + first / kTileEvents * std::size_t{batch.tile_bytes};
    const std::uint32_t left = batch.events - first;
    std::uint64_t malformed = 0;
    for (std::uint32_t e = 0; e < (left < kTileEvents ? left : kTileEvents); ++e) {
      bool valid = true;
      for (std::uint32_t f = 0; f < stage.features; ++f, at += sizeof(Value)) {
        const Quantised quantised = take(stage, batch, f, load<Value>(at));
        store(tile, stage.columns[f], e, quantised.code);
        valid = valid && quantised.valid;
      }
      malformed |= std::uint64_t{!valid} << e;
    }
    batch.malformed[first / kTileEvents] = malformed;
  }
}

}  // namespace

void load_float32(const LutInputStage& stage, const RowBatch& batch) noexcept { load_rows<float>(stage, batch); }

void load_code8(const LutInputStage& stage, const RowBatch& batch) noexcept { load_rows<std::uint8_t>(stage, batch); }

void load_code16(const LutInputStage& stage, const RowBatch& batch) noexcept { load_rows<std::uint16_t>(stage, batch); }

}  // namespace kantrig::kernels::scalar
