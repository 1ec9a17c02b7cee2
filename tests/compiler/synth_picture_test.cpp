// The map's rectangles: in proportion, without overlap.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "synth/treemap.hpp"

namespace kantrig::synth {
namespace {

using picture::Rectangle;

double overlap(const Rectangle& a, const Rectangle& b) {
  const double width = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
  const double height = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
  return std::max(width, 0.0) * std::max(height, 0.0);
}

TEST(Treemap, FillsTheRoomInProportionWithoutOverlap) {
  const std::vector<double> weights{60, 60, 40, 30, 20, 20, 10};
  const auto boxes = treemap(weights, {10, 20, 600, 400});
  ASSERT_EQ(boxes.size(), weights.size());
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    EXPECT_NEAR(boxes[i].width * boxes[i].height, weights[i] * 1000.0, 0.01);
    EXPECT_GE(boxes[i].x, 10.0 - 1e-6);
    EXPECT_LE(boxes[i].x + boxes[i].width, 610.0 + 1e-6);
    EXPECT_LE(boxes[i].y + boxes[i].height, 420.0 + 1e-6);
    for (std::size_t k = 0; k < i; ++k) EXPECT_NEAR(overlap(boxes[i], boxes[k]), 0.0, 0.01);
  }
}

TEST(Treemap, KeepsEqualWeightsNearlySquare) {
  for (const Rectangle& box : treemap(std::vector<double>(16, 1.0), {0, 0, 400, 400})) {
    EXPECT_NEAR(box.width, 100.0, 0.01);
    EXPECT_NEAR(box.height, 100.0, 0.01);
  }
}

TEST(Treemap, TakesNothing) {
  EXPECT_TRUE(treemap({}, {0, 0, 10, 10}).empty());
}

}  // namespace
}  // namespace kantrig::synth
