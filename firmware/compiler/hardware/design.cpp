#include "compiler/hardware/design.hpp"

#include <nlohmann/json.hpp>

namespace kantrig::compiler {
namespace {

using Json = nlohmann::ordered_json;
constexpr int kFormat = 1;

Json to_json(const std::vector<HardwareField>& fields) {
  Json list = Json::array();
  for (const HardwareField& field : fields) {
    Json json{{"name", field.name}, {"offset", field.offset}, {"width", field.width}, {"codes", field.codes}};
    if (!field.reachable.empty()) json["reachable"] = field.reachable;
    list.push_back(std::move(json));
  }
  return list;
}

std::vector<HardwareField> fields_from(const Json& list) {
  std::vector<HardwareField> fields;
  for (const Json& json : list) {
    HardwareField& field = fields.emplace_back();
    field.name = json.at("name").get<std::string>();
    field.offset = json.at("offset").get<std::uint32_t>();
    field.width = json.at("width").get<std::uint32_t>();
    field.codes = json.at("codes").get<std::uint32_t>();
    if (json.contains("reachable")) json.at("reachable").get_to(field.reachable);
  }
  return fields;
}

Json to_json(const OverlayShape& shape) {
  return {{"sizes", shape.sizes},       {"code_bits", shape.code_bits}, {"entry_bits", shape.entry_bits},
          {"sum_bits", shape.sum_bits}, {"shift_max", shape.shift_max}, {"output_bits", shape.output_bits}};
}

OverlayShape shape_from(const Json& json) {
  using Figures = std::vector<std::uint32_t>;
  return {.sizes = json.at("sizes").get<Figures>(),
          .code_bits = json.at("code_bits").get<Figures>(),
          .entry_bits = json.at("entry_bits").get<Figures>(),
          .sum_bits = json.at("sum_bits").get<Figures>(),
          .shift_max = json.at("shift_max").get<Figures>(),
          .output_bits = json.at("output_bits").get<std::uint32_t>()};
}

HardwareDesign design_from(const Json& json) {
  HardwareDesign design;
  design.bundle = json.at("bundle").get<std::string>();
  design.target =
      json.at("target").get<std::string>() == "overlay" ? HardwareTarget::kOverlay : HardwareTarget::kFixed;
  design.device = json.at("device").get<std::string>();
  design.model_digest = json.at("model_digest").get<std::string>();
  design.cycles = json.at("cycles").get<std::uint32_t>();
  design.input_width = json.at("input_width").get<std::uint32_t>();
  design.output_width = json.at("output_width").get<std::uint32_t>();
  design.inputs = fields_from(json.at("inputs"));
  design.outputs = fields_from(json.at("outputs"));
  for (const Json& layer : json.at("layers")) {
    design.layers.push_back({layer.at("module").get<std::string>(), layer.at("cycles").get<std::uint32_t>(),
                             layer.at("input_width").get<std::uint32_t>(),
                             layer.at("output_width").get<std::uint32_t>(), fields_from(layer.at("inputs")),
                             fields_from(layer.at("outputs"))});
  }
  design.files = json.at("files").get<std::vector<std::string>>();
  for (const Json& pass : json.at("passes")) {
    design.passes.push_back({pass.at("pass").get<std::string>(), pass.at("luts").get<std::uint32_t>(),
                             pass.at("registers").get<std::uint32_t>()});
  }
  if (json.contains("overlay")) design.overlay = shape_from(json.at("overlay"));
  return design;
}

}  // namespace

std::string_view target_name(HardwareTarget target) noexcept {
  return target == HardwareTarget::kOverlay ? "overlay" : "fixed";
}

std::string design_to_json(const HardwareDesign& design) {
  Json layers = Json::array();
  for (const HardwareLayer& layer : design.layers) {
    layers.push_back({{"module", layer.module},
                      {"cycles", layer.cycles},
                      {"input_width", layer.input_width},
                      {"output_width", layer.output_width},
                      {"inputs", to_json(layer.inputs)},
                      {"outputs", to_json(layer.outputs)}});
  }
  Json passes = Json::array();
  for (const PassFigure& pass : design.passes) {
    passes.push_back({{"pass", pass.pass}, {"luts", pass.luts}, {"registers", pass.registers}});
  }
  Json json{{"format", kFormat},
            {"bundle", design.bundle},
            {"target", target_name(design.target)},
            {"device", design.device},
            {"model_digest", design.model_digest},
            {"cycles", design.cycles},
            {"input_width", design.input_width},
            {"output_width", design.output_width},
            {"inputs", to_json(design.inputs)},
            {"outputs", to_json(design.outputs)},
            {"layers", layers},
            {"files", design.files},
            {"passes", passes}};
  if (design.overlay) json["overlay"] = to_json(*design.overlay);
  return json.dump(1) + "\n";
}

Result<HardwareDesign> design_from_json(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    if (json.at("format") != kFormat) {
      return fail(ErrorCode::kUnsupported, "design.json has format {}, expected {}", json.at("format").dump(),
                  kFormat);
    }
    HardwareDesign design = design_from(json);
    if (design.overlay) {
      if (auto ok = check(*design.overlay); !ok) return tl::unexpected(ok.error().within("design.json"));
    }
    return design;
  } catch (const nlohmann::json::exception& error) {
    return fail(ErrorCode::kCorrupt, "design.json: {}", error.what());
  }
}

}  // namespace kantrig::compiler
