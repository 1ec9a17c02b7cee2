#include "synth/treemap.hpp"

#include <algorithm>
#include <numeric>

namespace kantrig::synth {

using picture::Rectangle;

namespace {

/// The worst ratio of sides when `areas` stand side by side along a side of length `along`.
double worst_ratio(std::span<const double> areas, double along) {
  const double sum = std::accumulate(areas.begin(), areas.end(), 0.0);
  const double depth = sum / along;
  double worst = 1.0;
  for (const double area : areas) {
    const double length = area / depth;
    worst = std::max({worst, length / depth, depth / length});
  }
  return worst;
}

/// Puts `areas` along the shorter side of `room` and takes what they fill away from it.
void place_row(std::span<const double> areas, Rectangle& room, std::vector<Rectangle>& placed) {
  const double sum = std::accumulate(areas.begin(), areas.end(), 0.0);
  const bool column = room.width >= room.height;
  const double depth = sum / (column ? room.height : room.width);
  double at = column ? room.y : room.x;
  for (const double area : areas) {
    const double length = area / depth;
    placed.push_back(column ? Rectangle{room.x, at, depth, length} : Rectangle{at, room.y, length, depth});
    at += length;
  }
  if (column) {
    room.x += depth;
    room.width = std::max(room.width - depth, 1e-6);
  } else {
    room.y += depth;
    room.height = std::max(room.height - depth, 1e-6);
  }
}

}  // namespace

std::vector<Rectangle> treemap(std::span<const double> weights, const Rectangle& room) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<double> areas;
  for (const double weight : weights) areas.push_back(weight / sum * room.width * room.height);
  std::vector<Rectangle> placed;
  Rectangle left = room;
  std::span<const double> rest(areas);
  while (!rest.empty()) {
    const double along = std::min(left.width, left.height);
    std::size_t count = 1;
    while (count < rest.size() &&
           worst_ratio(rest.first(count + 1), along) <= worst_ratio(rest.first(count), along)) {
      ++count;
    }
    place_row(rest.first(count), left, placed);
    rest = rest.subspan(count);
  }
  return placed;
}

}  // namespace kantrig::synth
