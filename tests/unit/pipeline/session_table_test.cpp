#include "pipeline/session_table.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string_view>

namespace kantrig::pipeline {
namespace {

wire::Identity bytes(std::string_view text) {
  return wire::Identity(std::as_bytes(std::span(text)));
}

TEST(SessionTable, FindsAConnectionOnlyAfterItWasOpened) {
  SessionTable table(4);
  EXPECT_EQ(table.find(bytes("a")), nullptr);
  Session* session = table.open(bytes("a"), SourceId{7}, LaneId{0});
  ASSERT_NE(session, nullptr);
  EXPECT_EQ(table.find(bytes("a")), session);
  EXPECT_EQ(table.find(bytes("b")), nullptr);
  EXPECT_EQ(table.live_count(), 1U);
}

TEST(SessionTable, MovesALaneToItsNewConnection) {
  SessionTable table(4);
  Session* before = table.open(bytes("a"), SourceId{7}, LaneId{0});
  Session* after = table.open(bytes("b"), SourceId{7}, LaneId{0});
  EXPECT_EQ(before, after);
  EXPECT_EQ(table.find(bytes("a")), nullptr) << "the old connection no longer speaks for the lane";
  EXPECT_EQ(table.find(bytes("b")), after);
  EXPECT_EQ(table.live_count(), 1U);
}

TEST(SessionTable, ChangesTheLaneOfAConnectionThatGreetsAgain) {
  SessionTable table(2);
  ASSERT_NE(table.open(bytes("a"), SourceId{7}, LaneId{0}), nullptr);
  Session* second = table.open(bytes("a"), SourceId{7}, LaneId{1});
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(second->lane, LaneId{1});
  EXPECT_EQ(table.find_lane(SourceId{7}, LaneId{0}), nullptr);
  EXPECT_EQ(table.live_count(), 1U);
}

TEST(SessionTable, RefusesWhenFullAndTakesAgainAfterAClose) {
  SessionTable table(2);
  ASSERT_NE(table.open(bytes("a"), SourceId{1}, LaneId{0}), nullptr);
  Session* b = table.open(bytes("b"), SourceId{2}, LaneId{0});
  EXPECT_EQ(table.open(bytes("c"), SourceId{3}, LaneId{0}), nullptr);
  table.close(*b);
  EXPECT_EQ(table.find(bytes("b")), nullptr);
  EXPECT_NE(table.open(bytes("c"), SourceId{3}, LaneId{0}), nullptr);
}

TEST(SessionTable, KeepsEveryConnectionFindableThroughManyChanges) {
  SessionTable table(64);
  for (std::uint32_t round = 0; round < 50; ++round) {
    for (std::uint32_t i = 0; i < 64; ++i) {
      const std::uint32_t name = round * 64 + i;
      ASSERT_NE(table.open(wire::Identity(std::as_bytes(std::span(&name, 1))), SourceId{i}, LaneId{0}),
                nullptr);
    }
    for (std::uint32_t i = 0; i < 64; ++i) {
      const std::uint32_t name = round * 64 + i;
      Session* session = table.find(wire::Identity(std::as_bytes(std::span(&name, 1))));
      ASSERT_NE(session, nullptr);
      EXPECT_EQ(session->source, SourceId{i});
    }
  }
}

}  // namespace
}  // namespace kantrig::pipeline
