#include "synth/resource_report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <iterator>
#include <vector>

#include "synth/place_names.hpp"

namespace kantrig::synth {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const PlaceFigures& figures) {
  return {{"luts", figures.luts}, {"ffs", figures.ffs}, {"carry_cells", figures.carries}};
}

Json to_json(const StageFigures& stage) {
  return {{"luts", stage.luts},
          {"ffs", stage.ffs},
          {"levels", stage.levels},
          {"longest", stage.longest},
          {"carry_chains_in_series", stage.carry_chains_in_series},
          {"carry_bits", stage.carry_bits}};
}

Json area_to_json(const Area& area, const compiler::HardwareDesign& design) {
  Json places = Json::array();
  for (const auto& [place, figures] : area) {
    Json json = to_json(figures);
    json["layer"] = place.layer == kNoLayer ? Json() : Json(place.layer);
    json["part"] = part_name(place.part);
    if (place.part != Part::kShared) {
      json["index"] = place.index;
      json["name"] = place_name(place, design);
    }
    places.push_back(std::move(json));
  }
  return places;
}

Json to_json(const Synthesised& synthesised, const compiler::HardwareDesign& design) {
  const Figures& figures = synthesised.figures;
  Json stages = Json::array();
  for (const StageFigures& stage : figures.stages) stages.push_back(to_json(stage));
  return {{"luts", figures.luts},
          {"dual_output_luts", figures.dual_output_luts},
          {"srls", figures.srls},
          {"memory_luts", figures.memory_luts},
          {"ffs", figures.ffs},
          {"carries", figures.carries},
          {"f7", figures.f7},
          {"f8", figures.f8},
          {"others", Json(figures.others)},
          {"cycles", figures.cycles},
          {"events_per_cycle", 1},
          {"levels_max", figures.levels_max()},
          {"carry_chains_in_series_max", figures.carry_chains_in_series_max()},
          {"carry_bits_max", figures.carry_bits_max()},
          {"stages", std::move(stages)},
          {"area", area_to_json(synthesised.area, design)}};
}

/// Rounded to three places, so that reports are read and compared easily.
Json ratio(std::uint32_t a, std::uint32_t b) {
  return b == 0 ? Json() : Json(std::round(1000.0 * a / b) / 1000.0);
}

Json all_to_json(const Resources& resources, const compiler::HardwareDesign& design) {
  Json json{{"bundle", design.bundle},
            {"model_digest", design.model_digest},
            {"target", compiler::target_name(design.target)},
            {"family", family_name(resources.family)},
            {"tool", resources.tool},
            {"design", to_json(resources.design, design)}};
  if (!resources.baseline) return json;
  const Figures& ours = resources.design.figures;
  const Figures& theirs = resources.baseline->figures;
  json["baseline"] = to_json(*resources.baseline, design);
  json["baseline"]["add_operands"] = resources.baseline_operands;
  json["ratio"] = {{"luts", ratio(ours.luts, theirs.luts)},
                   {"ffs", ratio(ours.ffs, theirs.ffs)},
                   {"carries", ratio(ours.carries, theirs.carries)},
                   {"cycles", ratio(ours.cycles, theirs.cycles)}};
  return json;
}

struct Row {
  std::string_view name;
  std::uint32_t design;
  std::uint32_t baseline;
};

std::vector<Row> rows_of(const Figures& a, const Figures& b) {
  return {{"LUT", a.luts, b.luts},
          {"  two outputs", a.dual_output_luts, b.dual_output_luts},
          {"  shift registers", a.srls, b.srls},
          {"  memory", a.memory_luts, b.memory_luts},
          {"FF", a.ffs, b.ffs},
          {"carry", a.carries, b.carries},
          {"F7", a.f7, b.f7},
          {"F8", a.f8, b.f8},
          {"cycles", a.cycles, b.cycles},
          {"LUT levels a stage", a.levels_max(), b.levels_max()},
          {"chains in series", a.carry_chains_in_series_max(), b.carry_chains_in_series_max()},
          {"bits of a chain", a.carry_bits_max(), b.carry_bits_max()}};
}

template <typename... Args>
void line(std::string& text, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(text), format, std::forward<Args>(args)...);
  text += '\n';
}

void add_comparison(std::string& text, const Resources& resources) {
  const Figures& ours = resources.design.figures;
  if (!resources.baseline) {
    line(text, "  {:<20} {:>8}", "", "design");
    for (const Row& row : rows_of(ours, ours)) line(text, "  {:<20} {:>8}", row.name, row.design);
  } else {
    line(text, "  {:<20} {:>8} {:>10} {:>7}", "", "design", "published", "ratio");
    for (const Row& row : rows_of(ours, resources.baseline->figures)) {
      const std::string quotient =
          row.baseline == 0 ? "" : fmt::format("{:.3f}", static_cast<double>(row.design) / row.baseline);
      line(text, "  {:<20} {:>8} {:>10} {:>7}", row.name, row.design, row.baseline, quotient);
    }
  }
  for (const auto& [type, count] : ours.others) line(text, "  other cells: {} x {}", count, type);
}

}  // namespace

std::string resources_to_json(const Resources& resources, const compiler::HardwareDesign& design) {
  return all_to_json(resources, design).dump(1) + "\n";
}

std::string resources_to_text(const Resources& resources, const compiler::HardwareDesign& design) {
  std::string text;
  line(text, "{}, {}, {}: {}", design.bundle, compiler::target_name(design.target),
       family_name(resources.family), resources.tool);
  add_comparison(text, resources);
  line(text, "\n  {:<12} {:>8} {:>8} {:>8} {:>8} {:>8}  {}", "stage", "LUT", "FF", "levels", "chains", "bits",
       "longest path ends in");
  const std::vector<StageFigures>& stages = resources.design.figures.stages;
  for (std::size_t s = 0; s < stages.size(); ++s) {
    line(text, "  {:<12} {:>8} {:>8} {:>8} {:>8} {:>8}  {}", s, stages[s].luts, stages[s].ffs,
         stages[s].levels, stages[s].carry_chains_in_series, stages[s].carry_bits, stages[s].longest);
  }
  line(text, "\n  {:<36} {:>8} {:>8}", "layer, node or input", "LUT", "FF");
  for (const auto& [place, figures] : resources.design.area) {
    line(text, "  {:<36} {:>8} {:>8}", full_place_name(place, design), figures.luts, figures.ffs);
  }
  line(text, "\n  one event a clock: every path has {} registers and none leads back",
       resources.design.figures.cycles);
  return text;
}

Result<std::string> report_with_resources(std::string_view report, const Resources& resources,
                                          const compiler::HardwareDesign& design) {
  try {
    Json json = report.empty() ? Json::object() : Json::parse(report);
    if (!json.is_object()) return fail(ErrorCode::kCorrupt, "report.json: is no object, expected one");
    Json& hardware = json["hardware"];
    if (!hardware.is_null() && !hardware.is_object())
      return fail(ErrorCode::kCorrupt, "report.json: hardware is no object, expected one");
    Json& place = hardware["resources"];
    if (!place.is_null() && !place.is_object())
      return fail(ErrorCode::kCorrupt, "report.json: hardware.resources is no object, expected one");
    place[std::string(family_name(resources.family))] = all_to_json(resources, design);
    return json.dump(1) + "\n";
  } catch (const nlohmann::json::exception& error) {
    return fail(ErrorCode::kCorrupt, "report.json: {}", error.what());
  }
}

}  // namespace kantrig::synth
