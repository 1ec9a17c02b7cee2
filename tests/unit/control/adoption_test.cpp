#include "control/adoption.hpp"

#include <chrono>
#include <optional>

#include <gtest/gtest.h>

#include "support/manual_clock.hpp"
#include "support/temporary_folder.hpp"

namespace kantrig::control {
namespace {

/// Takes conditions when its ring has room, adopts them when told.
class SlowShard final : public pipeline::ShardControl {
 public:
  bool adopt(ConditionsPointer next) override {
    if (ring_is_full) return false;
    handed = std::move(next);
    return true;
  }
  ConditionsPointer adopted() override { return in_force; }
  bool drained() override { return false; }
  ledger::ShardLedger& books() override { std::abort(); }

  bool ring_is_full = false;
  ConditionsPointer handed;
  ConditionsPointer in_force;
};

class AdoptionTest : public testing::Test {
 protected:
  void begin() {
    adoption.begin(
        next, /*timeout_ms=*/10,
        {.adopted = [this] { ++adopted; }, .late = [this](Error error) { late = std::move(error); }});
  }
  void turn() {
    io.restart();
    io.run_one_for(std::chrono::seconds(10));
  }

  boost::asio::io_context io;
  test::ManualClock clock;
  SlowShard first;
  SlowShard second;
  Adoption adoption{io, clock, {&first, &second}, 1};
  ConditionsPointer next = std::make_shared<const pipeline::Conditions>();
  int adopted = 0;
  std::optional<Error> late;
};

TEST_F(AdoptionTest, IsOverWhenTheLastShardHasAdopted) {
  begin();
  EXPECT_EQ(first.handed, next);
  first.in_force = next;
  turn();
  EXPECT_EQ(adopted, 0);
  EXPECT_EQ(adoption.missing(), "shard 1");
  second.in_force = next;
  turn();
  EXPECT_EQ(adopted, 1);
  EXPECT_FALSE(adoption.active());
}

TEST_F(AdoptionTest, TriesAgainWhereARingWasFull) {
  second.ring_is_full = true;
  begin();
  turn();
  EXPECT_EQ(second.handed, nullptr);
  second.ring_is_full = false;
  turn();
  EXPECT_EQ(second.handed, next);
}

TEST_F(AdoptionTest, IsReportedLateOnceAndGoesOn) {
  begin();
  clock.now = 9'999'999;
  turn();
  EXPECT_FALSE(late);
  clock.now = 10'000'000;
  turn();
  ASSERT_TRUE(late);
  EXPECT_EQ(late->code, ErrorCode::kTimeout);
  EXPECT_NE(late->message.find("shards 0 1"), std::string::npos) << late->message;
  EXPECT_TRUE(adoption.late());
  late.reset();
  turn();
  EXPECT_FALSE(late);
  first.in_force = second.in_force = next;
  turn();
  EXPECT_EQ(adopted, 1);
}

}  // namespace
}  // namespace kantrig::control
