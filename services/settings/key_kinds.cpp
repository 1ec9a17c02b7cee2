#include "settings/key_kinds.hpp"

namespace kantrig::settings {
namespace {

using Numbers = std::vector<std::uint32_t>;

tl::unexpected<Error> wrong_kind(const Value& value, std::string_view expected) {
  return fail(ErrorCode::kInvalid, "is {}, expected {}", kind_of(value), expected);
}

Result<std::string> text_in(const Value& value, Empty empty) {
  const auto* text = std::get_if<std::string>(&value.data);
  if (text == nullptr) return wrong_kind(value, "text in quotes");
  if (text->empty() && empty == Empty::kRefused) return fail(ErrorCode::kInvalid, "is empty, expected text");
  constexpr std::size_t kBytesMax = 1024;
  if (text->size() > kBytesMax)
    return fail(ErrorCode::kInvalid, "has {} bytes, expected at most {}", text->size(), kBytesMax);
  if (text->find('\0') != std::string::npos)
    return fail(ErrorCode::kInvalid, "holds a zero byte, expected text");
  return *text;
}

Result<Numbers> numbers_in(const Value& value, ListLimits limits) {
  const auto list = list_in(value, limits);
  if (!list) return tl::unexpected(list.error());
  Numbers numbers;
  for (const Value& element : *list) {
    const auto number = whole_in(element, {0, limits.element_max});
    if (!number) return tl::unexpected(number.error().within(fmt::format("element {}", numbers.size())));
    numbers.push_back(static_cast<std::uint32_t>(*number));
  }
  return numbers;
}

std::string joined(const std::vector<std::string_view>& texts) {
  std::string out;
  for (const std::string_view text : texts) {
    if (!out.empty()) out += ", ";
    out += text;
  }
  return out;
}

Value to_value(const Numbers& numbers) {
  List list;
  for (const std::uint32_t number : numbers) list.push_back({std::int64_t{number}});
  return {list};
}

}  // namespace

Result<std::uint64_t> whole_in(const Value& value, Range range) {
  const auto* number = std::get_if<std::int64_t>(&value.data);
  if (number == nullptr)
    return wrong_kind(value, fmt::format("a whole number, {} to {}", range.min, range.max));
  if (*number < 0 || static_cast<std::uint64_t>(*number) < range.min ||
      static_cast<std::uint64_t>(*number) > range.max) {
    return fail(ErrorCode::kInvalid, "is {}, expected {} to {}", *number, range.min, range.max);
  }
  return static_cast<std::uint64_t>(*number);
}

Result<List> list_in(const Value& value, ListLimits limits) {
  const auto* list = std::get_if<List>(&value.data);
  if (list == nullptr) return wrong_kind(value, "a list");
  if (list->size() < limits.count_min || list->size() > limits.count_max) {
    return fail(ErrorCode::kInvalid, "has {} elements, expected {} to {}", list->size(), limits.count_min,
                limits.count_max);
  }
  return *list;
}

std::string list_bounds(std::string_view of, ListLimits limits) {
  return fmt::format("{} to {} {}", limits.count_min, limits.count_max, of);
}

Key flag(std::string_view name, std::string_view sentence, Field<bool> field) {
  return {name,
          sentence,
          "true or false",
          false,
          [field](const Settings& s) { return Value{read(field, s)}; },
          [field](Settings& s, const Value& value) -> Result<void> {
            const auto* chosen = std::get_if<bool>(&value.data);
            if (chosen == nullptr) return wrong_kind(value, "true or false");
            field(s) = *chosen;
            return {};
          }};
}

Key fraction(std::string_view name, std::string_view sentence, Field<double> field) {
  return {name,
          sentence,
          "0.0 to 1.0",
          false,
          [field](const Settings& s) { return Value{read(field, s)}; },
          [field](Settings& s, const Value& value) -> Result<void> {
            const auto* whole = std::get_if<std::int64_t>(&value.data);  // 0 and 1 are numbers too
            const auto* part = std::get_if<double>(&value.data);
            if (whole == nullptr && part == nullptr) return wrong_kind(value, "a number, 0.0 to 1.0");
            const double number = part != nullptr ? *part : static_cast<double>(*whole);
            if (!(number >= 0.0 && number <= 1.0))
              return fail(ErrorCode::kInvalid, "is {}, expected 0.0 to 1.0", number);
            field(s) = number;
            return {};
          }};
}

Key text(std::string_view name, std::string_view sentence, Field<std::string> field, Empty empty) {
  return {name,
          sentence,
          empty == Empty::kAllowed ? "text, may be empty" : "text",
          true,
          [field](const Settings& s) { return Value{read(field, s)}; },
          [field, empty](Settings& s, const Value& value) -> Result<void> {
            auto given = text_in(value, empty);
            if (!given) return tl::unexpected(given.error());
            field(s) = std::move(*given);
            return {};
          }};
}

Key choice(std::string_view name, std::string_view sentence, Field<std::string> field,
           std::initializer_list<std::string_view> choices) {
  Key key = text(name, sentence, field, Empty::kRefused);
  const std::vector<std::string_view> known(choices);
  key.bounds = fmt::format("one of {}", joined(known));
  key.set = [field, known](Settings& s, const Value& value) -> Result<void> {
    auto given = text_in(value, Empty::kRefused);
    if (!given) return tl::unexpected(given.error());
    if (std::find(known.begin(), known.end(), *given) == known.end()) {
      return fail(ErrorCode::kInvalid, "is \"{}\", expected one of {}", *given, joined(known));
    }
    field(s) = std::move(*given);
    return {};
  };
  return key;
}

Key text_list(std::string_view name, std::string_view sentence, Field<std::vector<std::string>> field,
              ListLimits limits) {
  return {name,
          sentence,
          list_bounds("texts", limits),
          true,
          [field](const Settings& s) {
            List list;
            for (const std::string& element : read(field, s)) list.push_back({element});
            return Value{list};
          },
          [field, limits](Settings& s, const Value& value) -> Result<void> {
            const auto list = list_in(value, limits);
            if (!list) return tl::unexpected(list.error());
            std::vector<std::string> texts;
            for (const Value& element : *list) {
              auto given = text_in(element, Empty::kRefused);
              if (!given)
                return tl::unexpected(given.error().within(fmt::format("element {}", texts.size())));
              texts.push_back(std::move(*given));
            }
            field(s) = std::move(texts);
            return {};
          }};
}

Key whole_list(std::string_view name, std::string_view sentence, Field<Numbers> field, ListLimits limits) {
  return {name,
          sentence,
          list_bounds(fmt::format("whole numbers, 0 to {}", limits.element_max), limits),
          false,
          [field](const Settings& s) { return to_value(read(field, s)); },
          [field, limits](Settings& s, const Value& value) -> Result<void> {
            auto numbers = numbers_in(value, limits);
            if (!numbers) return tl::unexpected(numbers.error());
            field(s) = std::move(*numbers);
            return {};
          }};
}

Key whole_lists(std::string_view name, std::string_view sentence, Field<std::vector<Numbers>> field,
                ListLimits limits) {
  const std::string of = fmt::format("lists of whole numbers, 0 to {}", limits.element_max);
  return {name,
          sentence,
          list_bounds(of, limits),
          false,
          [field](const Settings& s) {
            List list;
            for (const Numbers& numbers : read(field, s)) list.push_back(to_value(numbers));
            return Value{list};
          },
          [field, limits](Settings& s, const Value& value) -> Result<void> {
            const auto outer = list_in(value, limits);
            if (!outer) return tl::unexpected(outer.error());
            std::vector<Numbers> lists;
            for (const Value& element : *outer) {
              auto numbers = numbers_in(element, {limits.element_max, 1, limits.element_max + 1});
              if (!numbers)
                return tl::unexpected(numbers.error().within(fmt::format("list {}", lists.size())));
              lists.push_back(std::move(*numbers));
            }
            field(s) = std::move(lists);
            return {};
          }};
}

}  // namespace kantrig::settings
