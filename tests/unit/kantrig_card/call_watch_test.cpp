#include "apps/kantrig-card/call_watch.hpp"

#include <gtest/gtest.h>

#include "support/manual_clock.hpp"

namespace kantrig::card_host {
namespace {

TEST(CallWatch, NamesACallThatIsPastItsLimit) {
  test::ManualClock clock;
  clock.now = 1'000;
  CallWatch watch(clock);
  EXPECT_FALSE(watch.stuck(clock.now_ns()));
  {
    const CallWatch::Call call(watch, "loading an xclbin", 500);
    EXPECT_FALSE(watch.stuck(clock.now_ns() + 499));
    EXPECT_EQ(watch.stuck(clock.now_ns() + 500), "loading an xclbin");
  }
  EXPECT_FALSE(watch.stuck(clock.now_ns() + 10'000));
}

}  // namespace
}  // namespace kantrig::card_host
