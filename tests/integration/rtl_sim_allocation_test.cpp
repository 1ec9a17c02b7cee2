// Counts what the rtl_sim backend allocates while it evaluates: a program of its own, since it replaces
// operator new, also for the simulation, whose library finds the program's.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <random>

#include "backend/backend.hpp"
#include "support/plain_design.hpp"
#include "support/rtl_build.hpp"

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
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace kantrig::test {
namespace {

TEST(RtlSimAllocation, IsNoneForABatch) {
  if (!can_simulate()) GTEST_SKIP() << kCannotSimulate;
  kan::Bundle bundle = two_layer_bundle();
  add_plain_design(bundle);
  const auto library = build_library(bundle);
  ASSERT_TRUE(library) << library.error().message;
  const auto model = backend::prepare(
      bundle, {.kind = backend::Kind::kRtlSim, .kernel_set = "auto", .rtl_sim_library = *library});
  ASSERT_TRUE(model) << model.error().message;

  constexpr std::uint32_t kEvents = 1'000;
  std::mt19937 random(3);
  std::vector<std::uint8_t> codes;
  for (std::uint32_t i = 0; i < kEvents; ++i) {
    for (const kan::InputFeature& input : bundle.model.inputs)
      codes.push_back(static_cast<std::uint8_t>(random() % (1U << input.bits)));
  }
  counting = true;
  const auto space = (*model)->make_workspace(kEvents);
  EXPECT_GT(allocation_count, 0U) << "allocations are not counted";
  const backend::Payload payload{wire::Encoding::kCode8, std::as_bytes(std::span(codes)), kEvents};
  space->evaluate(payload, {});  // warm
  allocation_count = 0;
  for (int i = 0; i < 20; ++i) space->evaluate(payload, {});
  counting = false;
  EXPECT_EQ(allocation_count, 0U);
  EXPECT_EQ(space->path(), wire::Path::kFpga);
}

}  // namespace
}  // namespace kantrig::test
