#include "compiler/verify/read_design.hpp"

#include <algorithm>
#include <string>

#include "base/digest.hpp"
#include "kan/model_proto.hpp"

namespace kantrig::compiler {
namespace {

constexpr std::uint32_t kFieldWidthMax = 16;
constexpr std::uint32_t kVectorWidthMax = 1U << 16U;

tl::unexpected<Error> wrong(const std::string& what) {
  return fail(ErrorCode::kCorrupt, "rtl/design.json: {}; compile the bundle again (kanc compile)", what);
}

/// `codes` is how many each field may have, since a design may find that some never occur; empty for scores.
struct Expected {
  std::string name;
  std::size_t count = 0;
  std::uint32_t width = 0;
  const std::vector<std::uint32_t>* codes = nullptr;
};

bool ranges_fit(const HardwareField& field) {
  std::uint64_t next = 0;
  for (const auto& [first, last] : field.reachable) {
    if (first < next || last < first || last >= field.codes) return false;
    next = std::uint64_t{last} + 1;
  }
  return true;
}

Result<void> check_fields(const std::vector<HardwareField>& fields, const Expected& expected) {
  if (fields.size() != expected.count) {
    return wrong(fmt::format("{} has {} fields, expected {} as in the model", expected.name, fields.size(),
                             expected.count));
  }
  if (expected.width == 0 || expected.width > kVectorWidthMax) {
    return wrong(
        fmt::format("{} has {} bits, expected 1 to {}", expected.name, expected.width, kVectorWidthMax));
  }
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const HardwareField& field = fields[i];
    const bool fits = field.width >= 1 && field.width <= kFieldWidthMax && field.offset <= expected.width &&
                      field.width <= expected.width - field.offset;
    if (!fits) return wrong(fmt::format("{}: field {} ({}) does not fit", expected.name, i, field.name));
    if (expected.codes == nullptr) continue;
    if (field.codes == 0 || field.codes > (*expected.codes)[i] || field.codes > 1U << field.width ||
        !ranges_fit(field)) {
      return wrong(
          fmt::format("{}: field {} ({}) has {} codes in {} bits, expected at most {}, those of the model",
                      expected.name, i, field.name, field.codes, field.width, (*expected.codes)[i]));
    }
  }
  return {};
}

Result<void> check_layer(const HardwareLayer& layer, const kan::Model& model, std::size_t l) {
  const std::string name = fmt::format("kan_layer{}", l);
  if (layer.module != name) return wrong(fmt::format("layer {} is {}, expected {}", l, layer.module, name));
  const auto& codes = model.layers[l].input_codes;
  if (auto ok = check_fields(layer.inputs, {name + " inputs", codes.size(), layer.input_width, &codes}); !ok)
    return ok;
  const bool last = l + 1 == model.layers.size();
  const auto* const next = last ? nullptr : &model.layers[l + 1].input_codes;
  return check_fields(layer.outputs,
                      {name + " outputs", model.layers[l].nodes.size(), layer.output_width, next});
}

Result<void> check_layers(const HardwareDesign& design, const kan::Model& model) {
  if (design.overlay) return wrong("is of target fixed and has the shape of an overlay");
  if (design.layers.size() != model.layers.size()) {
    return wrong(
        fmt::format("has {} layers, expected the model's {}", design.layers.size(), model.layers.size()));
  }
  for (std::size_t l = 0; l < design.layers.size(); ++l) {
    if (auto ok = check_layer(design.layers[l], model, l); !ok) return ok;
  }
  return {};
}

/// An overlay's layers are no modules of the model: there is only the whole, and its shape.
Result<void> check_overlay(const HardwareDesign& design, const kan::Model& model) {
  if (!design.overlay || !design.layers.empty())
    return wrong("is of target overlay, expected a shape and no layers");
  const OverlayShape& shape = *design.overlay;
  const std::uint32_t inputs = shape.sizes.front() * shape.code_bits.front();
  const std::uint32_t outputs = shape.sizes.back() * shape.output_bits;
  if (design.input_width != inputs || design.output_width != outputs || design.cycles != shape.cycles()) {
    return wrong(fmt::format("has {} bits in, {} bits out and {} cycles, expected its shape's {}, {} and {}",
                             design.input_width, design.output_width, design.cycles, inputs, outputs,
                             shape.cycles()));
  }
  return fits(model, shape);
}

Result<void> check_files(const HardwareDesign& design, const kan::Bundle& bundle) {
  if (design.files.empty()) return wrong("lists no files");
  for (const std::string& file : design.files) {
    if (!bundle.rtl_files.contains("rtl/" + file))
      return wrong(fmt::format("lists {}, which rtl/ does not hold", file));
  }
  return {};
}

}  // namespace

Result<HardwareDesign> read_design(const kan::Bundle& bundle) {
  const auto json = bundle.rtl_files.find("rtl/design.json");
  if (json == bundle.rtl_files.end()) {
    return fail(ErrorCode::kNotFound,
                "bundle {}: holds no compiled design (rtl/design.json); kanc compile makes one",
                bundle.full_name());
  }
  auto design = design_from_json(json->second);
  if (!design) return design;
  const kan::Model& model = bundle.model;
  const std::string digest = base::sha256(kan::encode_model(model)).hex();
  if (design->model_digest != digest) {
    return wrong(
        fmt::format("is of model {:.12}, expected {:.12}, this bundle's", design->model_digest, digest));
  }
  if (auto ok = check_files(*design, bundle); !ok) return tl::unexpected(ok.error());
  const auto& codes = model.layers.front().input_codes;
  if (auto ok = check_fields(design->inputs, {"inputs", codes.size(), design->input_width, &codes}); !ok)
    return tl::unexpected(ok.error());
  if (auto ok = check_fields(design->outputs, {"outputs", model.node_count(), design->output_width, nullptr});
      !ok) {
    return tl::unexpected(ok.error());
  }
  const bool overlay = design->target == HardwareTarget::kOverlay;
  if (auto ok = overlay ? check_overlay(*design, model) : check_layers(*design, model); !ok)
    return tl::unexpected(ok.error());
  return design;
}

}  // namespace kantrig::compiler
