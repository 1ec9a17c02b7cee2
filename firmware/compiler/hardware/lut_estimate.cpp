#include "compiler/hardware/lut_estimate.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "base/assert.hpp"

namespace kantrig::compiler {
namespace {

constexpr std::uint32_t kLutInputs = 6;
constexpr std::size_t kBlockCodes = 64;  // that one LUT6 tells apart
constexpr std::size_t kBlocksMax = kan::kTableEntriesMax / kBlockCodes;
constexpr std::uint32_t kDroppedMax = 3;       // code bits that a split leaves out
constexpr std::size_t kSplitCodesMin = 16;     // and codes that it leaves
constexpr std::size_t kMultiplexedBlocks = 4;  // F7, then F8
constexpr std::uint32_t kNeverPays = 1000;

// Fitted to Yosys's counts of 44 models (README.md). Look-ups stand inside adders where the compiler finds
// that cheaper, so that tables weigh more than LUTs of their own would and adders less; functions of many
// inputs pack less tightly than the halves say; clamping often vanishes in what is left of the adders.
constexpr double kTableWeight5 = 1.92;  // of tables of up to 5 code bits
constexpr double kTableWeight6 = 1.35;
constexpr double kTableWeight7 = 1.29;  // and more
constexpr double kAdderWeight = 0.47;

constexpr std::uint32_t kSmallBitsMax = 2;  // of codes whose tables are joined
constexpr std::uint32_t kJoinedBitsMax = 5;

/// One bit of a table: bit c % 64 of block c / 64 is its value for code c.
using Blocks = std::array<std::uint64_t, kBlocksMax>;

/// Where bit v of a block's index is 0.
constexpr std::array<std::uint64_t, kLutInputs> kZeroHalf{0x5555555555555555, 0x3333333333333333,
                                                          0x0F0F0F0F0F0F0F0F, 0x00FF00FF00FF00FF,
                                                          0x0000FFFF0000FFFF, 0x00000000FFFFFFFF};

/// Bits that hold every value up to `most`.
std::uint32_t width_of(std::uint64_t most) {
  return static_cast<std::uint32_t>(std::bit_width(most));
}

/// Code bits that a block depends on.
std::uint32_t variables_of(std::uint64_t block) {
  std::uint32_t variables = 0;
  for (std::uint32_t v = 0; v < kLutInputs; ++v) {
    variables += ((block ^ (block >> (1U << v))) & kZeroHalf[v]) != 0 ? 1U : 0U;
  }
  return variables;
}

/// What one bit of a table costs. Whole: it uses all of its code bits, so that a free multiplexer can follow.
struct BitCost {
  std::uint32_t halves = 0;
  bool constant = false;
  bool whole = false;
};

BitCost block_cost(std::uint64_t block) {
  const std::uint32_t variables = variables_of(block);
  const std::uint32_t halves = variables <= 1 ? 0 : variables < kLutInputs ? 1 : 2;
  return {.halves = halves, .constant = variables == 0, .whole = variables == kLutInputs};
}

std::uint32_t half_luts_of(std::uint32_t variables) {
  return variables < kLutInputs ? 1 : 2;
}

/// Halves for one bit over 7 or 8 code bits as F(h(upper bits), lowest bits): few h when the values of
/// neighbouring codes follow few patterns (Ashenhurst, Curtis).
std::uint32_t decomposed_halves(std::span<const std::uint64_t> blocks) {
  std::uint32_t best = kNeverPays;
  const auto variables = kLutInputs + width_of(blocks.size() - 1);
  for (std::uint32_t rest = 2; rest <= 3; ++rest) {
    const std::uint32_t bound = variables - rest;
    if (bound > kLutInputs) continue;
    std::array<std::uint64_t, 4> seen{};  // a bit for each pattern of up to 8 values
    const std::uint32_t step = 1U << rest;
    for (const std::uint64_t block : blocks) {
      for (std::uint32_t at = 0; at < kBlockCodes; at += step) {
        const std::uint64_t pattern = (block >> at) & ((1U << step) - 1);
        seen[pattern / 64] |= std::uint64_t{1} << (pattern % 64);
      }
    }
    std::uint32_t patterns = 0;
    for (const std::uint64_t word : seen) patterns += static_cast<std::uint32_t>(std::popcount(word));
    const std::uint32_t functions = width_of(patterns - 1);
    if (functions + rest > kLutInputs || functions >= bound) continue;
    best = std::min(best, functions * half_luts_of(bound) + half_luts_of(functions + rest));
  }
  return best;
}

/// Chooses by the uppermost code bit between what the two halves of `blocks` say: F7 and F8 do that for
/// nothing behind whole LUTs, else it takes a LUT of three inputs.
BitCost bit_cost(std::span<const std::uint64_t> blocks) {
  if (blocks.size() == 1) return block_cost(blocks[0]);
  const auto low_blocks = blocks.first(blocks.size() / 2);
  const auto high_blocks = blocks.last(blocks.size() / 2);
  const BitCost low = bit_cost(low_blocks);
  if (std::ranges::equal(low_blocks, high_blocks)) return {low.halves, low.constant, false};
  const BitCost high = bit_cost(high_blocks);
  if (low.constant && high.constant) return {};
  const bool whole = low.whole && high.whole && blocks.size() <= kMultiplexedBlocks;
  const std::uint32_t halves = low.halves + high.halves + (whole ? 0 : 1);
  if (blocks.size() > kMultiplexedBlocks) return {halves, false, false};
  const std::uint32_t decomposed = decomposed_halves(blocks);
  return decomposed < halves ? BitCost{decomposed, false, false} : BitCost{halves, false, whole};
}

using Values = std::array<std::uint32_t, kan::kTableEntriesMax>;

/// A table whose entries start at 0, as compilers see it.
class Table {
 public:
  explicit Table(std::span<const std::int16_t> entries) {
    const auto [low, high] = std::minmax_element(entries.begin(), entries.end());
    range_ = static_cast<std::uint32_t>(*high - *low);
    codes_ = std::bit_ceil(entries.size());
    for (std::size_t c = 0; c < entries.size(); ++c) {
      values_[c] = static_cast<std::uint32_t>(entries[c] - *low);
    }
    // Codes that do not occur may be given what makes the uppermost bit matter least.
    for (std::size_t c = entries.size(); c < codes_; ++c) values_[c] = values_[c - codes_ / 2];
  }
  [[nodiscard]] std::uint32_t range() const { return range_; }

  [[nodiscard]] std::uint32_t halves() const { return halves_of(values_, codes_, range_); }

  /// A word of the least of 2^dropped neighbours, which needs so many code bits less, and one of what is
  /// missing; cheaper where a table is smooth, though the adders see a word more.
  [[nodiscard]] std::uint32_t split_halves(std::uint32_t dropped) const {
    Values coarse;
    Values fine;
    std::uint32_t fine_most = 0;
    const std::size_t group = std::size_t{1} << dropped;
    for (std::size_t first = 0; first < codes_; first += group) {
      const auto begin = values_.begin() + static_cast<std::ptrdiff_t>(first);
      const std::uint32_t least = *std::min_element(begin, begin + static_cast<std::ptrdiff_t>(group));
      coarse[first / group] = least;
      for (std::size_t c = first; c < first + group; ++c) {
        fine[c] = values_[c] - least;
        fine_most = std::max(fine_most, fine[c]);
      }
    }
    return halves_of(coarse, codes_ / group, range_) + halves_of(fine, codes_, fine_most) +
           width_of(fine_most);
  }
  [[nodiscard]] std::size_t codes() const { return codes_; }

 private:
  [[nodiscard]] static std::uint32_t halves_of(const Values& values, std::size_t codes, std::uint32_t most) {
    const std::size_t count = std::max<std::size_t>(1, codes / kBlockCodes);
    std::uint32_t halves = 0;
    Blocks blocks;
    for (std::uint32_t bit = 0; bit < width_of(most); ++bit) {
      for (std::size_t b = 0; b < count; ++b) {
        std::uint64_t block = 0;
        for (std::size_t i = 0; i < std::min(codes, kBlockCodes); ++i) {
          block |= static_cast<std::uint64_t>((values[b * kBlockCodes + i] >> bit) & 1U) << i;
        }
        for (std::size_t filled = codes; filled < kBlockCodes; filled *= 2) block |= block << filled;
        blocks[b] = block;
      }
      halves += bit_cost(std::span(blocks).first(count)).halves;
    }
    return halves;
  }

  Values values_;
  std::size_t codes_ = 0;
  std::uint32_t range_ = 0;
};

double table_weight(std::uint32_t code_bits) {
  return code_bits < kLutInputs ? kTableWeight5 : code_bits == kLutInputs ? kTableWeight6 : kTableWeight7;
}

/// What a node's adders see, by greatest value: tables of one- and two-bit codes are joined while together
/// they have at most five bits.
struct Joined {
  std::vector<std::uint64_t> words;
  double saved = 0.0;  // LUTs of tables
};
Joined join_small(std::span<const EdgeLuts> edges) {
  Joined result;
  std::uint64_t most = 0;  // of the table being joined
  std::uint32_t bits = 0;
  const auto close = [&] {
    if (bits == 0) return;
    result.words.push_back(most);
    result.saved -= 0.5 * width_of(most) * kTableWeight5;
    most = 0;
    bits = 0;
  };
  for (const EdgeLuts& edge : edges) {
    if (edge.range == 0) continue;
    if (edge.code_bits > kSmallBitsMax) {
      result.words.push_back(edge.range);
      continue;
    }
    if (bits + edge.code_bits > kJoinedBitsMax) close();
    bits += edge.code_bits;
    most += edge.range;
    result.saved += edge.table;
  }
  close();
  return result;
}

}  // namespace

EdgeLuts edge_luts(std::span<const std::int16_t> entries) {
  KANTRIG_ASSERT(!entries.empty() && entries.size() <= kan::kTableEntriesMax);
  const Table table(entries);
  EdgeLuts result{.table = 0.0,
                  .width = width_of(table.range()),
                  .range = table.range(),
                  .code_bits = width_of(entries.size() - 1)};
  if (result.range == 0) return result;
  std::uint32_t halves = table.halves();
  for (std::uint32_t dropped = 1; dropped <= kDroppedMax && table.codes() >> dropped >= kSplitCodesMin;
       ++dropped) {
    halves = std::min(halves, table.split_halves(dropped));
  }
  result.table = 0.5 * halves * table_weight(result.code_bits);
  return result;
}

double adder_luts(std::span<const EdgeLuts> edges) {
  Joined joined = join_small(edges);
  double luts = -joined.saved;
  std::vector<std::uint64_t>& words = joined.words;
  // Three operands an adder, the narrowest first: a LUT and a carry bit a column, and two columns for what is
  // carried out.
  std::ranges::sort(words, std::ranges::greater{});
  while (words.size() > 1) {
    const std::size_t taken = std::min<std::size_t>(3, words.size());
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < taken; ++i) sum += words[words.size() - 1 - i];
    const std::uint64_t widest = words[words.size() - taken];
    words.resize(words.size() - taken);
    luts += kAdderWeight * (width_of(widest) + (taken == 3 ? 1 : 0));
    words.insert(std::ranges::upper_bound(words, sum, std::ranges::greater{}), sum);
  }
  return luts;
}

LutEstimate estimate_luts(const kan::Model& model) {
  LutEstimate estimate;
  for (const kan::Layer& layer : model.layers) {
    LayerLuts luts;
    for (const kan::Node& node : layer.nodes) {
      const std::size_t first = luts.edges.size();
      for (std::uint32_t e = node.edge_begin; e < node.edge_end; ++e) {
        const kan::Edge& edge = layer.edges[e];
        const std::span entries(layer.tables.data() + edge.table_offset, layer.input_codes[edge.input]);
        luts.edges.push_back(edge_luts(entries));
        estimate.tables += luts.edges.back().table;
      }
      luts.adders.push_back(adder_luts(std::span(luts.edges).subspan(first)));
      estimate.adders += luts.adders.back();
    }
    estimate.layers.push_back(std::move(luts));
  }
  return estimate;
}

}  // namespace kantrig::compiler
