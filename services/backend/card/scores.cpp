#include "backend/card/scores.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace kantrig::backend {
namespace {

// Vectors of 8 scores, which every CPU of ours has: compilers of today leave the plain loop as it is. Eight
// divide the 64 events up to which columns can be read.
constexpr std::uint32_t kLanes = 8;
using Lanes [[gnu::vector_size(kLanes * sizeof(std::int16_t))]] = std::int16_t;
using Bytes [[gnu::vector_size(kLanes)]] = std::uint8_t;

Lanes load(const std::int16_t* scores) noexcept {
  Lanes lanes;
  std::memcpy(&lanes, scores, sizeof lanes);
  return lanes;
}

std::int16_t narrow(std::int32_t value) noexcept {
  using Limits = std::numeric_limits<std::int16_t>;
  return static_cast<std::int16_t>(std::clamp<std::int32_t>(value, Limits::min(), Limits::max()));
}

}  // namespace

Scores::Scores(const kan::Model& model) {
  for (const kan::Node& node : model.layers.back().nodes)
    ranges_.push_back({narrow(node.low), narrow(node.high)});
}

bool Scores::classify(std::span<const std::int16_t* const> columns, std::uint32_t events,
                      std::uint8_t* classes) const noexcept {
  bool possible = true;
  for (std::uint32_t first = 0; first < events; first += kLanes) {
    Lanes best = load(columns[0] + first);
    Lanes chosen = columns.size() == 1 ? (best > 0) & 1 : Lanes{};
    Lanes outside{};
    for (std::size_t k = 0; k < columns.size(); ++k) {
      const Lanes scores = load(columns[k] + first);
      outside |= (scores < ranges_[k].low) | (scores > ranges_[k].high);
      const Lanes larger = scores > best;  // all bits, or none
      chosen = (larger & static_cast<std::int16_t>(k)) | (chosen & ~larger);
      best = (larger & scores) | (best & ~larger);
    }
    const Bytes bytes = __builtin_convertvector(chosen, Bytes);
    std::memcpy(classes + first, &bytes, sizeof bytes);
    for (std::uint32_t i = 0; i < std::min(kLanes, events - first); ++i)
      possible = possible && outside[i] == 0;
  }
  return possible;
}

bool Scores::possible(std::span<const std::int16_t* const> columns, std::uint32_t events) const noexcept {
  for (std::size_t k = 0; k < columns.size(); ++k) {
    const auto inside = [range = ranges_[k]](std::int16_t y) { return y >= range.low && y <= range.high; };
    if (!std::all_of(columns[k], columns[k] + events, inside)) return false;
  }
  return true;
}

}  // namespace kantrig::backend
