#include "compiler/explore/sweep_axis.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <optional>

namespace kantrig::explore {
namespace {

constexpr std::size_t kDecimalsMax = 9;
constexpr std::size_t kDigitsMax = 15;

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// Parts of `text` between `separator`s that stand outside brackets and quotes.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  int depth = 0;
  char quote = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if (c == ']' || c == '}') {
      --depth;
    } else if (c == separator && depth == 0) {
      parts.push_back(trim(text.substr(begin, i - begin)));
      begin = i + 1;
    }
  }
  parts.push_back(trim(text.substr(begin)));
  return parts;
}

/// digits / 10^decimals.
struct Decimal {
  std::int64_t digits = 0;
  std::size_t decimals = 0;
};

std::optional<Decimal> parse_decimal(std::string_view text) {
  const std::size_t point = text.find('.');
  Decimal result;
  std::string digits(text.substr(0, point));
  if (point != std::string_view::npos) {
    result.decimals = text.size() - point - 1;
    digits += text.substr(point + 1);
    if (result.decimals == 0 || result.decimals > kDecimalsMax) return std::nullopt;
  }
  if (digits.size() > kDigitsMax) return std::nullopt;
  const char* const end = digits.data() + digits.size();
  const auto [at, error] = std::from_chars(digits.data(), end, result.digits);
  if (error != std::errc{} || at != end) return std::nullopt;
  return result;
}

/// Nothing where that would not fit.
std::optional<std::int64_t> scaled(const Decimal& number, std::size_t decimals) {
  std::int64_t digits = number.digits;
  for (std::size_t i = number.decimals; i < decimals; ++i) {
    if (__builtin_mul_overflow(digits, 10, &digits)) return std::nullopt;
  }
  return digits;
}

std::string text_of(std::int64_t digits, std::size_t decimals) {
  const bool negative = digits < 0;
  std::string text = std::to_string(negative ? -digits : digits);
  if (decimals > 0) {
    if (text.size() <= decimals) text.insert(0, decimals + 1 - text.size(), '0');
    text.insert(text.size() - decimals, 1, '.');
  }
  if (negative) text.insert(0, 1, '-');
  return text;
}

/// Appends the values of `a..b` or `a..b:step`.
Result<void> add_range(std::string_view text, std::size_t dots, std::vector<std::string>& values) {
  const std::size_t colon = text.find(':', dots);
  const auto first = parse_decimal(trim(text.substr(0, dots)));
  const auto last =
      parse_decimal(trim(text.substr(dots + 2, colon == std::string_view::npos ? colon : colon - dots - 2)));
  const auto step =
      colon == std::string_view::npos ? Decimal{1, 0} : parse_decimal(trim(text.substr(colon + 1)));
  const auto wrong = [&](std::string_view what) {
    return fail(ErrorCode::kInvalid, "range '{}': {}", text, what);
  };
  if (!first || !last || !step) {
    return wrong("expected plain numbers, as in 2..8, 4..16:4 or 0.5..2:0.25; write others as a list");
  }
  const std::size_t decimals = std::max({first->decimals, last->decimals, step->decimals});
  const auto low = scaled(*first, decimals);
  const auto high = scaled(*last, decimals);
  const auto by = scaled(*step, decimals);
  if (!low || !high || !by) return wrong("has too many digits");
  if (*by <= 0 || *high < *low) return wrong("expected it to rise, by a step above 0");
  const auto count = static_cast<std::uint64_t>(*high - *low) / static_cast<std::uint64_t>(*by) + 1;
  if (count > kAxisValuesMax) {
    return wrong(fmt::format("has {} values, expected at most {}", count, kAxisValuesMax));
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    values.push_back(text_of(*low + static_cast<std::int64_t>(i) * *by, decimals));
  }
  return {};
}

/// A value as TOML: words are texts, but for those that TOML knows.
std::string as_toml(std::string_view text) {
  const auto is_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
  };
  const bool word =
      std::isalpha(static_cast<unsigned char>(text.front())) != 0 && std::ranges::all_of(text, is_word);
  const bool known = text == "true" || text == "false" || text == "inf" || text == "nan";
  return word && !known ? fmt::format("\"{}\"", text) : std::string(text);
}

struct Sides {
  std::vector<std::string> fields;
  std::string_view right;
};

Result<Sides> parse_fields(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return fail(ErrorCode::kInvalid, "'{}': expected FIELD=VALUES, as in model.bits[0]=2..8", text);
  }
  Sides sides{{}, trim(text.substr(equals + 1))};
  if (sides.right.empty()) return fail(ErrorCode::kInvalid, "'{}': expected a value after '='", text);
  for (const std::string_view field : split(text.substr(0, equals), '+')) {
    if (field.empty()) return fail(ErrorCode::kInvalid, "'{}': expected a field on both sides of '+'", text);
    if (std::ranges::find(sides.fields, field) != sides.fields.end())
      return fail(ErrorCode::kInvalid, "'{}': {} is named twice", text, field);
    sides.fields.emplace_back(field);
  }
  if (sides.fields.size() > kAxisFieldsMax) {
    return fail(ErrorCode::kInvalid, "'{}': names {} fields, expected at most {}", text, sides.fields.size(),
                kAxisFieldsMax);
  }
  return sides;
}

}  // namespace

std::string Axis::name() const {
  std::string name;
  for (const std::string& field : fields) {
    if (!name.empty()) name += '+';
    name += field;
  }
  return name;
}

Result<Axis> parse_axis(std::string_view text) {
  auto sides = parse_fields(text);
  if (!sides) return tl::unexpected(sides.error());
  Axis axis{std::move(sides->fields), {}};
  for (const std::string_view part : split(sides->right, ',')) {
    if (part.empty()) return fail(ErrorCode::kInvalid, "'{}': expected a value on both sides of ','", text);
    const std::size_t dots = part.find("..");
    const bool quoted = part.front() == '"' || part.front() == '\'' || part.front() == '[';
    if (dots == std::string_view::npos || quoted) {
      axis.values.push_back(as_toml(part));
    } else if (auto ok = add_range(part, dots, axis.values); !ok) {
      return tl::unexpected(ok.error().within(axis.name()));
    }
  }
  if (axis.values.size() > kAxisValuesMax) {
    return fail(ErrorCode::kInvalid, "{}: has {} values, expected at most {}", axis.name(),
                axis.values.size(), kAxisValuesMax);
  }
  auto sorted = axis.values;
  std::ranges::sort(sorted);
  if (const auto twice = std::ranges::adjacent_find(sorted); twice != sorted.end())
    return fail(ErrorCode::kInvalid, "{}: {} is there twice", axis.name(), *twice);
  return axis;
}

Result<std::vector<Assignment>> parse_setting(std::string_view text) {
  auto sides = parse_fields(text);
  if (!sides) return tl::unexpected(sides.error());
  std::vector<Assignment> settings;
  for (std::string& field : sides->fields) settings.push_back({std::move(field), as_toml(sides->right)});
  return settings;
}

}  // namespace kantrig::explore
