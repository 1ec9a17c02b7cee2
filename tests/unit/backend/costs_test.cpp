#include "backend/card/costs.hpp"

#include <gtest/gtest.h>

namespace kantrig::backend {
namespace {

TEST(CostTable, LearnsSlowlyAndBySize) {
  CostTable table;
  EXPECT_FALSE(table.at(64));
  EXPECT_FALSE(table.near(64));
  table.learn(64, 80.0F);
  EXPECT_EQ(table.at(64), 80.0F);
  EXPECT_EQ(table.at(127), 80.0F);
  EXPECT_FALSE(table.at(128));
  EXPECT_FALSE(table.at(63));
  EXPECT_EQ(table.near(1), 80.0F);
  EXPECT_EQ(table.near(0xFFFF'FFFF), 80.0F);
  table.learn(64, 160.0F);
  EXPECT_EQ(table.at(64), 90.0F);
  table.learn(1, 0.0F);
  EXPECT_TRUE(table.at(1)) << "a cost of nothing is known, too";
}

/// A model that the CPU decides in 10 ns an event, and that costs 4 ns of the thread by the card.
struct CostsTest : testing::Test {
  CostsTest() {
    costs.cpu.learn(100, 10.0F);
    costs.host.learn(100, 4.0F);
    costs.latency.learn(100, 50'000.0F);
  }
  Costs costs;
};

TEST_F(CostsTest, ALoneSmallBatchIsDecidedHereAndALoneLargeOneWhereItIsSooner) {
  EXPECT_FALSE(costs.prefer_card(100, true));
  costs.cpu.learn(16'000, 10.0F);
  costs.host.learn(16'000, 4.0F);
  EXPECT_TRUE(costs.prefer_card(16'000, true)) << "50 us and 64 us of handling, against 160 us";
  costs.latency.learn(16'000, 110'000.0F);
  EXPECT_FALSE(costs.prefer_card(16'000, true));
}

TEST_F(CostsTest, UnderLoadTheThreadsTimeCounts) {
  EXPECT_TRUE(costs.prefer_card(100, false));
  costs.host.learn(100, 400.0F);
  EXPECT_FALSE(costs.prefer_card(100, false));
}

TEST_F(CostsTest, WhatIsNotKnownIsTriedFirst) {
  EXPECT_FALSE(costs.prefer_card(5'000, false)) << "the CPU has not been measured";
  costs.cpu.learn(5'000, 10.0F);
  EXPECT_TRUE(costs.prefer_card(5'000, false)) << "the card has not";
  EXPECT_FALSE(costs.prefer_card(20'000, true)) << "but a lone batch is nobody's trial";
}

TEST_F(CostsTest, UnderLoadTheOtherWayIsTriedOnceIn256) {
  int card = 0;
  for (int i = 0; i < 2'560; ++i) card += costs.prefer_card(100, false) ? 1 : 0;
  EXPECT_EQ(card, 2'550);
}

}  // namespace
}  // namespace kantrig::backend
