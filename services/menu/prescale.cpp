#include "menu/prescale.hpp"

#include <algorithm>
#include <bit>
#include <limits>

namespace kantrig::menu {
namespace {

constexpr std::uint64_t kGamma = 0x9E3779B97F4A7C15U;  // of SplitMix64: odd, 2^64 / golden ratio
constexpr std::uint64_t kHighest = std::numeric_limits<std::uint64_t>::max();

/// Of the events `wanted` of the aligned group of 64 that starts at `group`, those whose number is at most
/// `limit`. All 64 numbers are compared at once, one bit of them per step, until none is still equal to the
/// limit so far.
std::uint64_t kept_of_group(std::uint64_t key, std::uint64_t limit, std::uint64_t group,
                            std::uint64_t wanted) {
  const int steps = 64 - std::countr_one(limit);  // below, the limit has ones only: whatever is left is kept
  std::uint64_t kept = 0;
  std::uint64_t equal = wanted;
  std::uint64_t counter = key + kGamma * group;
  // Four steps between two looks: fewer branches, and a step too many changes nothing.
  for (int i = 0; i < steps && equal != 0;) {
    for (int in_four = 0; in_four < 4; ++in_four, ++i) {
      const std::uint64_t bits = mix64(counter);
      const std::uint64_t limit_bit = 0 - (limit >> 63);
      counter += kGamma;
      limit <<= 1;
      kept |= equal & ~bits & limit_bit;
      equal &= ~(bits ^ limit_bit);
    }
  }
  return kept | equal;
}

}  // namespace

std::uint64_t prescale_key(std::uint64_t seed, std::string_view line_name) noexcept {
  std::uint64_t hash = 0xCBF29CE484222325U;  // FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv
  for (const char c : line_name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  return mix64(hash + mix64(seed + kGamma));
}

std::uint64_t prescale_number(std::uint64_t key, std::uint64_t event_id) noexcept {
  const std::uint64_t group = event_id & ~std::uint64_t{63};
  std::uint64_t number = 0;
  for (std::uint64_t i = 0; i < 64; ++i) {
    number = (number << 1) | ((mix64(key + kGamma * (group + i)) >> (event_id & 63U)) & 1U);
  }
  return number;
}

void apply_prescale(std::uint64_t key, std::uint64_t n, std::uint64_t first_event_id,
                    std::span<std::uint64_t> words) noexcept {
  if (n == 1) return;
  if (n == 0) {
    std::fill(words.begin(), words.end(), 0);
    return;
  }
  const std::uint64_t limit = kHighest / n;
  const unsigned shift = static_cast<unsigned>(first_event_id & 63U);
  std::uint64_t group = first_event_id & ~std::uint64_t{63};
  if (shift == 0) {
    for (std::uint64_t& word : words) {
      if (word != 0) word = kept_of_group(key, limit, group, word);
      group += 64;
    }
    return;
  }
  // The batch starts inside a group: each group holds the end of one word and the start of the next.
  std::uint64_t previous = 0;  // the word before, as chosen by the line
  for (std::size_t w = 0; w <= words.size(); ++w) {
    const std::uint64_t here = w < words.size() ? words[w] : 0;
    const std::uint64_t wanted = (here << shift) | (previous >> (64 - shift));
    const std::uint64_t kept = wanted != 0 ? kept_of_group(key, limit, group, wanted) : 0;
    if (w > 0) words[w - 1] |= kept << (64 - shift);
    if (w < words.size()) words[w] = kept >> shift;
    previous = here;
    group += 64;
  }
}

}  // namespace kantrig::menu
