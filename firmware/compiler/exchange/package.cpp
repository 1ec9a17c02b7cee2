#include "compiler/exchange/package.hpp"

#include "base/build_info.hpp"
#include "compiler/golden.hpp"
#include "compiler/learned/tabulate.hpp"
#include "kan/output_stage.hpp"

namespace kantrig::exchange {

namespace {

Result<kan::Model> scored(kan::Model model, const learned::LearnedKan& kan, const PackageOptions& options) {
  if (model.node_count() != kan.inputs.size()) {
    return fail(ErrorCode::kInvalid,
                "--score: compares outputs with inputs, but the model has {} outputs for {} inputs",
                model.node_count(), kan.inputs.size());
  }
  kan::DistanceSpec distance{.measure = *options.score,
                             .inputs = {},
                             .code_values = {},
                             .class_above = options.anomaly_above,
                             .shift = {}};
  for (std::uint32_t i = 0; i < kan.inputs.size(); ++i)
    distance.code_values.push_back(learned::input_points(kan, 0, i));
  return kan::with_distance_stage(std::move(model), distance);
}

/// As the checkpoint has them, else numbered. An autoencoder's outputs are no classes.
std::vector<std::string> class_names(const learned::LearnedKan& kan, const kan::Model& model) {
  if (model.output_stage) return {"normal", "anomaly"};
  if (!kan.classes.empty()) return kan.classes;
  std::vector<std::string> names;
  for (std::uint32_t k = 0; k < model.class_count(); ++k) names.push_back(fmt::format("c{}", k));
  return names;
}

}  // namespace

Result<kan::Bundle> package(const learned::LearnedKan& kan, const PackageOptions& options) {
  if (!kan.quantized()) {
    return fail(
        ErrorCode::kInvalid,
        "the model is not quantised, so it has no tables: store it (--checkpoint-out MODEL.kan), then "
        "make a bundle of it with `kanc quantize MODEL.kan --x EVENTS --bits 6,7,6 --out NAME-VERSION`");
  }
  auto model = learned::tabulate(kan);
  if (model && options.score) model = scored(std::move(*model), kan, options);
  if (!model) return tl::unexpected(model.error());
  kan::Bundle bundle;
  bundle.name = options.name;
  bundle.version = options.version;
  bundle.description = "Imported from a checkpoint.";
  bundle.model = std::move(*model);
  for (const learned::Input& input : kan.inputs) bundle.features.push_back(input.feature);
  bundle.classes = class_names(kan, bundle.model);
  const std::uint32_t classes = bundle.model.class_count();
  if (bundle.classes.size() != classes) {
    return fail(ErrorCode::kInvalid, "classes: has {} names, expected {} for {} outputs",
                bundle.classes.size(), classes, bundle.model.output_count());
  }
  compiler::add_seeded_vectors(bundle.model, options.random_vectors, options.seed, bundle.golden);
  bundle.provenance = {.tool = fmt::format("kanc {}", base::build_info().version),
                       .command = options.command,
                       .source = options.source,
                       .source_sha256 = options.source_sha256,
                       .specification_sha256 = {},
                       .seed = options.seed,
                       .license = options.license};
  return bundle;
}

}  // namespace kantrig::exchange
