#include "compiler/exchange/package.hpp"

#include "base/build_info.hpp"
#include "compiler/golden.hpp"
#include "compiler/learned/tabulate.hpp"

namespace kantrig::exchange {

Result<kan::Bundle> package(const learned::LearnedKan& kan, const PackageOptions& options) {
  if (!kan.quantized()) {
    return fail(
        ErrorCode::kInvalid,
        "the model is not quantised, so it has no tables: store it (--checkpoint-out MODEL.kan), then "
        "make a bundle of it with `kanc quantize MODEL.kan --x EVENTS --bits 6,7,6 --out NAME-VERSION`");
  }
  auto model = learned::tabulate(kan);
  if (!model) return tl::unexpected(model.error());
  kan::Bundle bundle;
  bundle.name = options.name;
  bundle.version = options.version;
  bundle.description = "Imported from a checkpoint.";
  bundle.model = std::move(*model);
  for (const learned::Input& input : kan.inputs) bundle.features.push_back(input.feature);
  bundle.classes = kan.classes;
  const std::uint32_t classes = bundle.model.class_count();
  for (std::uint32_t k = 0; kan.classes.empty() && k < classes; ++k)
    bundle.classes.push_back(fmt::format("c{}", k));
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
