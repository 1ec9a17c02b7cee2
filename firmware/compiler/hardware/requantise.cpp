#include "compiler/hardware/requantise.hpp"

#include <algorithm>
#include <bit>
#include <functional>

#include "compiler/hardware/lut_builder.hpp"

namespace kantrig::compiler {
namespace {

/// The table of `value(assignment)` over `variables`, constants among them taken out.
TruthTable tabulate(const std::vector<Net>& nets, const std::function<Trit(std::size_t)>& value) {
  TruthTable table;
  std::vector<std::size_t> position(nets.size());
  for (std::size_t i = 0; i < nets.size(); ++i) {
    if (nets[i] <= kNetOne) continue;
    position[i] = table.variables.size();
    table.variables.push_back(nets[i]);
  }
  for (std::size_t a = 0; a < (std::size_t{1} << table.variables.size()); ++a) {
    std::size_t assignment = 0;
    for (std::size_t i = 0; i < nets.size(); ++i) {
      const std::size_t bit = nets[i] <= kNetOne ? nets[i] : (a >> position[i]) & 1U;
      assignment |= bit << i;
    }
    table.value.push_back(value(assignment));
  }
  return table;
}

Trit trit(bool one) {
  return one ? Trit::kOne : Trit::kZero;
}

/// The requantiser of one node, as LUTs over the bits of its sum.
class Requantiser {
 public:
  Requantiser(Netlist& netlist, std::uint32_t stage, const SumNode& node, const SumWord& sum,
              std::string word)
      : builder_(netlist, stage), plan_(plan_constant(node)), word_(std::move(word)) {
    range_ = static_cast<std::uint64_t>(node.high - node.low);
    const auto net_at = [&](std::uint32_t column) {
      return column >= sum.column && column < sum.end() ? sum.nets[column - sum.column] : kNetZero;
    };
    for (std::uint32_t i = 0; i < plan_.code_bits; ++i) code_.push_back(net_at(node.shift + i));
    const std::uint32_t top = plan_.code_bits + node.shift;
    top_max_ = sum.max >> top;
    inside_ = -plan_.wraps;
    for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(std::bit_width(top_max_)); ++i) {
      top_.push_back(net_at(top + i));
    }
    power_of_2_ = std::has_single_bit(range_ + 1);
  }

  /// Bit i of f(code), where f is the identity for codes and code + low for scores.
  std::vector<Net> build(std::uint32_t bits, const std::function<std::uint64_t(std::uint64_t)>& f,
                         bool bitwise) {
    if (!top_.empty() && (top_.size() > 4 || !power_of_2_)) reduce_top();
    if (top_.empty() && !power_of_2_ && plan_.code_bits > 0) reduce_top();
    std::vector<Net> clamped;
    for (std::uint32_t i = 0; i < plan_.code_bits; ++i) clamped.push_back(clamped_bit(i, f, bitwise));
    if (bitwise) {
      clamped.resize(bits, kNetZero);
      for (std::uint32_t i = plan_.code_bits; i < bits; ++i)
        clamped[i] = ((f(0) >> i) & 1U) != 0 ? kNetOne : kNetZero;
      return clamped;
    }
    std::vector<Net> result;
    for (std::uint32_t i = 0; i < bits; ++i) {
      result.push_back(builder_.build(
          tabulate(clamped, [&](std::size_t code) { return trit(((f(code) >> i) & 1U) != 0); }), word_));
    }
    return result;
  }

 private:
  enum class Where : std::uint8_t { kBelow, kInside, kAbove, kNever };

  [[nodiscard]] Where where(std::uint64_t top) const {
    if (top > top_max_) return Where::kNever;
    const auto value = static_cast<std::int64_t>(top);
    return value < inside_ ? Where::kBelow : value == inside_ ? Where::kInside : Where::kAbove;
  }

  /// Replaces the top bits, and the comparison with a range that is no power of 2, by two: below, above.
  void reduce_top() {
    const Net above_inside =
        power_of_2_ ? kNetZero
                    : builder_.build(tabulate(code_, [&](std::size_t code) { return trit(code > range_); }),
                                     word_ + "_over");
    std::vector<Net> nets = top_;
    nets.push_back(above_inside);
    const std::size_t top_bits = top_.size();
    const auto flag = [&](Where wanted) {
      return builder_.build(tabulate(nets,
                                     [&, wanted](std::size_t assignment) {
                                       const std::uint64_t top =
                                           assignment & ((std::uint64_t{1} << top_bits) - 1);
                                       Where found = where(top);
                                       if (found == Where::kNever) return Trit::kAny;
                                       if (found == Where::kInside && (assignment >> top_bits) != 0)
                                         found = Where::kAbove;
                                       return trit(found == wanted);
                                     }),
                            word_ + "_out");
    };
    const Net below = flag(Where::kBelow);
    const Net above = flag(Where::kAbove);
    top_ = {below, above};
    reduced_ = true;
  }

  Net clamped_bit(std::uint32_t i, const std::function<std::uint64_t(std::uint64_t)>& f, bool bitwise) {
    std::vector<Net> nets{code_[i]};
    nets.insert(nets.end(), top_.begin(), top_.end());
    const auto bit_of = [&](std::uint64_t value) { return trit(((value >> i) & 1U) != 0); };
    const std::uint64_t low = bitwise ? f(0) : 0;
    const std::uint64_t high = bitwise ? f(range_) : range_;
    const bool inverted = bitwise && plan_.code_bits > 0 && ((f(0) >> i) & 1U) != 0;
    return builder_.build(
        tabulate(nets,
                 [&](std::size_t assignment) {
                   const std::uint64_t top = assignment >> 1U;
                   Where found = where(top);
                   if (reduced_) {
                     if (top == 3) return Trit::kAny;
                     found = top == 1 ? Where::kBelow : top == 2 ? Where::kAbove : Where::kInside;
                   }
                   if (found == Where::kNever) return Trit::kAny;
                   if (found == Where::kBelow) return bit_of(low);
                   if (found == Where::kAbove) return bit_of(high);
                   return trit(((assignment & 1U) != 0) != inverted);
                 }),
        word_);
  }

  LutBuilder builder_;
  ConstantPlan plan_;
  std::string word_;
  std::uint64_t range_ = 0;
  std::vector<Net> code_;
  std::vector<Net> top_;
  std::uint64_t top_max_ = 0;
  std::int64_t inside_ = 0;
  bool power_of_2_ = true;
  bool reduced_ = false;
};

}  // namespace

ConstantPlan plan_constant(const SumNode& node) {
  ConstantPlan plan;
  plan.code_bits =
      static_cast<std::uint32_t>(std::bit_width(static_cast<std::uint32_t>(node.high - node.low)));
  const std::int64_t constant = node.constant - (std::int64_t{node.low} << node.shift);
  const std::uint32_t wrap_bits = plan.code_bits + node.shift;
  plan.wraps = constant >> wrap_bits;
  plan.added = static_cast<std::uint64_t>(constant - (plan.wraps << wrap_bits));
  return plan;
}

std::vector<Net> requantise_code(Netlist& netlist, std::uint32_t stage, const SumNode& node,
                                 const SumWord& sum, const std::string& word) {
  Requantiser requantiser(netlist, stage, node, sum, word);
  const std::uint32_t bits = code_bits(static_cast<std::uint32_t>(node.high - node.low) + 1);
  return requantiser.build(
      bits, [](std::uint64_t code) { return code; }, true);
}

std::uint32_t score_bits(const SumNode& node) {
  const std::int32_t reach = std::max(node.high, -node.low - 1);
  return 1 + static_cast<std::uint32_t>(std::bit_width(static_cast<std::uint32_t>(std::max(reach, 0))));
}

std::vector<Net> requantise_score(Netlist& netlist, std::uint32_t stage, const SumNode& node,
                                  const SumWord& sum, const std::string& word) {
  Requantiser requantiser(netlist, stage, node, sum, word);
  const std::uint32_t bits = score_bits(node);
  const auto score = [&](std::uint64_t code) {
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(code) + node.low);
  };
  // Where low is minus half of the code's range, or whole ranges, adding it only inverts or sets single bits.
  const std::int64_t range = std::int64_t{node.high} - node.low + 1;
  const bool bitwise = std::has_single_bit(static_cast<std::uint64_t>(range)) &&
                       (node.low % range == 0 || std::int64_t{node.low} * 2 == -range);
  return requantiser.build(bits, score, bitwise);
}

}  // namespace kantrig::compiler
