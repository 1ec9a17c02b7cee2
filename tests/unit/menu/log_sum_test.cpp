#include "menu/log_sum.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace kantrig::menu {
namespace {

TEST(LogSum, StaysWithinItsStatedErrorOfTheRealSum) {
  std::mt19937_64 random(1);
  for (const ScoreBounds bounds : {ScoreBounds{3, -8, 7, 0.5}, ScoreBounds{5, -128, 127, 0.0625},
                                   ScoreBounds{5, -31, 31, 1.0}, ScoreBounds{10, -2048, 2047, 0.004},
                                   ScoreBounds{5, -32768, 32767, 3e-3}, ScoreBounds{256, -64, 63, 0.2}}) {
    const LogSum setup = make_log_sum(bounds);
    ASSERT_TRUE(setup.usable) << bounds.low << " " << bounds.scale;
    std::vector<std::vector<std::int16_t>> columns(bounds.count, std::vector<std::int16_t>(1024));
    std::vector<const std::int16_t*> outputs;
    for (auto& column : columns) {
      for (auto& y : column)
        y = static_cast<std::int16_t>(std::uniform_int_distribution<int>(bounds.low, bounds.high)(random));
      outputs.push_back(column.data());
    }
    std::vector<std::int16_t> sums(960);
    log_sums(setup, outputs, 64, sums);
    for (std::size_t e = 0; e < sums.size(); ++e) {
      double highest = -1e9;
      for (const auto& column : columns) highest = std::max(highest, column[e + 64] * bounds.scale);
      double sum = 0.0;
      for (const auto& column : columns) sum += std::exp(column[e + 64] * bounds.scale - highest);
      const double exact = (highest + std::log(sum)) / setup.unit;
      ASSERT_LE(sums[e] - exact, setup.over + 1e-6);
      ASSERT_LE(exact - sums[e], setup.under + 1e-6);
    }
  }
}

TEST(LogSum, IsTightForScoresOfAUsualModel) {
  const LogSum setup = make_log_sum({5, -128, 127, 0.0625});
  EXPECT_LT((setup.under + setup.over) * setup.unit, 0.07);  // of the logarithm: few events are left open
}

TEST(LogSum, IsNotUsableForScoresThatAreTooFlat) {
  EXPECT_FALSE(make_log_sum({5, -32768, 32767, 1e-5}).usable);
  EXPECT_FALSE(make_log_sum({5, -1, 1, 1e-9}).usable);
}

}  // namespace
}  // namespace kantrig::menu
