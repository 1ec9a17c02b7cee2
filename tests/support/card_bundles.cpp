#include "support/card_bundles.hpp"

#include <span>

#include "kan/reference.hpp"
#include "support/plain_design.hpp"

namespace kantrig::test {

kan::Bundle biased_bundle(std::int32_t bias) {
  kan::Bundle bundle = two_layer_bundle();
  for (kan::Node& node : bundle.model.layers.back().nodes) node.bias += bias;
  bundle.golden.outputs.clear();
  const std::size_t inputs = bundle.model.input_count();
  for (std::uint32_t i = 0; i < bundle.golden.count; ++i) {
    const auto outputs =
        kan::reference_outputs(bundle.model, std::span(bundle.golden.inputs).subspan(i * inputs, inputs));
    bundle.golden.outputs.insert(bundle.golden.outputs.end(), outputs.begin(), outputs.end());
  }
  return bundle;
}

WrittenBundle write_packed(const kan::Bundle& packed, const std::filesystem::path& where,
                           const std::string& name) {
  WrittenBundle written{packed, where / name, {}};
  written.digest = kan::write_bundle(packed, written.folder, kan::Overwrite::kReplace).value();
  return written;
}

kan::Bundle with_image(kan::Bundle packed, const std::function<void(kan::CardImage&)>& change) {
  kan::CardImage image = image_of(packed);
  change(image);
  packed.fpga_files["fpga/emulated.json"] = kan::card_image_to_json(image);
  return packed;
}

}  // namespace kantrig::test
