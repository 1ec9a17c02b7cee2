#include "compiler/hardware/realise.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "compiler/hardware/lut_builder.hpp"

namespace kantrig::compiler {
namespace {

constexpr std::size_t kRealisationsMax = 8;
constexpr std::size_t kScreenedMax = 16;  // of wide tables, how many are made to know their cost
constexpr std::int32_t kOffsetsMax = 16;
constexpr std::uint32_t kCorrectionBitsMax = 4;  // of V; beyond, splitting never pays
constexpr std::uint32_t kDroppedMax = 3;

using Values = std::vector<std::int32_t>;

/// The least of `values` over each group of entries that differ in `dropped` bits only, rounded down to a
/// multiple of 2^aligned; 0 for a group that nothing reaches.
Values coarse(const Values& values, const std::vector<bool>& reachable, std::uint32_t dropped,
              std::uint32_t aligned) {
  constexpr std::int32_t kNone = std::numeric_limits<std::int32_t>::max();
  Values least(values.size(), kNone);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (reachable[i]) least[i & ~dropped] = std::min(least[i & ~dropped], values[i]);
  }
  Values result(values.size(), 0);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::int32_t value = least[i & ~dropped];
    result[i] = value == kNone ? 0 : (value >> aligned) << aligned;
  }
  return result;
}

std::int32_t largest(const Values& values, const std::vector<bool>& reachable) {
  std::int32_t most = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (reachable[i]) most = std::max(most, values[i]);
  }
  return most;
}

std::uint32_t width_of(std::int32_t most) {
  return static_cast<std::uint32_t>(std::bit_width(static_cast<std::uint32_t>(most)));
}

/// Bits [first, last) of `values`.
std::vector<TruthTable> bits_of(const Values& values, const std::vector<bool>& reachable,
                                std::span<const Net> variables, std::uint32_t first, std::uint32_t last) {
  std::vector<TruthTable> bits;
  for (std::uint32_t bit = first; bit < last; ++bit) {
    TruthTable table{{variables.begin(), variables.end()}, {}};
    for (std::size_t i = 0; i < values.size(); ++i) {
      const bool one = ((static_cast<std::uint32_t>(values[i]) >> bit) & 1U) != 0;
      table.value.push_back(!reachable[i] ? Trit::kAny : one ? Trit::kOne : Trit::kZero);
    }
    bits.push_back(without_redundant_variables(std::move(table)));
  }
  return bits;
}

Values minus(const Values& left, const Values& right) {
  Values result(left.size());
  for (std::size_t i = 0; i < left.size(); ++i) result[i] = left[i] - right[i];
  return result;
}

std::uint32_t cost_of(const std::vector<RealisedWord>& words) {
  std::uint32_t cost = 0;
  for (const RealisedWord& word : words) {
    for (const TruthTable& bit : word.bits) cost += half_luts(bit);
  }
  return cost;
}

/// What a bit more costs in the adders: a ternary adder's LUT takes away two.
std::uint32_t with_adders(const Realisation& realisation) {
  std::uint32_t cost = realisation.half_luts;
  for (std::size_t w = 0; w < realisation.words.size(); ++w) {
    const auto bits = static_cast<std::uint32_t>(realisation.words[w].bits.size());
    const bool carry_input = w > 0 && bits == 1 && realisation.words[w].column == 0;
    cost += carry_input ? 0 : bits;
  }
  return cost;
}

std::vector<Split> splits(const std::vector<Net>& used, std::uint32_t bits) {
  std::vector<Split> result{Split{}};
  if (used.size() <= 5) return result;
  for (std::uint32_t v = 0; v < bits; ++v) {
    for (std::uint32_t aligned = 0; aligned <= 3; ++aligned) result.push_back({1U << v, 0, aligned});
  }
  for (std::uint32_t low = 2; low <= kDroppedMax && bits > low + 3; ++low) {
    const std::uint32_t mask = (1U << low) - 1;
    for (std::uint32_t aligned = 0; aligned <= 3; ++aligned) {
      result.push_back({mask, 0, aligned});
      for (std::uint32_t then = 1; then < low; ++then) result.push_back({mask, (1U << then) - 1, aligned});
    }
  }
  return result;
}

}  // namespace

Realisation realise(const Lookup& lookup, std::span<const Net> variables, const Manner& manner,
                    std::int32_t added) {
  const Split& split = manner.split;
  Values values = lookup.entries;
  for (std::int32_t& value : values) value += manner.offset + added;
  const std::vector<bool>& reachable = lookup.reachable;
  Realisation result{
      .split = split, .offset = manner.offset, .words = {}, .half_luts = 0, .slack = 0, .step = 1};
  const std::int32_t most = largest(values, reachable);
  if (split.dropped == 0) {
    const std::uint32_t width = width_of(most);
    result.words.push_back(
        {0, bits_of(values, reachable, variables, 0, width), static_cast<std::uint64_t>(most)});
    result.slack = static_cast<std::int32_t>((1U << width) - 1) - most;
  } else {
    const std::uint32_t low = split.aligned_bits;
    const Values first = coarse(values, reachable, split.dropped, low);
    const Values rest = minus(values, first);
    const std::int32_t first_most = largest(first, reachable);
    const std::uint32_t width = std::max(width_of(first_most), low);
    // The low columns of U are V's. Only with them is V a function of every code bit.
    RealisedWord main{0, bits_of(rest, reachable, variables, 0, low), 0};
    const auto high = bits_of(first, reachable, variables, low, width);
    main.bits.insert(main.bits.end(), high.begin(), high.end());
    main.max = static_cast<std::uint64_t>(first_most) + ((1U << low) - 1);
    result.words.push_back(std::move(main));
    result.step = static_cast<std::int32_t>(1U << low);
    result.slack = static_cast<std::int32_t>(1U << width) - result.step - first_most;
    Values left(rest.size());
    for (std::size_t i = 0; i < rest.size(); ++i) left[i] = rest[i] >> low;
    const auto add_word = [&](const Values& word) {
      const std::int32_t word_most = largest(word, reachable);
      if (word_most == 0) return;
      result.words.push_back({low, bits_of(word, reachable, variables, 0, width_of(word_most)),
                              static_cast<std::uint64_t>(word_most) << low});
    };
    if (split.then_dropped != 0) {
      const Values second = coarse(left, reachable, split.then_dropped, 0);
      add_word(second);
      left = minus(left, second);
    }
    add_word(left);
  }
  result.half_luts = cost_of(result.words);
  return result;
}

std::uint32_t made_half_luts(const Realisation& realisation, std::span<const Net> variables) {
  Netlist scratch;
  const std::vector<Net> inputs = scratch.add_input("code", static_cast<std::uint32_t>(variables.size()));
  LutBuilder builder(scratch, 0);
  for (const RealisedWord& word : realisation.words) {
    std::vector<TruthTable> bits = word.bits;
    for (TruthTable& bit : bits) {
      for (Net& net : bit.variables) {
        net = inputs[static_cast<std::size_t>(std::ranges::find(variables, net) - variables.begin())];
      }
    }
    (void)builder.build_word(bits, "word");
  }
  std::uint32_t cost = 0;
  for (const Cell& cell : scratch.cells()) cost += half_luts(cell);
  return cost;
}

std::vector<Realisation> realisations(const Lookup& lookup, std::span<const Net> variables) {
  std::vector<Realisation> found;
  const Realisation plain = realise(lookup, variables, {}, 0);
  std::vector<Net> used;
  for (const RealisedWord& word : plain.words) {
    for (const TruthTable& bit : word.bits)
      used.insert(used.end(), bit.variables.begin(), bit.variables.end());
  }
  std::ranges::sort(used);
  used.erase(std::ranges::unique(used).begin(), used.end());
  for (const Split& split : splits(used, static_cast<std::uint32_t>(variables.size()))) {
    for (std::int32_t offset = 0; offset < kOffsetsMax; ++offset) {
      Realisation one = realise(lookup, variables, {split, offset}, 0);
      const bool narrow = std::ranges::all_of(one.words, [&](const RealisedWord& word) {
        return &word == &one.words.front() || word.bits.size() <= kCorrectionBitsMax;
      });
      if (!narrow) break;
      found.push_back(std::move(one));
    }
  }
  const auto keep_best = [&](std::size_t count) {
    std::ranges::stable_sort(found, std::ranges::less{}, with_adders);
    if (found.size() > count) found.erase(found.begin() + static_cast<std::ptrdiff_t>(count), found.end());
  };
  if (variables.size() > 6) {
    keep_best(kScreenedMax);
    for (Realisation& one : found) one.half_luts = made_half_luts(one, variables);
  }
  // The table as it stands is always a choice: it makes the fewest words.
  keep_best(kRealisationsMax);
  if (std::ranges::none_of(found, [](const Realisation& one) { return one.split.dropped == 0; })) {
    found.push_back(realise(lookup, variables, {}, 0));
  }
  return found;
}

}  // namespace kantrig::compiler
