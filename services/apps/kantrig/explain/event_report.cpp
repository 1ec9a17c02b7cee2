#include "apps/kantrig/explain/event_report.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "base/event_files.hpp"
#include "base/file.hpp"
#include "control/menus.hpp"
#include "kan/feature_columns.hpp"
#include "kan/reference.hpp"

namespace kantrig::apps {
namespace {

constexpr std::size_t kPaddedEvents = 64;  // columns are read in words of 64 events

Result<std::vector<float>> read_row(const ExplainRequest& request, const kan::Bundle& bundle) {
  auto table = base::read_features(request.events, request.label);
  if (!table) return tl::unexpected(table.error());
  const auto arranged = kan::arrange_columns(std::move(*table), bundle, request.events.string());
  if (!arranged) return tl::unexpected(arranged.error());
  if (request.event >= arranged->rows) {
    return fail(ErrorCode::kInvalid, "{}: has {} events, expected one with the number {} (they count from 0)",
                request.events.string(), arranged->rows, request.event);
  }
  const auto row = arranged->row(request.event);
  return std::vector<float>(row.begin(), row.end());
}

Result<std::vector<std::uint16_t>> codes_of(EventReport& report) {
  const kan::Model& model = report.bundle.model;
  std::vector<std::uint16_t> codes;
  for (std::size_t j = 0; j < report.values.size(); ++j) {
    const kan::InputFeature& input = model.inputs[j];
    const float value = report.values[j];
    const std::string& name = report.bundle.features[j].name;
    const auto highest = static_cast<float>((1U << input.bits) - 1);
    if (model.codes_only) {
      if (!(value >= 0.0F && value <= highest) || value != std::floor(value)) {
        return fail(ErrorCode::kInvalid, "feature '{}' is {}: the bundle takes codes, expected 0 to {}", name,
                    value, highest);
      }
      codes.push_back(static_cast<std::uint16_t>(value));
      report.sides.push_back(RangeSide::kInside);
      continue;
    }
    const auto code = kan::reference_code(input, value);
    if (!code)
      return fail(ErrorCode::kInvalid, "feature '{}' is {}: such an event is malformed and fires no line",
                  name, value);
    codes.push_back(*code);
    const double place =
        static_cast<double>(value) * static_cast<double>(input.scale) + static_cast<double>(input.offset);
    const bool above = place > static_cast<double>(highest) + 0.5;
    report.sides.push_back(above ? RangeSide::kAbove : place < -0.5 ? RangeSide::kBelow : RangeSide::kInside);
  }
  return codes;
}

void fill_scores(EventReport& report) {
  const kan::Model& model = report.bundle.model;
  bool one_scale = true;
  for (std::size_t k = 0; k < report.explanation.outputs.size(); ++k) {
    report.scores.push_back(report.explanation.outputs[k] * model.output_scales[k]);
    one_scale = one_scale && model.output_scales[k] == model.output_scales[0];
  }
  if (model.output_stage) return;  // a distance is no probability
  if (report.scores.size() == 1) {
    const double odds = std::exp(-report.scores[0]);
    report.probabilities = {odds / (1.0 + odds), 1.0 / (1.0 + odds)};
    return;
  }
  if (!one_scale) return;
  const double largest = *std::max_element(report.scores.begin(), report.scores.end());
  double sum = 0.0;
  for (const double score : report.scores) sum += std::exp(score - largest);
  for (const double score : report.scores) report.probabilities.push_back(std::exp(score - largest) / sum);
}

/// The menu's own decision about this one event.
void decide(const menu::Menu& menu, const EventReport& report, std::uint32_t column, MenuReport& out) {
  std::vector<std::vector<std::int16_t>> columns;
  std::vector<const std::int16_t*> pointers;
  for (const std::int16_t output : report.explanation.outputs) {
    columns.emplace_back(kPaddedEvents, std::int16_t{0})[0] = output;
    pointers.push_back(columns.back().data());
  }
  std::array<std::uint8_t, kPaddedEvents> classes{};
  classes[0] = report.explanation.event_class;
  menu::MenuWorkspace workspace(menu, 1);
  menu.decide({.scores = pointers,
               .classes = classes.data(),
               .malformed = {},
               .event_count = 1,
               .first_event_id = out.event_id,
               .column = column},
              workspace);
  out.accepted = (workspace.accepted()[0] & 1U) != 0;
  for (std::size_t l = 0; l < out.lines.size(); ++l) out.lines[l].counts = workspace.line_counts()[l];
}

Result<MenuReport> explain_menu(const ExplainRequest& request, const EventReport& report) {
  auto text = base::read_file(request.menu, control::kMenuBytesMax);
  if (!text) return tl::unexpected(text.error());
  const auto menu = control::compile_menu({std::move(*text), request.menu.string()}, report.bundle);
  if (!menu) return tl::unexpected(menu.error());
  std::uint32_t column = (*menu)->default_column();
  if (!request.column.empty()) {
    const auto index = (*menu)->column_index(request.column);
    if (!index) return tl::unexpected(index.error());
    column = *index;
  }
  MenuReport out{.name = (*menu)->name(), .column = (*menu)->columns()[column], .lines = {}};
  out.event_id = request.event_id.value_or(request.event);
  const menu::ScoreSpace space = control::score_space(report.bundle);
  for (const menu::LineInfo& info : (*menu)->lines()) {
    auto condition = menu::explain_condition(info.condition, space, report.explanation.outputs,
                                             report.explanation.event_class);
    if (!condition) return tl::unexpected(condition.error());
    out.lines.push_back(
        {.info = info, .condition = std::move(*condition), .prescale = info.prescales[column], .counts = {}});
  }
  decide(**menu, report, column, out);
  return out;
}

}  // namespace

std::string EventReport::class_name(std::size_t index) const {
  return index < bundle.classes.size() ? bundle.classes[index] : std::to_string(index);
}

std::string EventReport::output_name(std::size_t k) const {
  return class_name(explanation.outputs.size() == 1 ? 1 : k);
}

std::string EventReport::node_name(std::size_t layer, std::size_t node) const {
  const bool last = layer + 1 == explanation.layers.size() && !bundle.model.output_stage;
  return last ? output_name(node) : fmt::format("h{}_{}", layer, node);
}

double EventReport::effect(std::size_t feature, std::size_t output) const {
  return explanation.features[feature].effects[output] * bundle.model.output_scales[output];
}

std::size_t EventReport::decided_output() const {
  return explanation.outputs.size() == 1 ? 0 : explanation.event_class;
}

std::vector<std::size_t> EventReport::features_by_effect() const {
  std::vector<std::size_t> order(explanation.features.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto size = [&](std::size_t j) {
    return std::abs(explanation.features[j].effects[decided_output()]);
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return size(a) > size(b); });
  return order;
}

Result<EventReport> explain_event(const ExplainRequest& request) {
  auto bundle = kan::load_bundle(request.bundle);
  if (!bundle) return tl::unexpected(bundle.error());
  EventReport report;
  report.bundle = std::move(*bundle);
  report.source = request.events.filename().string();
  report.event = request.event;
  auto values = read_row(request, report.bundle);
  if (!values) return tl::unexpected(values.error());
  report.values = std::move(*values);
  const auto codes = codes_of(report);
  if (!codes)
    return tl::unexpected(
        codes.error().within(fmt::format("{}, event {}", request.events.string(), request.event)));
  report.explanation = kan::explain(report.bundle, *codes);
  fill_scores(report);
  if (request.menu.empty()) return report;
  auto menu = explain_menu(request, report);
  if (!menu) return tl::unexpected(menu.error());
  report.menu = std::move(*menu);
  return report;
}

}  // namespace kantrig::apps
