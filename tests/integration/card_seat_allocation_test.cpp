// Counts what the way through a seat allocates: a program of its own, since it replaces operator new. The
// card at the other end is a loop that copies, since the one of other tests allocates.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "unit/backend/seat_room.hpp"

namespace {
bool counting = false;
std::uint64_t allocation_count = 0;
}  // namespace

[[gnu::noinline]] void* operator new(std::size_t bytes) {
  if (counting) ++allocation_count;
  if (void* memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  if (counting) ++allocation_count;
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  if (counting) ++allocation_count;
  std::free(memory);
}

namespace kantrig::test {
namespace {

class SeatAllocation : public SeatRoom {
 protected:
  SeatAllocation() : SeatRoom({.cross_check = 1.0}) {}

  /// What runs on the shard's thread, counted.
  template <typename Work>
  void count(const Work& work) {
    counting = true;
    work();
    counting = false;
  }
  void batch(backend::Workspace& space, const SeatBatch& batch) {
    count([&] {
      space.begin(batch.payload(), {}, 1);
      seat_.flush(clock_.now);
    });
    serve();
    clock_.now += kUs;
    count([&] {
      seat_.poll(clock_.now);
      ASSERT_TRUE(space.done());
    });
  }
};

TEST_F(SeatAllocation, IsNoneForABatchAndGoldenVectorsAndTrouble) {
  bring_up();
  std::unique_ptr<backend::Workspace> space;
  count([&] { space = workspace(); });
  const SeatBatch some(data_, 500, 1);
  EXPECT_GT(std::exchange(allocation_count, 0), 0U) << "allocations are not counted";
  for (const backend::Route route : {backend::Route::kCard, backend::Route::kAuto, backend::Route::kCpu}) {
    seat_.set_route(route);
    for (int n = 0; n < 50; ++n) {
      clock_.now += 100 * kMs;  // golden vectors now and then
      batch(*space, some);
    }
  }
  EXPECT_GT(seat_.probe().canaries_passed.value(), 5U);
  EXPECT_GE(seat_.probe().batches.value(), 50U);
  seat_.set_route(backend::Route::kCard);
  card_.fault = CardFault::kFlipLiveBit;
  batch(*space, some);
  EXPECT_EQ(seat_.trouble(), backend::Trouble::kCrossCheck);
  EXPECT_EQ(space->path(), wire::Path::kCpu);
  some.expect(*space);
  EXPECT_EQ(allocation_count, 0U);
}

TEST_F(SeatAllocation, IsNoneWhenLinksAndModelsComeAndGo) {
  const auto space = workspace();
  const SeatBatch some(data_, 100, 1);
  for (std::uint64_t id = 50; id < 60; ++id) {
    join();
    card_.load(id, data_, dense_input(data_), dense_output(data_));
    place(id);
    clock_.now += kUs;
    count([&] { seat_.poll(clock_.now); });
    serve();
    clock_.now += kUs;
    count([&] { seat_.poll(clock_.now); });
    ASSERT_EQ(seat_.state(), backend::SeatState::kUp);
    seat_.set_route(backend::Route::kCard);
    batch(*space, some);
    EXPECT_EQ(space->path(), wire::Path::kFpga);
    if (id % 2 == 0) model_->clear_place(0);
    seat_.withdraw();
    count([&] { seat_.poll(clock_.now); });
    ASSERT_NE(seat_.returned(), nullptr);
  }
  EXPECT_EQ(allocation_count, 0U);
}

}  // namespace
}  // namespace kantrig::test
