// kanc inspect
#include <fmt/core.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "compiler/commands.hpp"
#include "compiler/report.hpp"
#include "kan/bundle.hpp"

namespace kantrig::compiler {
namespace {

using Json = nlohmann::ordered_json;

/// A layer in figures.
struct LayerFacts {
  std::size_t inputs = 0;
  std::size_t nodes = 0;
  std::size_t edges = 0;
  std::size_t table_bytes = 0;
  std::uint32_t codes_max = 0;  // of one input
  int entry_min = 0;            // over all tables; both 0 without any
  int entry_max = 0;
  int output_min = 0;  // the widest range that a node clamps to
  int output_max = 0;
};

LayerFacts facts_of(const kan::Layer& layer) {
  LayerFacts facts{
      .inputs = layer.input_codes.size(), .nodes = layer.nodes.size(), .edges = layer.edges.size()};
  facts.table_bytes = layer.tables.size() * sizeof(std::int16_t);
  facts.codes_max = *std::max_element(layer.input_codes.begin(), layer.input_codes.end());
  if (!layer.tables.empty()) {
    const auto [low, high] = std::minmax_element(layer.tables.begin(), layer.tables.end());
    facts.entry_min = *low;
    facts.entry_max = *high;
  }
  facts.output_min = layer.nodes[0].low;
  facts.output_max = layer.nodes[0].high;
  for (const kan::Node& node : layer.nodes) {
    facts.output_min = std::min(facts.output_min, node.low);
    facts.output_max = std::max(facts.output_max, node.high);
  }
  return facts;
}

Json features_json(const kan::Bundle& bundle) {
  Json features = Json::array();
  for (std::size_t i = 0; i < bundle.features.size(); ++i) {
    const kan::InputFeature& input = bundle.model.inputs[i];
    Json feature{{"name", bundle.features[i].name}, {"unit", bundle.features[i].unit}, {"bits", input.bits}};
    if (!bundle.model.codes_only) {
      feature["scale"] = input.scale;
      feature["offset"] = input.offset;
    }
    features.push_back(std::move(feature));
  }
  return features;
}

Json layers_json(const kan::Bundle& bundle) {
  Json layers = Json::array();
  for (const kan::Layer& layer : bundle.model.layers) {
    const LayerFacts facts = facts_of(layer);
    layers.push_back({{"inputs", facts.inputs},
                      {"nodes", facts.nodes},
                      {"edges", facts.edges},
                      {"table_bytes", facts.table_bytes},
                      {"input_codes_max", facts.codes_max},
                      {"entry_min", facts.entry_min},
                      {"entry_max", facts.entry_max},
                      {"output_min", facts.output_min},
                      {"output_max", facts.output_max}});
  }
  return layers;
}

std::string_view name_of(kan::DistanceMeasure measure) {
  return measure == kan::DistanceMeasure::kSquared ? "squared" : "absolute";
}

Json output_stage_json(const kan::Model& model) {
  const kan::OutputStage& stage = *model.output_stage;
  return {{"distance", name_of(stage.measure)},
          {"nodes", stage.inputs.size()},
          {"reconstructs", stage.inputs},
          {"target_bytes", stage.targets.size() * sizeof(std::int16_t)},
          {"shift", stage.shift},
          {"class_above", stage.class_above},
          {"score_max", kan::output_ranges(model).front().high}};
}

void print_json(const kan::Bundle& bundle) {
  Json out;
  out["name"] = bundle.name;
  out["version"] = bundle.version;
  out["digest"] = bundle.digest.hex();
  out["description"] = bundle.description;
  out["codes_only"] = bundle.model.codes_only;
  out["features"] = features_json(bundle);
  out["classes"] = bundle.classes;
  out["layers"] = layers_json(bundle);
  out["output_scales"] = bundle.model.output_scales;
  if (bundle.model.output_stage) out["output_stage"] = output_stage_json(bundle.model);
  out["golden_vectors"] = bundle.golden.count;
  out["metrics"] = Json::object();
  for (const kan::Metric& metric : bundle.metrics) out["metrics"][metric.name] = metric.value;
  const kan::Provenance& p = bundle.provenance;
  out["provenance"] = {{"tool", p.tool},
                       {"command", p.command},
                       {"source", p.source},
                       {"source_sha256", p.source_sha256},
                       {"specification_sha256", p.specification_sha256},
                       {"seed", p.seed},
                       {"license", p.license}};
  fmt::print("{}\n", out.dump(2));
}

void print_features(const kan::Bundle& bundle) {
  constexpr std::size_t kShown = 32;
  fmt::print("features  {}{}\n", bundle.features.size(),
             bundle.model.codes_only ? ", codes only: no input stage" : "");
  for (std::size_t i = 0; i < std::min(kShown, bundle.features.size()); ++i) {
    const kan::InputFeature& input = bundle.model.inputs[i];
    const std::string unit = bundle.features[i].unit.empty() ? "" : " [" + bundle.features[i].unit + "]";
    fmt::print("  {:<24} {:>2} bits", bundle.features[i].name + unit, input.bits);
    if (!bundle.model.codes_only) fmt::print(", code = x * {:g} + {:g}", input.scale, input.offset);
    fmt::print("\n");
  }
  if (bundle.features.size() > kShown)
    fmt::print("  and {} more (--json shows all)\n", bundle.features.size() - kShown);
}

void print_layers(const kan::Bundle& bundle) {
  fmt::print("layers\n");
  std::size_t bytes = 0;
  for (std::size_t l = 0; l < bundle.model.layers.size(); ++l) {
    const LayerFacts facts = facts_of(bundle.model.layers[l]);
    fmt::print(
        "  {}: {} -> {}, {} active edges of {}, tables of up to {} entries, {} bytes, entries {} to {}, "
        "outputs {} to {}\n",
        l, facts.inputs, facts.nodes, facts.edges, facts.inputs * facts.nodes, facts.codes_max,
        facts.table_bytes, facts.entry_min, facts.entry_max, facts.output_min, facts.output_max);
    bytes += facts.table_bytes;
  }
  fmt::print("tables    {} bytes\n", bytes);
}

void print_output_stage(const kan::Bundle& bundle) {
  if (!bundle.model.output_stage) return;
  const kan::OutputStage& stage = *bundle.model.output_stage;
  const double scale = bundle.model.output_scales.front();
  const std::int32_t highest = kan::output_ranges(bundle.model).front().high;
  fmt::print(
      "score     {} distance of {} nodes from the features that they reconstruct, shift {}, 0 to {} ({:g}), "
      "{} above {} ({:g})\n",
      name_of(stage.measure), stage.inputs.size(), stage.shift, highest, highest * scale, bundle.classes[1],
      stage.class_above, stage.class_above * scale);
}

void print_line(std::string_view what, std::string_view text) {
  if (!text.empty()) fmt::print("{:<9} {}\n", what, text);
}

void print_text(const kan::Bundle& bundle) {
  fmt::print("bundle    {}\ndigest    {}\n", bundle.full_name(), bundle.digest.hex());
  print_line("about", bundle.description);
  print_features(bundle);
  fmt::print("classes  ");
  for (const std::string& name : bundle.classes) fmt::print(" {}", name);
  fmt::print("\n");
  print_layers(bundle);
  print_output_stage(bundle);
  fmt::print("golden    {} vectors, reproduced by the reference evaluator\n", bundle.golden.count);
  for (const kan::Metric& metric : bundle.metrics)
    fmt::print("metric    {} = {:g}\n", metric.name, metric.value);
  const kan::Provenance& p = bundle.provenance;
  fmt::print("made by   {}, {}, from {}, seed {}\n", p.tool, p.command, p.source, p.seed);
  print_line("source", p.source_sha256);
  print_line("spec", p.specification_sha256);
  print_line("license", p.license);
}

}  // namespace

void add_inspect_command(CLI::App& app, int& exit_code) {
  struct Arguments {
    std::filesystem::path bundle;
    bool json = false;
  };
  CLI::App* const inspect = app.add_subcommand("inspect", "Verify a bundle and show what is in it");
  const auto arguments = std::make_shared<Arguments>();
  inspect->add_option("bundle", arguments->bundle, "The bundle")->required();
  inspect->add_flag("--json", arguments->json, "Print one JSON object");
  inspect->footer(
      "The bundle is verified first: every digest, every bound and the golden vectors.\n\n"
      "Example:\n"
      "  kanc inspect jets-1.1.0\n\n"
      "Exit codes: 0 sound, 2 wrong command line, 3 wrong or missing bundle.");
  inspect->callback([arguments, &exit_code] {
    const auto bundle = kan::load_bundle(arguments->bundle);
    if (!bundle) {
      exit_code = report_failure(bundle.error(), base::kExitInput);
    } else if (arguments->json) {
      print_json(*bundle);
    } else {
      print_text(*bundle);
    }
  });
}

}  // namespace kantrig::compiler
