#include <gtest/gtest.h>

#include "kernels/kernels.hpp"

namespace kantrig::kernels {
namespace {

TEST(Dispatch, ListsTheSetsBestFirst) {
  std::vector<std::string_view> names;
  for (const KernelSet& set : sets()) names.push_back(set.name);
#if defined(__x86_64__)
  EXPECT_EQ(names, (std::vector<std::string_view>{"avx512", "avx2", "scalar"}));
#else
  EXPECT_EQ(names, (std::vector<std::string_view>{"scalar"}));
#endif
}

TEST(Dispatch, AutoIsTheFirstSetThatThisCpuRuns) {
  for (const KernelSet& set : sets()) {
    if (!set.supported()) continue;
    EXPECT_EQ(select_set("auto"), &set);
    return;
  }
  FAIL() << "no kernel set is supported, not even scalar";
}

TEST(Dispatch, GivesASetByItsNameWhereTheCpuRunsIt) {
  for (const KernelSet& set : sets())
    EXPECT_EQ(select_set(set.name), set.supported() ? &set : nullptr) << set.name;
}

TEST(Dispatch, ScalarRunsEverywhere) {
  ASSERT_NE(select_set("scalar"), nullptr);
}

TEST(Dispatch, KnowsNoOtherName) {
  EXPECT_EQ(select_set("sse9"), nullptr);
  EXPECT_EQ(select_set(""), nullptr);
  EXPECT_EQ(select_set("AVX2"), nullptr);
}

}  // namespace
}  // namespace kantrig::kernels
