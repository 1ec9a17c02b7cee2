#include "compiler/explore/specification_edit.hpp"

#include <toml++/toml.h>

#include <charconv>
#include <cstddef>
#include <sstream>
#include <vector>

namespace kantrig::explore {
namespace {

/// One step of a path: a key of a table, then perhaps entries of lists.
struct Step {
  std::string key;
  std::vector<std::size_t> indices;
};

Result<std::vector<Step>> parse_path(std::string_view field) {
  const auto wrong = [&] {
    return fail(ErrorCode::kInvalid,
                "field '{}': expected keys parted by dots, such as training.seed or model.bits[0]", field);
  };
  std::vector<Step> steps;
  std::string_view rest = field;
  while (true) {
    const std::size_t dot = rest.find('.');
    std::string_view part = rest.substr(0, dot);
    Step step;
    const std::size_t bracket = part.find('[');
    step.key = part.substr(0, bracket);
    if (step.key.empty()) return wrong();
    part.remove_prefix(std::min(bracket, part.size()));
    while (!part.empty()) {
      const std::size_t close = part.find(']');
      if (part.front() != '[' || close == std::string_view::npos) return wrong();
      std::size_t index = 0;
      const auto [at, error] = std::from_chars(part.data() + 1, part.data() + close, index);
      if (error != std::errc{} || at != part.data() + close) return wrong();
      step.indices.push_back(index);
      part.remove_prefix(close + 1);
    }
    steps.push_back(std::move(step));
    if (dot == std::string_view::npos) return steps;
    rest.remove_prefix(dot + 1);
  }
}

Result<toml::table> parse_value(const Assignment& assignment) {
  if (assignment.value.find('\n') != std::string::npos || assignment.field.find('\n') != std::string::npos)
    return fail(ErrorCode::kInvalid, "field {}: expected a value on one line", assignment.field);
  try {
    return toml::parse(fmt::format("value = {}\n", assignment.value));
  } catch (const toml::parse_error& error) {
    return fail(ErrorCode::kInvalid, "{}={}: not a value of TOML: {}", assignment.field, assignment.value,
                error.description());
  }
}

/// The entry that `indices` lead to from the value of a key.
Result<toml::node*> entry_of(toml::node* node, const Step& step, std::string_view field) {
  for (const std::size_t index : step.indices) {
    toml::array* const list = node == nullptr ? nullptr : node->as_array();
    if (list == nullptr) return fail(ErrorCode::kInvalid, "field {}: {} is not a list", field, step.key);
    if (index >= list->size()) {
      return fail(ErrorCode::kInvalid, "field {}: {} has {} entries, expected an index below that", field,
                  step.key, list->size());
    }
    node = list->get(index);
  }
  return node;
}

/// Puts `value` where the last step of a path leads from `table`.
Result<void> set(toml::table& table, const Step& last, const toml::node& value, std::string_view field) {
  if (last.indices.empty()) {
    value.visit([&](const auto& concrete) { table.insert_or_assign(last.key, concrete); });
    return {};
  }
  Step before = last;
  const std::size_t index = before.indices.back();
  before.indices.pop_back();
  auto node = entry_of(table.get(last.key), before, field);
  if (!node) return tl::unexpected(node.error());
  if (auto ok = entry_of(*node, {last.key, {index}}, field); !ok) return tl::unexpected(ok.error());
  toml::array& list = *(*node)->as_array();
  value.visit([&](const auto& concrete) {
    list.replace(list.cbegin() + static_cast<std::ptrdiff_t>(index), concrete);
  });
  return {};
}

Result<void> assign(toml::table& root, const Assignment& assignment) {
  const auto path = parse_path(assignment.field);
  if (!path) return tl::unexpected(path.error());
  const auto value = parse_value(assignment);
  if (!value) return tl::unexpected(value.error());
  toml::table* table = &root;
  for (std::size_t i = 0; i + 1 < path->size(); ++i) {
    const Step& step = (*path)[i];
    if (step.indices.empty()) table->insert(step.key, toml::table{});  // does nothing where there is one
    const auto node = entry_of(table->get(step.key), step, assignment.field);
    if (!node) return tl::unexpected(node.error());
    table = (*node)->as_table();
    if (table == nullptr)
      return fail(ErrorCode::kInvalid, "field {}: {} is not a table", assignment.field, step.key);
  }
  return set(*table, path->back(), *value->get("value"), assignment.field);
}

}  // namespace

Result<std::string> with_assignments(std::string_view text, std::string_view origin,
                                     std::span<const Assignment> assignments) {
  toml::table root;
  try {
    root = toml::parse(text);
  } catch (const toml::parse_error& error) {
    return fail(ErrorCode::kInvalid, "{}: line {}: {}", origin, error.source().begin.line,
                error.description());
  }
  for (const Assignment& assignment : assignments) {
    if (auto ok = assign(root, assignment); !ok) return tl::unexpected(ok.error().within(origin));
  }
  std::ostringstream out;
  for (const Assignment& assignment : assignments)
    out << "# " << assignment.field << " = " << assignment.value << '\n';
  out << root << '\n';
  return out.str();
}

}  // namespace kantrig::explore
