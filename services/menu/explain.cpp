#include "menu/explain.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/assert.hpp"
#include "menu/evaluate.hpp"
#include "menu/expression.hpp"
#include "menu/program.hpp"

namespace kantrig::menu {
namespace {

constexpr std::size_t kPaddedEvents = 64;  // columns are read in words of 64 events

std::string_view sign_of(Comparison comparison) {
  switch (comparison) {
    case Comparison::kAtLeast:
      return ">=";
    case Comparison::kAbove:
      return ">";
    case Comparison::kAtMost:
      return "<=";
    case Comparison::kBelow:
      break;
  }
  return "<";
}

/// One event as the columns that programs read.
class OneEvent {
 public:
  OneEvent(std::span<const std::int16_t> scores, std::uint8_t event_class) {
    for (const std::int16_t score : scores) {
      columns_.emplace_back(kPaddedEvents, std::int16_t{0})[0] = score;
      pointers_.push_back(columns_.back().data());
    }
    classes_[0] = event_class;
  }

  [[nodiscard]] bool fulfils(const Program& program) const {
    std::vector<std::uint64_t> bits(kChunkWords * program.nodes.size());
    std::vector<std::int16_t> log_sums(kChunkWords * 64);
    const std::uint64_t valid = 1;
    evaluate(program, {.scores = pointers_,
                       .classes = classes_.data(),
                       .first_event = 0,
                       .valid = std::span(&valid, 1),
                       .log_sums = log_sums,
                       .node_bits = bits});
    const Literal line = program.lines[0];
    return ((bits[line.node * kChunkWords] & 1U) != 0) != line.negated;
  }

 private:
  std::vector<std::vector<std::int16_t>> columns_;
  std::vector<const std::int16_t*> pointers_;
  std::array<std::uint8_t, kPaddedEvents> classes_{};
};

class Explainer {
 public:
  Explainer(const ScoreSpace& space, std::span<const std::int16_t> scores, std::uint8_t event_class)
      : space_(space), scores_(scores), class_(event_class), event_(scores, event_class) {}

  Result<ConditionPart> explain(const Expression& expression) {
    using Kind = Expression::Kind;
    if (expression.kind != Kind::kNot && expression.kind != Kind::kAnd && expression.kind != Kind::kOr)
      return comparison(expression);
    ConditionPart part;
    part.text = expression.kind == Kind::kNot ? "not" : expression.kind == Kind::kAnd ? "and" : "or";
    for (const Expression& operand : expression.operands) {
      auto inner = explain(operand);
      if (!inner) return inner;
      part.parts.push_back(std::move(*inner));
    }
    const auto holds = [](const ConditionPart& inner) { return inner.holds; };
    if (expression.kind == Kind::kOr) {
      part.holds = std::any_of(part.parts.begin(), part.parts.end(), holds);
    } else {
      part.holds =
          std::all_of(part.parts.begin(), part.parts.end(), holds) != (expression.kind == Kind::kNot);
    }
    return part;
  }

 private:
  Result<ConditionPart> comparison(const Expression& expression) {
    ProgramBuilder builder(space_);
    auto integers = builder.add_line(expression);
    if (!integers) return tl::unexpected(integers.error());
    ConditionPart part;
    part.integer_form = std::move(*integers);
    part.holds = event_.fulfils(builder.finish());
    describe(expression, part);
    return part;
  }

  void describe(const Expression& expression, ConditionPart& part) const {
    const auto compared = [&](const std::string& quantity) {
      return fmt::format("{} {} {}", quantity, sign_of(expression.comparison), expression.value);
    };
    switch (expression.kind) {
      case Expression::Kind::kClass:
        part.text = "class == " + space_.classes[expression.first];
        part.seen = "class is " + space_.classes[class_];
        return;
      case Expression::Kind::kScore:
        part.text = compared(score_name(expression.first));
        part.seen = fmt::format("{} = {:.6g} (integer {})", score_name(expression.first),
                                real(expression.first), scores_[expression.first]);
        return;
      case Expression::Kind::kScoreDifference: {
        const std::string quantity = score_name(expression.first) + " - " + score_name(expression.second);
        part.text = compared(quantity);
        part.seen = fmt::format("{} = {:.6g} (integers {}, {})", quantity,
                                real(expression.first) - real(expression.second), scores_[expression.first],
                                scores_[expression.second]);
        return;
      }
      case Expression::Kind::kProbability: {
        const std::string quantity = "prob(" + space_.classes[expression.first] + ")";
        part.text = compared(quantity);
        part.seen = fmt::format("{} = {:.6g}", quantity, probability(expression.first));
        return;
      }
      default:
        part.text = "any";
        part.seen = "always";
    }
  }

  [[nodiscard]] double real(std::uint32_t output) const {
    return static_cast<double>(scores_[output]) * space_.scores[output].scale;
  }
  [[nodiscard]] std::string score_name(std::uint32_t output) const {
    return "score(" + space_.classes[space_.scores.size() == 1 ? 1 : output] + ")";
  }
  /// For people; what decides are the integers.
  [[nodiscard]] double probability(std::uint32_t index) const {
    if (space_.scores.size() == 1) return 1.0 / (1.0 + std::exp(index == 1 ? -real(0) : real(0)));
    double sum = 0.0;
    for (std::uint32_t k = 0; k < space_.scores.size(); ++k) sum += std::exp(real(k) - real(index));
    return 1.0 / sum;
  }

  const ScoreSpace& space_;
  std::span<const std::int16_t> scores_;
  std::uint8_t class_;
  OneEvent event_;
};

}  // namespace

Result<ConditionPart> explain_condition(std::string_view condition, const ScoreSpace& space,
                                        std::span<const std::int16_t> scores, std::uint8_t event_class) {
  if (auto ok = check_space(space); !ok) return tl::unexpected(ok.error());
  KANTRIG_ASSERT(scores.size() == space.scores.size() && event_class < space.classes.size());
  const auto expression = parse_expression(condition, space);
  if (!expression) return tl::unexpected(expression.error());
  return Explainer(space, scores, event_class).explain(*expression);
}

}  // namespace kantrig::menu
