// Program: the conditions of a menu as integer comparisons, each distinct one once, joined by and and not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "menu/expression.hpp"
#include "menu/log_sum.hpp"
#include "menu/menu.hpp"

namespace kantrig::menu {

inline constexpr std::size_t kComparisonsMax = 1024;      // of all lines together
inline constexpr std::size_t kTableBytesMax = 32U << 20;  // of all tables of a menu

/// A node's value, or its opposite. `a or b` is the opposite of `not a and not b`. The default is true.
struct Literal {
  std::uint32_t node = 0;
  bool negated = false;
  friend bool operator==(Literal, Literal) = default;
};

struct Node {
  enum class Kind : std::uint8_t {
    kTrue,             // node 0, and only that
    kClass,            // class == first
    kScore,            // y[first] >= threshold
    kDifference,       // y[first] - y[second] >= threshold, threshold within +-32767
    kWideDifference,   // the same for any threshold
    kDifferenceTable,  // y[first] >= difference_tables[table] at y[second]
    kProbability,      // probabilities[table]
    kAnd,              // all of `children`
  };
  Kind kind = Kind::kTrue;
  bool masked =
      false;  // costly and used by one kAnd only, which evaluates it for the events that still matter
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  std::int32_t threshold = 0;
  std::uint32_t table = 0;
  std::vector<Literal> children;
  friend bool operator==(const Node&, const Node&) = default;
};

/// For each value of one score, the least value of the other that fulfils the condition.
struct DifferenceTable {
  std::int32_t low = 0;  // of the second score
  std::vector<std::int32_t> least;
  friend bool operator==(const DifferenceTable&, const DifferenceTable&) = default;
};

/// round(2^bits * exp(-scale * d)) for d = first ...; before it too large to matter, after it as the last.
struct ExpTable {
  std::int32_t bits = 0;
  std::int32_t first = 0;
  std::vector<std::uint32_t> entries;

  [[nodiscard]] std::uint32_t at(std::int32_t d) const noexcept {
    std::int32_t index = d - first;
    const auto last = static_cast<std::int32_t>(entries.size()) - 1;
    index = index < 0 ? 0 : index;
    return entries[static_cast<std::size_t>(index > last ? last : index)];
  }
};

/// softmax_k >= t, as: sum over j != k of exp_table(y_k - y_j) <= limit. How exact: README.md.
struct ProbabilityTest {
  std::uint32_t output = 0;
  std::uint32_t exp_table = 0;
  std::uint64_t limit = 0;
  // Most events need no sum: with d = y_k - log_sum in its units, false when d < possible_from, true when d
  // >= sure_from.
  bool bracketed = false;
  std::int32_t possible_from = 0;
  std::int32_t sure_from = 0;
  friend bool operator==(const ProbabilityTest&, const ProbabilityTest&) = default;
};

/// Immutable after building. Nodes stand after their children.
struct Program {
  std::uint32_t output_count = 0;
  std::vector<Node> nodes;
  std::vector<Literal> lines;  // the condition of each line
  std::vector<DifferenceTable> difference_tables;
  std::vector<ExpTable> exp_tables;
  std::vector<ProbabilityTest> probabilities;
  LogSum log_sum;  // of all outputs, shared by the probabilities
};

/// Turns conditions into a program, one after the other.
class ProgramBuilder {
 public:
  explicit ProgramBuilder(const ScoreSpace& space);
  /// Adds the next line; returns its integer form for a person to read.
  [[nodiscard]] Result<std::string> add_line(const Expression& condition);
  [[nodiscard]] Program finish();

 private:
  /// A condition as a literal, and as text.
  struct Compiled {
    Literal literal;
    std::string text;
  };
  Result<Compiled> compile(const Expression& expression);
  Result<Compiled> compile_chain(const Expression& expression);
  Result<Compiled> compile_score(const Expression& expression);
  Result<Compiled> compile_difference(const Expression& expression);
  Result<Compiled> compile_difference_table(const Expression& expression);
  Result<Compiled> compile_probability(const Expression& expression);
  Compiled compile_sigmoid(const Expression& expression);
  Compiled compile_two_outputs(const Expression& expression);
  Result<Compiled> compile_softmax(const Expression& expression);
  /// `node` fulfils the condition, or its opposite when the comparison is <= or <.
  Compiled threshold(Comparison comparison, Node node, std::int32_t low, std::int32_t high,
                     const std::string& quantity);
  void bracket(ProbabilityTest& test, double probability);
  Result<std::uint32_t> exp_table(std::int32_t bits);
  Literal intern(Node node);
  Literal conjunction(std::vector<Literal> operands);
  void drop_unused_nodes();
  Result<void> reserve_table_bytes(std::size_t bytes);
  [[nodiscard]] Result<void> check_scale(std::uint32_t output) const;
  [[nodiscard]] std::string name_of(std::uint32_t output) const;

  const ScoreSpace& space_;
  Program program_;
  std::size_t comparison_count_ = 0;
  std::size_t table_bytes_ = 0;
};

}  // namespace kantrig::menu
