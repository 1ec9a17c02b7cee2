// Expressions: the formulas of edges put together to those of nodes and outputs, and their text.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "compiler/learned/learned_kan.hpp"

namespace kantrig::insight {

struct Term;

/// constant + sum of terms.
struct Sum {
  double constant = 0.0;
  std::vector<Term> terms{};
};

/// coefficient x a variable, or coefficient x a function of a sum.
struct Term {
  double coefficient = 1.0;
  std::string name{};  // of the variable, or of a function that is no formula: an edge left as it was
  learned::Function function = learned::Function::kIdentity;
  bool is_function = false;
  Sum inner{};
};

/// Text of one output or hidden node: "name = text".
struct NamedText {
  std::string name{};
  std::string text{};
};

struct ModelText {
  std::vector<NamedText> nodes{};  // hidden nodes by name, where the outputs would be too long without them
  std::vector<NamedText> outputs{};
  std::vector<std::string>
      curves{};  // names of edges that are no formula, such as f0_3_2: layer, input, node
};

/// `digits` significant ones. Constants are merged, terms of the same function added, identities passed
/// through, and what rounds to nothing beside its neighbours is dropped. Clamps are not shown.
[[nodiscard]] std::string text_of(const Sum& sum, int digits);
[[nodiscard]] ModelText model_text(const learned::LearnedKan& kan, const std::vector<std::string>& outputs,
                                   int digits);

}  // namespace kantrig::insight
