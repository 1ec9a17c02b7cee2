// Builders of Key, one for each kind of value. Internal; used by keys.cpp.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "settings/keys.hpp"

namespace kantrig::settings {

/// A member of Settings, two steps down.
template <typename T>
using Field = std::function<T&(Settings&)>;

/// section(&Settings::events)(&EventsSettings::shards) is the field settings.events.shards.
template <typename Section>
auto section(Section Settings::*outer) {
  return [outer](auto Section::*inner) {
    using T = std::remove_reference_t<decltype(std::declval<Section&>().*inner)>;
    return Field<T>([outer, inner](Settings& settings) -> T& { return settings.*outer.*inner; });
  };
}

struct Range {
  std::uint64_t min = 0;
  std::uint64_t max = 0;
};

struct ListLimits {
  std::uint64_t element_max = 0;  // of whole numbers
  std::size_t count_min = 0;
  std::size_t count_max = 0;
};

enum class Empty : std::uint8_t { kRefused, kAllowed };

/// The value of a field; `field` wants a Settings it may write, and does not write.
template <typename T>
const T& read(const Field<T>& field, const Settings& settings) {
  return field(const_cast<Settings&>(settings));
}

Result<std::uint64_t> whole_in(const Value& value, Range range);
Result<List> list_in(const Value& value, ListLimits limits);
std::string list_bounds(std::string_view of, ListLimits limits);

template <typename T>
Key whole(std::string_view name, std::string_view sentence, Field<T> field, Range range) {
  return {name,
          sentence,
          fmt::format("{} to {}", range.min, range.max),
          false,
          [field](const Settings& s) { return Value{static_cast<std::int64_t>(read(field, s))}; },
          [field, range](Settings& s, const Value& value) -> Result<void> {
            const auto number = whole_in(value, range);
            if (!number) return tl::unexpected(number.error());
            field(s) = static_cast<T>(*number);
            return {};
          }};
}

Key flag(std::string_view name, std::string_view sentence, Field<bool> field);
/// A number from 0 to 1.
Key fraction(std::string_view name, std::string_view sentence, Field<double> field);
Key text(std::string_view name, std::string_view sentence, Field<std::string> field, Empty empty);
Key choice(std::string_view name, std::string_view sentence, Field<std::string> field,
           std::initializer_list<std::string_view> choices);
Key text_list(std::string_view name, std::string_view sentence, Field<std::vector<std::string>> field,
              ListLimits limits);
Key whole_list(std::string_view name, std::string_view sentence, Field<std::vector<std::uint32_t>> field,
               ListLimits limits);
Key whole_lists(std::string_view name, std::string_view sentence,
                Field<std::vector<std::vector<std::uint32_t>>> field, ListLimits limits);

}  // namespace kantrig::settings
