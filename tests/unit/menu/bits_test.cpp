#include "menu/bits.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <vector>

namespace kantrig::menu {
namespace {

std::vector<std::int16_t> random_column(std::mt19937_64& random, std::int32_t low, std::int32_t high) {
  std::vector<std::int16_t> column(64);
  std::uniform_int_distribution<std::int32_t> any(low, high);
  for (auto& value : column) value = static_cast<std::int16_t>(any(random));
  return column;
}

TEST(Bits, CompareColumnsEventByEvent) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 200; ++round) {
    const std::int32_t reach = round % 2 == 0 ? 8 : 32767;
    const auto x = random_column(random, -reach - 1, reach);
    const auto y = random_column(random, -reach - 1, reach);
    const auto below = random_column(random, -reach - 1, reach)[0];
    const std::uint64_t above = above_word(x.data(), below);
    const std::uint64_t difference = difference_above_word(x.data(), y.data(), below);
    for (std::size_t i = 0; i < 64; ++i) {
      EXPECT_EQ((above >> i) & 1U, x[i] > below ? 1U : 0U);
      EXPECT_EQ((difference >> i) & 1U, std::clamp(x[i] - y[i], -32768, 32767) > below ? 1U : 0U);
    }
  }
}

TEST(Bits, CompareClassesEventByEvent) {
  std::array<std::uint8_t, 64> classes{};
  for (std::size_t i = 0; i < 64; ++i) classes[i] = static_cast<std::uint8_t>(i % 5 == 4 ? 255 : i % 5);
  for (const unsigned wanted : {0U, 1U, 3U, 4U, 255U}) {
    const std::uint64_t word = equal_word(classes.data(), static_cast<std::uint8_t>(wanted));
    for (std::size_t i = 0; i < 64; ++i) EXPECT_EQ((word >> i) & 1U, classes[i] == wanted ? 1U : 0U);
  }
}

TEST(Bits, GiveTheLeadOfAShiftedColumnOverSums) {
  std::mt19937_64 random(2);
  for (const int shift : {-3, 0, 5}) {
    const int left = std::max(shift, 0);
    const int right = std::max(-shift, 0);
    const auto column = random_column(random, -16383 >> left, 16383 >> left);
    const auto sums = random_column(random, -16383, 16383);
    const LeadWords words = lead_words(column.data(), left, right, sums.data(), -900, 700);
    for (std::size_t i = 0; i < 64; ++i) {
      const std::int32_t lead = ((column[i] << left) >> right) - sums[i];
      EXPECT_EQ((words.above_first >> i) & 1U, lead > -900 ? 1U : 0U);
      EXPECT_EQ((words.above_second >> i) & 1U, lead > 700 ? 1U : 0U);
    }
  }
}

TEST(Bits, AreCountedForEveryLength) {
  std::mt19937_64 random(3);
  for (std::size_t length = 0; length < 40; ++length) {
    std::vector<std::uint64_t> words(length);
    std::uint64_t expected = 0;
    for (auto& word : words) {
      word = length % 3 == 0 ? ~std::uint64_t{0} : random();
      expected += static_cast<std::uint64_t>(__builtin_popcountll(word));
    }
    EXPECT_EQ(count_bits(words), expected);
  }
}

TEST(Bits, AreTransposedFromLinesToEventsForEveryCount) {
  std::mt19937_64 random(4);
  for (std::size_t lines = 0; lines <= 64; ++lines) {
    for (const std::size_t events : {1U, 7U, 8U, 16U, 17U, 63U, 64U}) {
      std::vector<std::uint64_t> from(lines);
      for (auto& word : from) word = random();
      std::vector<std::uint64_t> to(events, 0xABABABABABABABABU);
      transpose_bits(from, to);
      for (std::size_t e = 0; e < events; ++e) {
        std::uint64_t expected = 0;
        for (std::size_t l = 0; l < lines; ++l) expected |= ((from[l] >> e) & 1U) << l;
        ASSERT_EQ(to[e], expected) << lines << " lines, event " << e << " of " << events;
      }
    }
  }
}

}  // namespace
}  // namespace kantrig::menu
