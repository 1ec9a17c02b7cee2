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

constexpr std::size_t kTopBitsMax = 4;       // that a clamping LUT looks at itself
constexpr std::size_t kComparedBitsMax = 6;  // by one LUT

/// The requantiser of one node, as LUTs over the bits of its sum.
class Requantiser {
 public:
  Requantiser(Netlist& netlist, RequantiseStages stages, const SumNode& node, const SumWord& sum,
              std::string word)
      : compare_(netlist, stages.compare),
        clamp_(netlist, stages.clamp),
        plan_(plan_constant(node)),
        word_(std::move(word)) {
    least_ = static_cast<std::uint64_t>(node.low - plan_.base);
    most_ = static_cast<std::uint64_t>(node.high - plan_.base);
    const auto net_at = [&](std::uint32_t column) {
      return column >= sum.column && column < sum.end() ? sum.nets[column - sum.column] : kNetZero;
    };
    for (std::uint32_t i = 0; i < plan_.value_bits; ++i) value_.push_back(net_at(node.shift + i));
    const std::uint32_t top = plan_.value_bits + node.shift;
    top_max_ = sum.max >> top;
    inside_ = -plan_.wraps;
    for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(std::bit_width(top_max_)); ++i) {
      top_.push_back(net_at(top + i));
    }
    if (needs_comparison(node, sum.max)) reduce_top();
  }

  /// Bit i of the clamped value, inverted or not.
  Net bit(std::uint32_t i, bool inverted) {
    std::vector<Net> nets{value_[i]};
    nets.insert(nets.end(), top_.begin(), top_.end());
    const auto bit_of = [&](std::uint64_t value) { return trit((((value >> i) & 1U) != 0) != inverted); };
    return clamp_.build(tabulate(nets,
                                 [&](std::size_t assignment) {
                                   switch (place(assignment >> 1U)) {
                                     case Where::kBelow:
                                       return bit_of(least_);
                                     case Where::kAbove:
                                       return bit_of(most_);
                                     case Where::kInside:
                                       return trit(((assignment & 1U) != 0) != inverted);
                                     case Where::kNever:
                                       break;
                                   }
                                   return Trit::kAny;
                                 }),
                        word_);
  }

 private:
  enum class Where : std::uint8_t { kBelow, kInside, kAbove, kNever };

  [[nodiscard]] Where where(std::uint64_t top) const {
    if (top > top_max_) return Where::kNever;
    const auto value = static_cast<std::int64_t>(top);
    return value < inside_ ? Where::kBelow : value == inside_ ? Where::kInside : Where::kAbove;
  }

  [[nodiscard]] Where place(std::uint64_t top) const {
    if (!reduced_) return where(top);
    return top == 0 ? Where::kInside : top == 1 ? Where::kBelow : top == 2 ? Where::kAbove : Where::kNever;
  }

  /// Nets of value > limit: greater in the upper bits, equal there, greater in the lower ones.
  struct Greater {
    Net upper = kNetZero;
    Net equal = kNetOne;
    Net lower = kNetZero;
  };
  Greater greater(std::uint64_t limit, bool or_equal) {
    const std::size_t low_bits = value_.size() > kComparedBitsMax ? value_.size() - kComparedBitsMax : 0;
    const std::vector<Net> low(value_.begin(), value_.begin() + static_cast<std::ptrdiff_t>(low_bits));
    const std::vector<Net> high(value_.begin() + static_cast<std::ptrdiff_t>(low_bits), value_.end());
    const std::uint64_t low_limit = limit & ((std::uint64_t{1} << low_bits) - 1);
    const std::uint64_t high_limit = limit >> low_bits;
    const auto above = [&](const std::vector<Net>& nets, std::uint64_t than, bool equal_too) {
      return compare_.build(
          tabulate(nets, [=](std::size_t v) { return trit(equal_too ? v >= than : v > than); }),
          word_ + "_above");
    };
    Greater result;
    result.upper = above(high, high_limit, low_bits == 0 && or_equal);
    if (low_bits == 0) {
      result.equal = kNetZero;
      return result;
    }
    result.equal = compare_.build(tabulate(high, [=](std::size_t v) { return trit(v == high_limit); }),
                                  word_ + "_equal");
    result.lower = above(low, low_limit, or_equal);
    return result;
  }

  /// Replaces the top bits, and the comparison with limits inside the value's bits, by two flags: below,
  /// above.
  void reduce_top() {
    const std::uint64_t last = (std::uint64_t{1} << plan_.value_bits) - 1;
    const Greater not_below = least_ == 0 ? Greater{kNetOne, kNetZero, kNetZero} : greater(least_, true);
    const Greater above = most_ == last ? Greater{kNetZero, kNetZero, kNetZero} : greater(most_, false);
    const auto flag = [&](const Greater& compared, Where wanted) {
      std::vector<Net> nets{compared.upper, compared.equal, compared.lower};
      nets.insert(nets.end(), top_.begin(), top_.end());
      return compare_.build(tabulate(nets,
                                     [&](std::size_t assignment) {
                                       const Where found = where(assignment >> 3U);
                                       if (found == Where::kNever) return Trit::kAny;
                                       if (found != Where::kInside) return trit(found == wanted);
                                       const bool greater =
                                           (assignment & 1U) != 0 ||
                                           ((assignment & 2U) != 0 && (assignment & 4U) != 0);
                                       return trit(wanted == Where::kAbove ? greater : !greater);
                                     }),
                            word_ + "_out");
    };
    const Net is_below = flag(not_below, Where::kBelow);
    const Net is_above = flag(above, Where::kAbove);
    top_ = {is_below, is_above};
    reduced_ = true;
  }

  LutBuilder compare_;
  LutBuilder clamp_;
  ConstantPlan plan_;
  std::string word_;
  std::uint64_t least_ = 0;  // the clamped range, from the base
  std::uint64_t most_ = 0;
  std::vector<Net> value_;
  std::vector<Net> top_;
  std::uint64_t top_max_ = 0;
  std::int64_t inside_ = 0;  // the top bits of values between base and base + 2^bits - 1
  bool reduced_ = false;
};

}  // namespace

ConstantPlan plan_constant(const SumNode& node) {
  ConstantPlan plan;
  plan.base = node.low;
  if (node.score_bits > 0) plan.base = -(std::int64_t{1} << (signed_bits(node.low, node.high) - 1));
  plan.value_bits =
      static_cast<std::uint32_t>(std::bit_width(static_cast<std::uint64_t>(node.high - plan.base)));
  const std::int64_t constant = node.constant - plan.base * (std::int64_t{1} << node.shift);
  const std::uint32_t wrap_bits = plan.value_bits + node.shift;
  plan.wraps = constant >> wrap_bits;
  plan.added = static_cast<std::uint64_t>(constant - plan.wraps * (std::int64_t{1} << wrap_bits));
  return plan;
}

bool needs_comparison(const SumNode& node, std::uint64_t sum_max) {
  const ConstantPlan plan = plan_constant(node);
  const std::uint64_t last = (std::uint64_t{1} << plan.value_bits) - 1;
  const bool limits_inside =
      node.low != plan.base || static_cast<std::uint64_t>(node.high - plan.base) != last;
  return limits_inside ||
         std::bit_width(sum_max >> (plan.value_bits + node.shift)) > static_cast<int>(kTopBitsMax);
}

std::vector<Net> requantise(Netlist& netlist, RequantiseStages stages, const SumNode& node,
                            const SumWord& sum, const std::string& word) {
  Requantiser requantiser(netlist, stages, node, sum, word);
  const std::uint32_t value_bits = plan_constant(node).value_bits;
  std::vector<Net> nets;
  if (node.score_bits == 0) {
    for (std::uint32_t i = 0; i < value_bits; ++i) nets.push_back(requantiser.bit(i, false));
    nets.resize(code_bits(static_cast<std::uint32_t>(node.high - node.low) + 1), kNetZero);
    return nets;
  }
  // value + base: the base is minus half of the bits' range, so that only the sign is inverted. A score that
  // is never negative has one bit less than that.
  const std::uint32_t bits = signed_bits(node.low, node.high);
  for (std::uint32_t i = 0; i < value_bits; ++i) nets.push_back(requantiser.bit(i, i + 1 == bits));
  nets.resize(bits, kNetOne);  // values below half: negative
  nets.resize(std::max(bits, node.score_bits), nets.back());
  return nets;
}

}  // namespace kantrig::compiler
