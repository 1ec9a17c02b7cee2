#include "menu/prescale.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace kantrig::menu {
namespace {

constexpr std::uint64_t kAll = std::numeric_limits<std::uint64_t>::max();

std::vector<std::uint64_t> kept(std::uint64_t key, std::uint64_t n, std::uint64_t first_id,
                                std::size_t words) {
  std::vector<std::uint64_t> bits(words, kAll);
  apply_prescale(key, n, first_id, bits);
  return bits;
}

std::uint64_t count(const std::vector<std::uint64_t>& words) {
  std::uint64_t sum = 0;
  for (const std::uint64_t word : words) sum += static_cast<std::uint64_t>(__builtin_popcountll(word));
  return sum;
}

TEST(Prescale, KeepsAnEventExactlyWhenItsNumberIsAtMostTheLimit) {
  for (const std::uint64_t n :
       {2ULL, 3ULL, 7ULL, 10ULL, 64ULL, 1000ULL, 1ULL << 40, 1ULL << 63, kAll - 0ULL}) {
    for (const std::uint64_t first_id : {0ULL, 1ULL, 63ULL, 64ULL, 1'000'003ULL, kAll - 100ULL}) {
      const std::uint64_t key = prescale_key(5, "line");
      const auto words = kept(key, n, first_id, 8);
      for (std::uint64_t e = 0; e < 512; ++e) {
        const bool expected = prescale_number(key, first_id + e) <= kAll / n;
        ASSERT_EQ(((words[e / 64] >> (e % 64)) & 1U) != 0, expected) << "n " << n << " id " << first_id + e;
      }
    }
  }
}

TEST(Prescale, DropsAllAtZeroAndNoneAtOne) {
  EXPECT_EQ(count(kept(1, 0, 3, 10)), 0U);
  EXPECT_EQ(count(kept(1, 1, 3, 10)), 640U);
}

TEST(Prescale, KeepsOneInNWithinFiveStandardDeviations) {
  constexpr std::size_t kWords = 1 << 15;
  for (const std::uint64_t n : {2ULL, 3ULL, 10ULL, 100ULL, 1000ULL}) {
    for (const char* line : {"top_tag", "random"}) {
      const double events = kWords * 64.0;
      const double p = 1.0 / static_cast<double>(n);
      const double found = static_cast<double>(count(kept(prescale_key(1, line), n, 1, kWords)));
      EXPECT_NEAR(found, events * p, 5.0 * std::sqrt(events * p * (1.0 - p)))
          << "n " << n << " line " << line;
    }
  }
}

TEST(Prescale, OfTwoLinesKeepsEventsIndependently) {
  constexpr std::size_t kWords = 1 << 14;
  const auto first = kept(prescale_key(1, "a"), 4, 0, kWords);
  auto both = kept(prescale_key(1, "b"), 4, 0, kWords);
  for (std::size_t w = 0; w < kWords; ++w) both[w] &= first[w];
  const double events = kWords * 64.0;
  EXPECT_NEAR(static_cast<double>(count(both)), events / 16.0, 5.0 * std::sqrt(events / 16.0));
}

TEST(Prescale, OfNeighbouringEventsIsIndependent) {
  constexpr std::size_t kWords = 1 << 14;
  const auto words = kept(prescale_key(9, "a"), 4, 0, kWords);
  for (const unsigned distance : {1U, 2U, 8U, 32U}) {
    std::uint64_t pairs = 0;
    for (const std::uint64_t word : words) {
      pairs += static_cast<std::uint64_t>(__builtin_popcountll(word & (word >> distance)));
    }
    const double expected = static_cast<double>(kWords * (64 - distance)) / 16.0;
    EXPECT_NEAR(static_cast<double>(pairs), expected, 6.0 * std::sqrt(expected)) << distance;
  }
}

TEST(Prescale, DiffersBetweenSeeds) {
  EXPECT_NE(kept(prescale_key(1, "a"), 2, 0, 4), kept(prescale_key(2, "a"), 2, 0, 4));
}

TEST(Prescale, AnswersTheSameForAnEventWhateverElseTheLineChose) {
  const std::uint64_t key = prescale_key(3, "line");
  const auto all = kept(key, 3, 77, 4);
  for (std::size_t e = 0; e < 256; ++e) {
    std::vector<std::uint64_t> alone(4, 0);
    alone[e / 64] = 1ULL << (e % 64);
    apply_prescale(key, 3, 77, alone);
    EXPECT_EQ(alone[e / 64], all[e / 64] & (1ULL << (e % 64)));
    EXPECT_EQ(count(alone), static_cast<std::uint64_t>((all[e / 64] >> (e % 64)) & 1U));
  }
}

}  // namespace
}  // namespace kantrig::menu
