#include "menu/expression.hpp"

#include "menu/listing.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

namespace kantrig::menu {
namespace {

constexpr double kProbabilityMin = 1e-9;
constexpr double kProbabilityMax = 1.0 - 1e-9;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// Recursive descent over the text itself: a name, a number and a keyword are told apart by where they stand.
class Parser {
 public:
  Parser(std::string_view text, const ScoreSpace& space) : text_(text), space_(space) {}

  Result<Expression> parse() {
    auto expression = parse_or();
    if (!expression) return expression;
    skip_blanks();
    if (at_ != text_.size()) return expected("\"and\", \"or\" or the end");
    return expression;
  }

 private:
  Result<Expression> parse_or() { return parse_chain("or", Expression::Kind::kOr, &Parser::parse_and); }
  Result<Expression> parse_and() { return parse_chain("and", Expression::Kind::kAnd, &Parser::parse_not); }

  Result<Expression> parse_chain(std::string_view word, Expression::Kind kind,
                                 Result<Expression> (Parser::*next)()) {
    auto first = (this->*next)();
    if (!first || !take_word(word)) return first;
    Expression chain;
    chain.kind = kind;
    chain.operands.push_back(std::move(*first));
    do {
      auto operand = (this->*next)();
      if (!operand) return operand;
      chain.operands.push_back(std::move(*operand));
    } while (take_word(word));
    return chain;
  }

  Result<Expression> parse_not() {
    if (!take_word("not")) return parse_primary();
    if (++depth_ > kConditionDepthMax) return too_deep();
    auto operand = parse_not();
    --depth_;
    if (!operand) return operand;
    return negated(std::move(*operand));
  }

  Result<Expression> parse_primary() {
    if (take_symbol("(")) {
      if (++depth_ > kConditionDepthMax) return too_deep();
      auto inside = parse_or();
      --depth_;
      if (!inside) return inside;
      if (!take_symbol(")")) return expected("\")\", \"and\" or \"or\"");
      return inside;
    }
    if (take_word("any")) return Expression{};
    if (take_word("class")) return parse_class();
    if (take_word("score")) return parse_score();
    if (take_word("prob")) return parse_probability();
    return expected("a condition: class, score(...), prob(...), any, not or \"(\"");
  }

  Result<Expression> parse_class() {
    const bool equal = take_symbol("==");
    if (!equal && !take_symbol("!=")) return expected("\"==\" or \"!=\" after class");
    const auto index = parse_class_name();
    if (!index) return tl::unexpected(index.error());
    Expression expression;
    expression.kind = Expression::Kind::kClass;
    expression.first = *index;
    if (equal) return expression;
    return negated(std::move(expression));
  }

  Result<Expression> parse_score() {
    const auto first = parse_output();
    if (!first) return tl::unexpected(first.error());
    Expression expression;
    expression.kind = Expression::Kind::kScore;
    expression.first = *first;
    if (take_symbol("-")) {
      if (!take_word("score")) return expected("score(...) after \"-\"");
      const std::size_t name_at = at_;
      const auto second = parse_output();
      if (!second) return tl::unexpected(second.error());
      if (*first == *second) return error_at(name_at, "the difference of a score and itself is always 0");
      expression.kind = Expression::Kind::kScoreDifference;
      expression.second = *second;
    }
    return parse_comparison(std::move(expression));
  }

  Result<Expression> parse_probability() {
    const std::size_t name_at = at_;
    const auto index = parse_class_in_parentheses();
    if (!index) return tl::unexpected(index.error());
    if (space_.distance) {
      return error_at(name_at, fmt::format("prob(...) is not known: this model scores a distance, compare "
                                           "score({}) instead",
                                           space_.classes[1]));
    }
    Expression expression;
    expression.kind = Expression::Kind::kProbability;
    expression.first = *index;
    auto compared = parse_comparison(std::move(expression));
    if (!compared) return compared;
    if (compared->value >= kProbabilityMin && compared->value <= kProbabilityMax) return compared;
    return error_at(value_at_, "expected a probability strictly between 0 and 1 (1e-9 to 1 - 1e-9)");
  }

  /// The output that holds the score of the class named in parentheses.
  Result<std::uint32_t> parse_output() {
    skip_blanks();
    const std::size_t name_at = at_;
    const auto index = parse_class_in_parentheses();
    if (!index || space_.scores.size() > 1) return index;
    if (*index == 1) return 0U;
    return error_at(name_at,
                    fmt::format("class \"{}\" has no score: a model of one output has only that of \"{}\"",
                                space_.classes[0], space_.classes[1]));
  }

  Result<std::uint32_t> parse_class_in_parentheses() {
    if (!take_symbol("(")) return expected("\"(\" and a class name");
    const auto index = parse_class_name();
    if (!index) return index;
    if (!take_symbol(")")) return expected("\")\"");
    return index;
  }

  Result<std::uint32_t> parse_class_name() {
    skip_blanks();
    const std::size_t name_at = at_;
    std::string_view name;
    if (at_ < text_.size() && text_[at_] == '\'') {
      const std::size_t end = text_.find('\'', at_ + 1);
      if (end == std::string_view::npos)
        return error_at(name_at, "a class name is opened by ' and not closed");
      name = text_.substr(at_ + 1, end - at_ - 1);
      at_ = end + 1;
    } else {
      name = word_here();
      at_ += name.size();
    }
    const auto found = std::find(space_.classes.begin(), space_.classes.end(), name);
    if (found != space_.classes.end()) return static_cast<std::uint32_t>(found - space_.classes.begin());
    at_ = name_at;
    if (name.empty()) return expected(fmt::format("a class name ({})", known_classes()));
    return error_at(name_at, fmt::format("unknown class \"{}\", {}", name, known_classes()));
  }

  Result<Expression> parse_comparison(Expression expression) {
    if (take_symbol(">=")) {
      expression.comparison = Comparison::kAtLeast;
    } else if (take_symbol("<=")) {
      expression.comparison = Comparison::kAtMost;
    } else if (take_symbol(">")) {
      expression.comparison = Comparison::kAbove;
    } else if (take_symbol("<")) {
      expression.comparison = Comparison::kBelow;
    } else {
      return expected("a comparison: >=, >, <= or <");
    }
    const auto value = parse_real();
    if (!value) return tl::unexpected(value.error());
    expression.value = *value;
    return expression;
  }

  Result<double> parse_real() {
    skip_blanks();
    value_at_ = at_;
    std::string_view rest = text_.substr(at_);
    if (rest.starts_with('+')) rest.remove_prefix(1);
    const std::string_view digits = rest.substr(rest.starts_with('-') ? 1 : 0);
    // from_chars would also take "inf" and "nan".
    const bool is_number = !digits.empty() && ((digits[0] >= '0' && digits[0] <= '9') || digits[0] == '.');
    double value = 0.0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    if (!is_number || error == std::errc::invalid_argument) return expected("a number");
    if (error != std::errc{} || !std::isfinite(value)) return error_at(at_, "the number is out of range");
    const auto next = static_cast<std::size_t>(end - text_.data());
    if (next < text_.size() && (is_word(text_[next]) || text_[next] == '.')) return expected("a number");
    at_ = next;
    return value;
  }

  void skip_blanks() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
  }

  [[nodiscard]] std::string_view word_here() const {
    std::size_t end = at_;
    while (end < text_.size() && is_word(text_[end])) ++end;
    return text_.substr(at_, end - at_);
  }

  bool take_word(std::string_view word) {
    skip_blanks();
    if (word_here() != word) return false;
    at_ += word.size();
    return true;
  }

  bool take_symbol(std::string_view symbol) {
    skip_blanks();
    if (!text_.substr(at_).starts_with(symbol)) return false;
    at_ += symbol.size();
    return true;
  }

  [[nodiscard]] std::string known_classes() const {
    if (space_.classes.empty()) return "this model names no classes";
    return fmt::format("expected one of {}", listed(space_.classes));
  }

  [[nodiscard]] tl::unexpected<Error> error_at(std::size_t at, std::string_view message) const {
    return fail(ErrorCode::kInvalid, "character {}: {}", at + 1, message);
  }

  [[nodiscard]] tl::unexpected<Error> too_deep() const {
    return error_at(
        at_, fmt::format("more than {} parentheses and \"not\" inside each other", kConditionDepthMax));
  }

  tl::unexpected<Error> expected(std::string_view what) {
    skip_blanks();
    if (at_ == text_.size()) return error_at(at_, fmt::format("expected {}, found the end", what));
    std::string_view found = word_here();
    if (found.empty()) found = text_.substr(at_, 1);
    return error_at(at_, fmt::format("expected {}, found \"{}\"", what, found));
  }

  static Expression negated(Expression operand) {
    Expression expression;
    expression.kind = Expression::Kind::kNot;
    expression.operands.push_back(std::move(operand));
    return expression;
  }

  std::string_view text_;
  const ScoreSpace& space_;
  std::size_t at_ = 0;
  std::size_t value_at_ = 0;  // of the number read last
  std::uint32_t depth_ = 0;
};

}  // namespace

Result<Expression> parse_expression(std::string_view text, const ScoreSpace& space) {
  if (text.size() > kConditionBytesMax) {
    return fail(ErrorCode::kInvalid, "the condition has {} characters, at most {} are allowed", text.size(),
                kConditionBytesMax);
  }
  return Parser(text, space).parse();
}

Result<void> check_space(const ScoreSpace& space) {
  constexpr std::int32_t kLowest = std::numeric_limits<std::int16_t>::min();
  constexpr std::int32_t kHighest = std::numeric_limits<std::int16_t>::max();
  const std::size_t class_count = space.scores.size() == 1 ? 2 : space.scores.size();
  if (space.distance && space.scores.size() != 1) {
    return fail(ErrorCode::kInvalid, "the model scores a distance and has {} outputs, expected 1",
                space.scores.size());
  }
  if (space.scores.empty() || space.scores.size() > 256) {
    return fail(ErrorCode::kInvalid, "the model has {} outputs, a menu needs 1 to 256", space.scores.size());
  }
  if (!space.classes.empty() && space.classes.size() != class_count) {
    return fail(ErrorCode::kInvalid, "the model names {} classes for {} outputs, expected {} or none",
                space.classes.size(), space.scores.size(), class_count);
  }
  for (std::size_t k = 0; k < space.scores.size(); ++k) {
    const ScoreRange& range = space.scores[k];
    if (range.low < kLowest || range.high > kHighest || range.low > range.high) {
      return fail(ErrorCode::kInvalid,
                  "output {} of the model ranges from {} to {}, expected a range of 16-bit integers", k,
                  range.low, range.high);
    }
  }
  return {};
}

}  // namespace kantrig::menu
