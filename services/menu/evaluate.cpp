#include "menu/evaluate.hpp"

#include <algorithm>
#include <bit>

#include "menu/bits.hpp"

namespace kantrig::menu {
namespace {

/// The `bits` for which `test(event)` holds; it is asked for those only.
template <typename Test>
std::uint64_t select(std::uint64_t bits, std::size_t first_event, const Test& test) noexcept {
  std::uint64_t selected = 0;
  for (; bits != 0; bits &= bits - 1) {
    const auto i = static_cast<std::size_t>(std::countr_zero(bits));
    selected |= static_cast<std::uint64_t>(test(first_event + i)) << i;
  }
  return selected;
}

bool difference_holds(const Program& program, const Node& node, const Chunk& chunk,
                      std::size_t event) noexcept {
  const DifferenceTable& table = program.difference_tables[node.table];
  const auto last = static_cast<std::int32_t>(table.least.size()) - 1;
  const std::int32_t index = std::clamp(chunk.scores[node.second][event] - table.low, 0, last);
  return chunk.scores[node.first][event] >= table.least[static_cast<std::size_t>(index)];
}

/// The exact sum: what the bracket only narrows down to.
bool probability_holds(const Program& program, const Node& node, const Chunk& chunk,
                       std::size_t event) noexcept {
  const ProbabilityTest& test = program.probabilities[node.table];
  const ExpTable& table = program.exp_tables[test.exp_table];
  const std::int32_t own = chunk.scores[test.output][event];
  std::uint64_t sum = 0;
  for (std::uint32_t j = 0; j < program.output_count; ++j) {
    if (j != test.output) sum += table.at(own - chunk.scores[j][event]);
  }
  return sum <= test.limit;
}

std::uint64_t probability_word(const Program& program, const Node& node, const Chunk& chunk,
                               std::size_t event, std::uint64_t wanted) noexcept {
  const ProbabilityTest& test = program.probabilities[node.table];
  std::uint64_t sure = 0;
  std::uint64_t open = wanted;
  if (test.bracketed) {
    const LeadWords lead = lead_words(
        chunk.scores[test.output] + event, program.log_sum.shift_left, program.log_sum.shift_right,
        chunk.log_sums.data() + (event - chunk.first_event),
        static_cast<std::int16_t>(test.possible_from - 1), static_cast<std::int16_t>(test.sure_from - 1));
    sure = wanted & lead.above_second;
    open = wanted & lead.above_first & ~sure;
  }
  return sure |
         select(open, event, [&](std::size_t e) { return probability_holds(program, node, chunk, e); });
}

/// A node that is costly, for the events `wanted` of 64.
std::uint64_t costly_word(const Program& program, const Node& node, const Chunk& chunk, std::size_t event,
                          std::uint64_t wanted) noexcept {
  if (wanted == 0) return 0;
  if (node.kind == Node::Kind::kProbability) return probability_word(program, node, chunk, event, wanted);
  return select(wanted, event, [&](std::size_t e) { return difference_holds(program, node, chunk, e); });
}

void evaluate_and(const Program& program, const Node& node, const Chunk& chunk,
                  std::uint64_t* bits) noexcept {
  const std::size_t words = chunk.valid.size();
  std::copy_n(chunk.valid.begin(), words, bits);
  for (const Literal child : node.children) {
    const Node& operand = program.nodes[child.node];
    const std::uint64_t flip = child.negated ? ~std::uint64_t{0} : 0;
    if (operand.masked) {
      for (std::size_t w = 0; w < words; ++w) {
        bits[w] &= flip ^ costly_word(program, operand, chunk, chunk.first_event + 64 * w, bits[w]);
      }
    } else {
      const std::uint64_t* from = chunk.node_bits.data() + child.node * kChunkWords;
      for (std::size_t w = 0; w < words; ++w) bits[w] &= flip ^ from[w];
    }
  }
}

void evaluate_node(const Program& program, const Node& node, const Chunk& chunk,
                   std::uint64_t* bits) noexcept {
  const std::size_t words = chunk.valid.size();
  const auto below = static_cast<std::int16_t>(node.threshold - 1);
  switch (node.kind) {
    case Node::Kind::kTrue:
      std::copy_n(chunk.valid.begin(), words, bits);
      return;
    case Node::Kind::kClass: {
      const std::uint8_t* from = chunk.classes + chunk.first_event;
      for (std::size_t w = 0; w < words; ++w)
        bits[w] = equal_word(from + 64 * w, static_cast<std::uint8_t>(node.first));
      return;
    }
    case Node::Kind::kScore: {
      const std::int16_t* from = chunk.scores[node.first] + chunk.first_event;
      for (std::size_t w = 0; w < words; ++w) bits[w] = above_word(from + 64 * w, below);
      return;
    }
    case Node::Kind::kDifference: {
      const std::int16_t* x = chunk.scores[node.first] + chunk.first_event;
      const std::int16_t* y = chunk.scores[node.second] + chunk.first_event;
      for (std::size_t w = 0; w < words; ++w) bits[w] = difference_above_word(x + 64 * w, y + 64 * w, below);
      return;
    }
    case Node::Kind::kWideDifference: {
      const std::int16_t* x = chunk.scores[node.first];
      const std::int16_t* y = chunk.scores[node.second];
      for (std::size_t w = 0; w < words; ++w) {
        bits[w] = select(chunk.valid[w], chunk.first_event + 64 * w,
                         [&](std::size_t e) { return x[e] - y[e] >= node.threshold; });
      }
      return;
    }
    case Node::Kind::kDifferenceTable:
    case Node::Kind::kProbability:
      for (std::size_t w = 0; w < words; ++w) {
        bits[w] = costly_word(program, node, chunk, chunk.first_event + 64 * w, chunk.valid[w]);
      }
      return;
    case Node::Kind::kAnd:
      evaluate_and(program, node, chunk, bits);
      return;
  }
}

/// At or below this many events, one at a time costs less than words of 64.
constexpr std::size_t kFewEvents = 4;

std::int32_t score_of(const Chunk& chunk, std::uint32_t output, std::size_t event) noexcept {
  return chunk.scores[output][event];
}

/// One node for one event. `value_of` gives the node's operands.
template <typename ValueOf>
bool holds(const Program& program, const Node& node, const Chunk& chunk, std::size_t event,
           const ValueOf& value_of) noexcept {
  switch (node.kind) {
    case Node::Kind::kTrue:
      return true;
    case Node::Kind::kClass:
      return chunk.classes[event] == node.first;
    case Node::Kind::kScore:
      return score_of(chunk, node.first, event) >= node.threshold;
    case Node::Kind::kDifference:
    case Node::Kind::kWideDifference:
      return score_of(chunk, node.first, event) - score_of(chunk, node.second, event) >= node.threshold;
    case Node::Kind::kDifferenceTable:
      return difference_holds(program, node, chunk, event);
    case Node::Kind::kProbability:
      return probability_holds(program, node, chunk, event);
    case Node::Kind::kAnd:
      return std::ranges::all_of(node.children,
                                 [&](Literal child) { return value_of(child.node) != child.negated; });
  }
  return false;
}

/// As evaluate(), for a chunk of at most kFewEvents.
void evaluate_few(const Program& program, const Chunk& chunk, std::size_t events) noexcept {
  const auto bits_of = [&chunk](std::size_t node) -> std::uint64_t& {
    return chunk.node_bits[node * kChunkWords];
  };
  for (std::size_t n = 0; n < program.nodes.size(); ++n) {
    if (program.nodes[n].masked) continue;
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < events; ++i) {
      const std::size_t event = chunk.first_event + i;
      const bool value = holds(program, program.nodes[n], chunk, event, [&](std::uint32_t operand) {
        const Node& node = program.nodes[operand];
        if (!node.masked) return ((bits_of(operand) >> i) & 1U) != 0;
        return holds(program, node, chunk, event, [](std::uint32_t) { return false; });  // has no operands
      });
      bits |= static_cast<std::uint64_t>(value) << i;
    }
    bits_of(n) = bits;
  }
}

}  // namespace

void evaluate(const Program& program, const Chunk& chunk) noexcept {
  if (chunk.valid.size() == 1 && std::bit_width(chunk.valid[0]) <= static_cast<int>(kFewEvents)) {
    evaluate_few(program, chunk, static_cast<std::size_t>(std::bit_width(chunk.valid[0])));
    return;
  }
  if (program.log_sum.usable) {
    log_sums(program.log_sum, chunk.scores.first(program.output_count), chunk.first_event,
             chunk.log_sums.first(chunk.valid.size() * 64));
  }
  for (std::size_t n = 0; n < program.nodes.size(); ++n) {
    const Node& node = program.nodes[n];
    if (!node.masked) evaluate_node(program, node, chunk, chunk.node_bits.data() + n * kChunkWords);
  }
}

}  // namespace kantrig::menu
