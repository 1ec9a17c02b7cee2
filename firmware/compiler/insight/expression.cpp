#include "compiler/insight/expression.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "compiler/learned/elementary.hpp"

namespace kantrig::insight {
namespace {

using learned::Formula;
using learned::Function;
using learned::Layer;
using learned::LearnedKan;

constexpr std::size_t kNestedTermsMax = 60;  // of an output written as one expression

/// What is smaller than this part of its neighbours is not written.
double negligible(int digits) {
  double part = 0.5;
  for (int i = 0; i < digits; ++i) part /= 10.0;
  return part;
}

std::string number(double value, int digits) {
  return fmt::format("{:.{}g}", value, digits);
}

void add(Sum& sum, const Sum& more, double factor) {
  sum.constant += factor * more.constant;
  for (Term term : more.terms) {
    term.coefficient *= factor;
    sum.terms.push_back(std::move(term));
  }
}

/// The text of a term without its coefficient.
std::string factor_text(const Term& term, int digits) {
  if (!term.is_function) return term.name;
  const std::string inner = text_of(term.inner, digits);
  const bool simple = term.inner.terms.size() == 1 && inner == factor_text(term.inner.terms[0], digits) &&
                      !term.inner.terms[0].is_function;
  const std::string group = simple ? inner : "(" + inner + ")";
  if (!term.name.empty()) return term.name + "(" + inner + ")";
  switch (term.function) {
    case Function::kSquare:
      return group + "^2";
    case Function::kCube:
      return group + "^3";
    case Function::kFourth:
      return group + "^4";
    case Function::kReciprocal:
      return "1/" + group;
    case Function::kReciprocalSquare:
      return "1/" + group + "^2";
    case Function::kReciprocalRoot:
      return "1/sqrt(" + inner + ")";
    case Function::kAbs:
      return "|" + inner + "|";
    case Function::kGaussian:
      return "exp(-" + group + "^2)";
    default:
      return fmt::format("{}({})", learned::name_of(term.function), inner);
  }
}

std::string term_text(const Term& term, double magnitude, int digits) {
  const std::string factor = factor_text(term, digits);
  const std::string written = number(magnitude, digits);
  if (written == "1") return factor;
  if (factor.starts_with("1/")) return written + factor.substr(1);
  return written + " " + factor;
}

/// Terms of the same factor added up, in the order of their first appearance.
std::vector<Term> merged(const std::vector<Term>& terms, int digits) {
  std::vector<Term> result;
  std::vector<std::string> texts;
  for (const Term& term : terms) {
    const std::string text = factor_text(term, 12);
    const auto same = std::find(texts.begin(), texts.end(), text);
    if (same != texts.end()) {
      result[static_cast<std::size_t>(same - texts.begin())].coefficient += term.coefficient;
      continue;
    }
    result.push_back(term);
    texts.push_back(text);
  }
  double largest = 0.0;
  for (const Term& term : result) largest = std::max(largest, std::abs(term.coefficient));
  std::erase_if(result, [&](const Term& term) {
    // Only of variables: how large a function is, its coefficient does not tell.
    return term.coefficient == 0.0 ||
           (!term.is_function && std::abs(term.coefficient) < negligible(digits) * largest);
  });
  return result;
}

/// The leading coefficient of a sum, 0 when it has none that counts.
double leading(const Sum& sum) {
  double largest = 0.0;
  for (const Term& term : sum.terms) largest = std::max(largest, std::abs(term.coefficient));
  for (const Term& term : sum.terms) {
    if (std::abs(term.coefficient) >= 1e-3 * largest) return term.coefficient;
  }
  return 0.0;
}

void divide(Sum& sum, double by) {
  sum.constant /= by;
  for (Term& term : sum.terms) term.coefficient /= by;
}

/// Takes out of a function's argument what its coefficient can say as well: 3 (2 x)^2 is 12 x^2. Returns what
/// becomes a constant.
double pull_out(Term& term) {
  constexpr double kExponentMax = 20.0;
  if (term.function == Function::kExp && std::abs(term.inner.constant) <= kExponentMax) {
    term.coefficient *= learned::exponential(term.inner.constant);
    term.inner.constant = 0.0;
  }
  const double factor = leading(term.inner);
  if (factor == 0.0) return 0.0;
  const double size = std::abs(factor);
  switch (term.function) {
    case Function::kSquare:
      term.coefficient *= factor * factor;
      break;
    case Function::kCube:
      term.coefficient *= factor * factor * factor;
      break;
    case Function::kFourth:
      term.coefficient *= factor * factor * factor * factor;
      break;
    case Function::kReciprocal:
      term.coefficient /= factor;
      break;
    case Function::kReciprocalSquare:
      term.coefficient /= factor * factor;
      break;
    case Function::kAbs:
      term.coefficient *= size;
      break;
    case Function::kSquareRoot:
      term.coefficient *= std::sqrt(size);
      divide(term.inner, size);
      return 0.0;
    case Function::kReciprocalRoot:
      term.coefficient /= std::sqrt(size);
      divide(term.inner, size);
      return 0.0;
    case Function::kLog:
      divide(term.inner, size);
      return term.coefficient * learned::logarithm(size);
    default:
      return 0.0;
  }
  divide(term.inner, factor);
  return 0.0;
}

class Builder {
 public:
  Builder(const LearnedKan& kan, bool nested) : kan_(kan), nested_(nested) {}

  Sum node(std::size_t l, std::uint32_t k) {
    const Layer& layer = kan_.layers[l];
    Sum sum{.constant = layer.biases[k]};
    for (std::uint32_t j = 0; j < layer.inputs; ++j) {
      if (layer.is_active(j, k)) add_edge(sum, l, j, k);
    }
    return sum;
  }

  [[nodiscard]] static std::string node_name(std::size_t l, std::uint32_t k) {
    return fmt::format("h{}_{}", l, k);
  }
  [[nodiscard]] std::vector<std::string> curves() const { return curves_; }

 private:
  /// What enters input j of layer l.
  Sum entering(std::size_t l, std::uint32_t j) {
    if (l == 0) {
      const learned::Input& input = kan_.inputs[j];
      const std::string name = input.feature.name.empty() ? fmt::format("x{}", j) : input.feature.name;
      return {.constant = input.shift, .terms = {{.coefficient = input.gain, .name = name}}};
    }
    if (nested_) return node(l - 1, j);
    return {.terms = {{.name = node_name(l - 1, j)}}};
  }

  void add_edge(Sum& sum, std::size_t l, std::uint32_t j, std::uint32_t k) {
    const Layer& layer = kan_.layers[l];
    const auto found = layer.formulas.find(layer.edge_index(j, k));
    if (found == layer.formulas.end()) {
      const std::string name = fmt::format("f{}_{}_{}", l, j, k);
      if (std::find(curves_.begin(), curves_.end(), name) == curves_.end()) curves_.push_back(name);
      sum.terms.push_back({.name = name, .is_function = true, .inner = entering(l, j)});
      return;
    }
    const Formula& formula = found->second;
    sum.constant += formula.outer_offset;
    if (formula.function == Function::kZero) return;
    Sum inner{.constant = formula.inner_offset};
    add(inner, entering(l, j), formula.inner_scale);
    if (formula.function == Function::kIdentity) {
      add(sum, inner, formula.outer_scale);
      return;
    }
    Term term{.coefficient = formula.outer_scale,
              .function = formula.function,
              .is_function = true,
              .inner = std::move(inner)};
    sum.constant += pull_out(term);
    sum.terms.push_back(std::move(term));
  }

  const LearnedKan& kan_;
  bool nested_;
  std::vector<std::string> curves_;
};

/// How many features the largest output would mention as one expression.
std::size_t nested_terms(const LearnedKan& kan) {
  std::vector<std::size_t> terms(kan.inputs.size(), 1);
  for (const Layer& layer : kan.layers) {
    std::vector<std::size_t> next(layer.nodes, 0);
    for (std::uint32_t k = 0; k < layer.nodes; ++k) {
      for (std::uint32_t j = 0; j < layer.inputs; ++j) {
        const auto formula = layer.formulas.find(layer.edge_index(j, k));
        const bool zero = formula != layer.formulas.end() && formula->second.function == Function::kZero;
        if (layer.is_active(j, k) && !zero) next[k] = std::min(next[k] + terms[j], 10 * kNestedTermsMax);
      }
    }
    terms = std::move(next);
  }
  return *std::max_element(terms.begin(), terms.end());
}

}  // namespace

std::string text_of(const Sum& sum, int digits) {
  const std::vector<Term> terms = merged(sum.terms, digits);
  double largest = 0.0;
  for (const Term& term : terms) largest = std::max(largest, std::abs(term.coefficient));
  std::string text;
  const auto append = [&](bool negative, const std::string& words) {
    text += text.empty() ? (negative ? "-" : "") : (negative ? " - " : " + ");
    text += words;
  };
  for (const Term& term : terms)
    append(term.coefficient < 0.0, term_text(term, std::abs(term.coefficient), digits));
  const bool shown = terms.empty() || std::abs(sum.constant) >= negligible(digits) * largest;
  if (shown && (sum.constant != 0.0 || terms.empty()))
    append(sum.constant < 0.0, number(std::abs(sum.constant), digits));
  return text;
}

ModelText model_text(const LearnedKan& kan, const std::vector<std::string>& outputs, int digits) {
  ModelText text;
  Builder builder(kan, nested_terms(kan) <= kNestedTermsMax);
  const std::size_t last = kan.layers.size() - 1;
  const bool nested = nested_terms(kan) <= kNestedTermsMax;
  for (std::size_t l = 0; l < last && !nested; ++l) {
    for (std::uint32_t k = 0; k < kan.layers[l].nodes; ++k)
      text.nodes.push_back({Builder::node_name(l, k), text_of(builder.node(l, k), digits)});
  }
  for (std::uint32_t k = 0; k < kan.layers[last].nodes; ++k)
    text.outputs.push_back({outputs[k], text_of(builder.node(last, k), digits)});
  text.curves = builder.curves();
  return text;
}

}  // namespace kantrig::insight
